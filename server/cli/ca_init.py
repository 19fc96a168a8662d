"""`keystead ca init`"""

from pathlib import Path

import click

from server.cli.shared import call, data_option, env_option, print_pairs


@click.command()
@data_option
@click.option("--account", metavar="ID", help="Whose authorities; by default the deployment's first account.")
@click.option("--region", default="us-east-1", show_default=True, help="The Region they are in.")
@env_option
def init(data: Path, account: str | None, region: str, env: bool) -> None:
    """Make a root authority and a subordinate that issues (path length 0), and write the root to a file.

    Their private keys are made in the key core and never leave it. Requests to ACM or /v1 that name
    SUBORDINATE_CA_ARN are issued by it.

    \b
    Examples:
      keystead ca init --data ./data
      eval "$(keystead ca init --data ./data --env)" && openssl x509 -in "$ROOT_PEM" -noout -text
    """
    made = call(data, "ca.init", {"account": account, "region": region})
    print_pairs(
        {
            "ROOT_CA_ARN": made["root_arn"],
            "SUBORDINATE_CA_ARN": made["subordinate_arn"],
            "ROOT_PEM": made["root_pem"],
        },
        env=env,
        prose=f"Two authorities for account {made['account']}. Clients should trust the root in ROOT_PEM:",
    )
