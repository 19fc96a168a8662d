"""What the commands that speak to a server have in common: --data, --env, progress, and where to send the request."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from server.admin import client
from server.admin.protocol import NOTHING_THERE, CommandFailed, Progress

F = TypeVar("F", bound=Callable[..., Any])


def data_option(function: F) -> F:
    """`--data DIR`, or the variable KEYSTEAD_DATA."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="KEYSTEAD_DATA",
        required=True,
        metavar="DIR",
        help="The data directory, as given to `keystead serve`. [env: KEYSTEAD_DATA]",
    )(function)


def env_option(function: F) -> F:
    """`--env`: nothing but KEY=value lines on standard output, for `eval` and env files."""
    return click.option("--env", is_flag=True, help="Print only KEY=value lines, for eval and env files.")(
        function
    )


def call(data: Path, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Has the command done by the server that keeps `data`; where none runs, does it here, under the lock.

    Raises `CommandFailed`.
    """
    if not data.is_dir():
        raise CommandFailed(
            f"there is no directory {data}. `keystead serve --data {data}` makes and serves it", NOTHING_THERE
        )
    given = {name: value for name, value in arguments.items() if value is not None}
    with ShownProgress() as progress:
        try:
            return client.ask(data, command, given, progress)
        except client.NobodyServes:
            from server.admin.offline import run  # heavy: it opens the database and starts a core

            return run(data, command, given, progress)


class ShownProgress:
    """Progress on standard error: each step a line, and on a terminal a spinner under the last."""

    def __enter__(self) -> Progress:
        self._console: Any = None
        self._status: Any = None
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def _show(self, text: str) -> None:
        if not sys.stderr.isatty():
            click.echo(text, err=True)
            return
        if self._status is None:
            from rich.console import Console  # 60 ms, and only a slow step needs it

            self._console = Console(stderr=True, highlight=False)
            self._status = self._console.status("working", spinner="line")
            self._status.start()
        self._console.print(text, markup=False)


def print_pairs(pairs: Mapping[str, str], *, env: bool, prose: str) -> None:
    """With --env the pairs alone; otherwise prose for people, then the pairs."""
    if not env:
        click.echo(prose)
    for key, value in pairs.items():
        click.echo(f"{key}={value}")
