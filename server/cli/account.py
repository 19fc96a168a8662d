"""`keystead account …`"""

from pathlib import Path

import click

from server.cli.shared import call, data_option, env_option, print_pairs

GUESSABLE = "x" * 16  # shorter keys than IAM's own


@click.group()
def account() -> None:
    """Make accounts. Each has keys, authorities and certificates of its own, as in AWS."""


@account.command()
@data_option
@click.option(
    "--id", "account_id", metavar="ID", help="The account's 12 digits; drawn by chance where not given."
)
@click.option("--access-key", metavar="K", help="The user's access key id (4 to 128 letters and digits).")
@click.option("--secret-key", metavar="S", help="The user's secret access key (4 to 128 characters).")
@env_option
def create(
    data: Path, account_id: str | None, access_key: str | None, secret_key: str | None, env: bool
) -> None:
    """Make an empty account with an IAM user `admin`, who may do everything in it, and print that user's key.

    The secret is shown this once: it is stored sealed and cannot be read again.

    \b
    Examples:
      keystead account create --data ./data
      keystead account create --data ./data --env > account.env
      keystead account create --data ./data --id 111122223333 \\
          --access-key AKIDTESTTESTTEST --secret-key not-a-secret-in-tests
    """
    if min(len(access_key or GUESSABLE), len(secret_key or GUESSABLE)) < len(GUESSABLE):
        click.echo("keystead: a key this short can be guessed: keep this service on loopback.", err=True)
    made = call(
        data, "account.create", {"id": account_id, "access_key": access_key, "secret_key": secret_key}
    )
    print_pairs(
        {
            "AWS_ACCESS_KEY_ID": made["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": made["secret_access_key"],
            "ACCOUNT_ID": made["account_id"],
        },
        env=env,
        prose=f"Account {made['account_id']}, user {made['admin_arn']}. The secret is not shown again:",
    )
