"""`keystead roots`"""

from pathlib import Path

import click

from server.cli.shared import call, data_option


@click.command()
@data_option
def roots(data: Path) -> None:
    """Print every root certificate that a client of this service should trust, PEM, one after the other.

    They are: each account's own roots, the root of the deployment's hierarchy (for requests that name no authority)
    and the root of the HTTPS door.

    \b
    Examples:
      keystead roots --data ./data > roots.pem
      curl --cacert roots.pem https://127.0.0.1:8751/readyz
    """
    click.echo(call(data, "roots", {})["pem"], nl=False)
