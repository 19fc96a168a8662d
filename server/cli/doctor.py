"""`keystead doctor`"""

import sys
from pathlib import Path

import click

from server.admin.protocol import FAILED
from server.cli.shared import call, data_option


@click.command()
@data_option
def doctor(data: Path) -> None:
    """Look at a data directory and the service on it; say what is well, what to know, and what is wrong.

    Exit code 1 when something is wrong.

    \b
    Example:
      keystead doctor --data ./data
    """
    findings = call(data, "doctor", {})["findings"]
    for finding in findings:
        click.echo(f"{finding['verdict']:<5} {finding['about']}: {finding['says']}")
    if any(finding["verdict"] == "wrong" for finding in findings):
        sys.exit(FAILED)
