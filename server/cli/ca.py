"""`keystead ca …`: the group; each command is a module of its own, `server.cli.ca_<name>`."""

import click

from server.cli.lazy import lazy

# Where each command lives, and its line in `keystead ca --help`.
COMMANDS = {
    "init": ("server.cli.ca_init:init", "Make a root and a subordinate that issues."),
}


@click.group(cls=lazy(COMMANDS))
def ca() -> None:
    """Make, import, show and renew the certificate authorities of an account."""
