"""`keystead token …`"""

from pathlib import Path

import click

from server.cli.shared import call, data_option, env_option, print_pairs


@click.group()
def token() -> None:
    """Make bearer tokens for the /v1 HTTP API."""


@token.command()
@data_option
@click.option(
    "--account", metavar="ID", help="Whose user `admin` it acts as; by default the first account's."
)
@click.option(
    "--principal", metavar="ARN", help="Whom it acts as instead: the ARN of a user or of an account's root."
)
@env_option
def create(data: Path, account: str | None, principal: str | None, env: bool) -> None:
    """Make a token that acts as one user of one account, until it is revoked. It is shown this once.

    \b
    Examples:
      keystead token create --data ./data
      TOKEN=$(keystead token create --data ./data --env | cut -d= -f2)
      curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8750/v1/certificates
    """
    made = call(data, "token.create", {"account": account, "principal": principal})
    print_pairs(
        {"TOKEN": made["token"]},
        env=env,
        prose=f"A token that acts as {made['principal']}; it is not shown again:",
    )
