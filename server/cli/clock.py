"""`keystead clock …`"""

from datetime import timedelta
from pathlib import Path

import click

from server.cli.durations import duration
from server.cli.shared import call, data_option


@click.group()
def clock() -> None:
    """Move the service's clock, where it was started with --test-clock."""


def _parsed(_context: click.Context, _parameter: click.Parameter, text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@clock.command()
@click.argument("by", callback=_parsed, metavar="TIME")
@data_option
def advance(by: timedelta, data: Path) -> None:
    """Move the service's time forward by TIME (60d, 12h30m, 1w) and run everything that falls due on the way.

    Renewals, deletions and revocation lists happen in their order, each at its own moment, and are printed. What a
    crash interrupts goes on by itself. Signatures, sessions and the HTTPS door stay on the machine's own clock.

    \b
    Example:
      keystead serve --data ./data --test-clock        # on an empty directory: it stays marked for ever
      keystead clock advance 160d --data ./data        # certificates of 198 days are renewed
    """
    moved = call(data, "clock.advance", {"seconds": by.total_seconds()})
    click.echo(f"The service's time is now {moved['now']}.")
