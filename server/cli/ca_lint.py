"""`keystead ca lint`"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.admin.protocol import FAILED, CommandFailed

if TYPE_CHECKING:
    from ca import Finding

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--issuer",
    type=_FILE,
    metavar="FILE",
    help="Its issuer's certificate, and those above, if FILE has none.",
)
@click.option("--no-pkilint", is_flag=True, help="Our own rules alone.")
@click.option("--json", "as_json", is_flag=True, help="A JSON document in place of lines.")
def lint(file: Path, issuer: Path | None, no_pkilint: bool, as_json: bool) -> None:
    """Look for faults in certificates and CRLs from anywhere, PEM or DER; no server is asked.

    By keystead's own rules, as far as they apply to what was made elsewhere, and by pkilint's for RFC 5280. Where the
    file (or --issuer) holds an issuer's certificate too, the two are held against each other. Exit code 1 when anything
    of level ERROR or above is found.

    \b
    Examples:
      keystead ca lint chain.pem
      keystead ca lint host.crt --issuer issuing.pem --json | jq '.findings[].rule'
    """
    from ca import NoPkilint, NothingToLint, lint_file, second_opinion

    try:
        linted = lint_file(file.read_bytes(), b"" if issuer is None else issuer.read_bytes())
        findings = [finding for each in linted for finding in each.findings]
        if not no_pkilint:
            findings += [said for each in linted for said in second_opinion(each.kind, each.der, each.about)]
    except (NothingToLint, NoPkilint) as why:
        raise CommandFailed(str(why)) from why
    if as_json:
        click.echo(
            json.dumps(
                {
                    "looked_at": [each.about for each in linted],
                    "findings": [asdict(each) for each in findings],
                },
                indent=2,
            )
        )
    else:
        _tell([each.about for each in linted], findings)
    if any(each.grave for each in findings):
        raise SystemExit(FAILED)


def _tell(looked_at: list[str], findings: "list[Finding]") -> None:
    for about in looked_at:
        here = [each for each in findings if each.about == about]
        click.echo(f"{about}: {len(here) or 'nothing'} found")
        for each in here:
            click.echo(f"  {each.severity:<8}{each.source} {each.rule}: {each.message}")
