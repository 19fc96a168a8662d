"""`keystead trail …`"""

from pathlib import Path

import click

from server.cli.shared import call, data_option


@click.group()
def trail() -> None:
    """Check the audit trail."""


@trail.command()
@data_option
def verify(data: Path) -> None:
    """Walk the hash chain from its first record to its last; name the first bad one, with exit code 1.

    \b
    Example:
      keystead trail verify --data ./data
    """
    found = call(data, "trail.verify", {})
    click.echo(
        f"The trail is whole: {found['records']} records in {found['segments']} segments, head {found['head']}."
    )
    if found["other_chains"]:
        click.echo(
            f"The database knows {found['other_chains']} more: each is another host's, or was removed from here."
        )
