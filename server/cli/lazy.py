"""Command groups that know their commands by name, and import one only to run it or to show its own help."""

import importlib
from collections.abc import Mapping

import click

Named = Mapping[str, tuple[str, str]]
"""Command name -> where it lives ("module:name"), and its line in the group's help."""


def lazy(commands: Named) -> type[click.Group]:
    """The class of a group of exactly these commands, for `@click.group(cls=...)`."""

    class Lazy(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
            return list(commands)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
            if cmd_name not in commands:
                return None
            module, _, name = commands[cmd_name][0].partition(":")
            command: click.Command = getattr(importlib.import_module(module), name)
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
            with formatter.section("Commands"):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()])

    return Lazy
