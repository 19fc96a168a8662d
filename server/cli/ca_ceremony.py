"""`keystead ca ceremony`"""

import base64
import hashlib
import tomllib
from pathlib import Path
from typing import Any

import click

from server.admin.protocol import CommandFailed
from server.cli.shared import call, data_option, env_option, print_pairs

READABLE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@data_option
@click.option(
    "--plan", "path", type=READABLE, required=True, metavar="FILE", help="The plan, TOML; see docs/ca.md."
)
@click.option("--dry-run", is_flag=True, help="Rehearse: say what would be made, and the digest of the plan.")
@click.option("--reviewed", metavar="SHA256", help="The digest that the reviewers saw; needed to do it.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where transcript and certificates go.",
)
@click.option("--yes", is_flag=True, help="Do not ask the witnesses one by one.")
@click.option("--account", metavar="ID", help="Whose root it is; by default the deployment's first account.")
@click.option("--region", default="us-east-1", show_default=True, help="The Region it is in.")
@env_option
def ceremony(  # noqa: PLR0917  # click passes each option by its name
    data: Path,
    path: Path,
    dry_run: bool,
    reviewed: str | None,
    out: Path | None,
    yes: bool,
    account: str | None,
    region: str,
    env: bool,
) -> None:
    """Make a root CA by a reviewed plan, before witnesses, with a transcript that anybody can check.

    First --dry-run: every certificate is drawn up and linted with keys that are thrown away, and the digest of the plan
    is printed (of the plan and its CSR files in their order: cat PLAN CSR... | sha256sum). Then the same with --reviewed
    DIGEST does it: makes the root's key in the key core, makes or signs the subordinates, and, where the plan says so,
    locks the root. The transcript says what was done and when, with the fingerprints of keys and certificates. It goes
    into the audit trail, and is signed by a key that is used this once, certified by the new root.

    \b
    Examples:
      keystead ca ceremony --data ./data --plan root.toml --dry-run
      keystead ca ceremony --data ./data --plan root.toml --reviewed 3f1c...9a --out ./ceremony
      openssl verify -CAfile ceremony/root.pem ceremony/transcript-signer.pem
      openssl x509 -in ceremony/transcript-signer.pem -pubkey -noout > signer.pub
      openssl dgst -sha256 -verify signer.pub -signature ceremony/transcript.sig ceremony/transcript.json
    """
    plan, digest = _read(path)
    asked = {"plan": plan, "plan_sha256": digest, "account": account, "region": region}
    if dry_run:
        for line in call(data, "ca.ceremony", {**asked, "rehearse": True})["says"]:
            click.echo(line, err=env)
        print_pairs(
            {"PLAN_SHA256": digest}, env=env, prose="Nothing was made. When all agree, give --reviewed:"
        )
        return
    _check_reviewed(digest, reviewed)
    if out is None:
        raise CommandFailed("--out DIR is missing: the transcript and the certificates go there")
    _check_empty(out)
    if not yes:
        for witness in plan.get("ceremony", {}).get("witnesses", ()):
            click.confirm(f"{witness}: do you see the digest {digest} and agree?", abort=True, err=True)
    held = call(data, "ca.ceremony", asked)
    _write(out, held)
    print_pairs(
        {
            "ROOT_PEM": str((out / "root.pem").absolute()),
            "TRANSCRIPT": str((out / "transcript.json").absolute()),
            "TRANSCRIPT_SHA256": held["sha256"],
        },
        env=env,
        prose="The ceremony is over, and its transcript is in the audit trail. Let each witness write down the digest:",
    )


def _read(path: Path) -> tuple[dict[str, Any], str]:
    """The plan with its CSR files read in, and the digest of all of them."""
    whole = path.read_bytes()
    try:
        plan = tomllib.loads(whole.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{path} is no TOML: {error}") from error
    digest = hashlib.sha256(whole)
    below = plan.get("subordinate", [])
    for each in below if isinstance(below, list) else ():
        if isinstance(each, dict) and isinstance(each.get("csr"), str):
            named = path.parent / each["csr"]
            try:
                request = named.read_bytes()
                each["csr"] = request.decode("ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise CommandFailed(
                    f"the signing request {named}, which the plan names, cannot be read: {error}"
                ) from error
            digest.update(request)
    return plan, digest.hexdigest()


def _check_reviewed(digest: str, reviewed: str | None) -> None:
    if reviewed is None:
        raise CommandFailed(
            "--reviewed DIGEST is missing: --dry-run prints it, for those who review the plan"
        )
    if reviewed.lower() != digest:
        raise CommandFailed(f"the plan is not the one that was reviewed: its digest is {digest} now")


def _check_empty(out: Path) -> None:
    """A failure to write the transcript must not come after the ceremony."""
    try:
        out.mkdir(mode=0o755, parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise CommandFailed(f"{out} is not empty: a ceremony's papers are kept apart from all others")
        probe = out / "transcript.json"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise CommandFailed(f"{out} cannot be written to: {error}") from error


def _write(out: Path, held: dict[str, Any]) -> None:
    (out / "transcript.json").write_bytes(held["transcript"].encode())
    (out / "transcript.sig").write_bytes(base64.b64decode(held["signature"]))
    (out / "transcript-signer.pem").write_text(held["signer"], "ascii")
    for name, pem in held["certificates"].items():
        (out / f"{name}.pem").write_text(pem, "ascii")
