"""`keystead join`"""

import os
from pathlib import Path

import click

from server.cli.shared import data_option


@click.command()
@data_option
@click.option("--database", required=True, metavar="URL", help="The deployment's PostgreSQL database.")
@click.option(
    "--unseal",
    required=True,
    metavar="SOURCE",
    help="Its unseal secret: file:PATH, credential:NAME or passphrase-file:PATH.",
)
def join(data: Path, database: str, unseal: str) -> None:
    """Make DIR, on this host, another one of a deployment that exists: one database, one set of domain keys.

    Checks that the secret opens the deployment before anything is written. `keystead serve` on DIR then serves it.

    \b
    Example:
      scp first:/var/lib/keystead/unseal.key /etc/keystead/unseal.key
      keystead join --data ./data --database postgresql://keystead@db/keystead \\
          --unseal file:/etc/keystead/unseal.key
      keystead serve --data ./data
    """
    from server.forking import Refused
    from server.joining import join as join_deployment
    from server.settings import BadSetting, load

    try:
        settings = load(data, {"database": database, "unseal": unseal}, os.environ)
        deployment_id = join_deployment(settings)
    except (BadSetting, Refused) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{data} belongs to deployment {deployment_id}. `keystead serve --data {data}` serves it.")
