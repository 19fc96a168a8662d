"""The command `keystead`. Each subcommand is imported when it is used, so that none pays for another's libraries."""

import sys
from collections.abc import Sequence

import click

from server.admin.protocol import FAILED, CommandFailed
from server.cli.lazy import lazy

# Where each command lives, and its line in `keystead --help`.
COMMANDS = {
    "serve": ("server.cli.serve:serve", "Run the service on a data directory."),
    "account": ("server.cli.account:account", "Make accounts."),
    "ca": ("server.cli.ca:ca", "Make, import, show and renew the certificate authorities of an account."),
    "token": ("server.cli.token:token", "Make bearer tokens for the /v1 HTTP API."),
    "roots": ("server.cli.roots:roots", "Print every root that clients should trust, PEM."),
    "clock": ("server.cli.clock:clock", "Move the test clock."),
    "trail": ("server.cli.trail:trail", "Check the audit trail."),
    "why": ("server.cli.why:why", "Say why a request was allowed or denied."),
    "doctor": ("server.cli.doctor:doctor", "Look for what is wrong or unsafe."),
    "join": ("server.cli.join:join", "Make this host another one of an existing deployment."),
    "dns": ("server.cli.dns:dns", "Run a small authoritative DNS server for tests."),
}


@click.group(
    cls=lazy(COMMANDS), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="keystead", prog_name="keystead")
def keystead() -> None:
    """keystead: a private certificate authority and ACM-like service of your own.

    \b
    From nothing to a certificate:
      keystead serve --data ./data                      # in one terminal; the first start prints an access key
      eval "$(keystead account create --data ./data --env | sed 's/^/export /')"
      keystead ca init --data ./data --env              # a root and a subordinate of that account
      aws --endpoint-url http://127.0.0.1:8750 --region us-east-1 \\
          acm request-certificate --domain-name www.example.test --validation-method DNS

    \b
    Exit codes: 0 done, 1 failed, 2 not understood, 3 nothing there (no such directory, or nobody serves it).
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: runs one command and exits with its code."""
    try:
        keystead.main(
            args=None if arguments is None else list(arguments), prog_name="keystead", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(FAILED)
    except CommandFailed as error:
        click.echo(f"keystead: {error.message}", err=True)
        sys.exit(error.status)
    except BrokenPipeError:  # `keystead roots | head`
        sys.exit(FAILED)
