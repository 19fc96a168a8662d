"""`keystead ca log …`: the transparency log's key, a copy of it, and whether it holds."""

import base64
from pathlib import Path
from typing import Any

import click

from server.admin.protocol import NOTHING_THERE, CommandFailed
from server.cli.shared import call, data_option

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def log() -> None:
    """Check the log of everything issued and revoked."""


@log.command()
@data_option
def key(data: Path) -> None:
    """Print the log's public key, as readers of signed notes take it (NAME+ID+KEY).

    Keep it apart from the server: who has it, and a checkpoint of earlier, can tell whether the log was rewritten.

    \b
    Example:
      keystead ca log key --data ./data > log.vkey
    """
    click.echo(call(data, "ca.log.key", {})["key"])


@log.command()
@data_option
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where the files go; made if need be.",
)
def copy(data: Path, folder: Path) -> None:
    """Copy the log's files, laid out as they are served, to be checked elsewhere or served by any web server.

    \b
    Example:
      keystead ca log copy --data ./data --out ./log && keystead ca log verify --from ./log --key "$(cat log.vkey)"
    """
    answer = call(data, "ca.log.files", {})
    checkpoint, written = answer["checkpoint"], 0
    while True:
        for path, content in answer["files"].items():
            _write(folder / path, base64.b64decode(content))
            written += 1
        if answer["next"] is None:
            break
        answer = call(data, "ca.log.files", {"checkpoint": checkpoint, "after": answer["next"]})
    _write(folder / "checkpoint", checkpoint.encode())  # last: what it covers is there
    click.echo(f"Copied {written} files and the checkpoint to {folder}.")


@log.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="KEYSTEAD_DATA",
    metavar="DIR",
    help="The data directory: the log there, held against what is stored. [env: KEYSTEAD_DATA]",
)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="FOLDER",
    help="A copy of the log, in place of --data: read without any server.",
)
@click.option("--key", "vkey", metavar="KEY", help="The log's public key, for --from.")
@click.option(
    "--since", type=_FILE, metavar="FILE", help="A checkpoint of earlier: the log must begin with it."
)
@click.option(
    "--certificate",
    type=_FILE,
    metavar="FILE",
    help="A certificate, PEM: print the proof that it is in the log.",
)
def verify(
    data: Path | None, folder: Path | None, vkey: str | None, since: Path | None, certificate: Path | None
) -> None:
    """Read the whole log through: each entry against its hash, each tile against the next, the root against the signature.

    With --data every certificate and revocation that is stored must be in the log too, and the log must know of nothing
    that the database has lost. Exit code 1 names the first thing that is wrong.

    \b
    Examples:
      keystead ca log verify --data ./data
      keystead ca log verify --data ./data --since checkpoint.monday --certificate www.pem
      keystead ca log verify --from ./log --key "$(cat log.vkey)"
    """
    asked = {
        "since": None if since is None else since.read_text("utf-8"),
        "certificate": None if certificate is None else certificate.read_text("utf-8"),
    }
    if folder is not None:
        if vkey is None:
            raise click.UsageError("--from needs --key: `keystead ca log key` prints it")
        told = _read_copy(folder, vkey, asked["since"], asked["certificate"])
    elif data is not None:
        told = call(data, "ca.log.verify", asked)
    else:
        raise click.UsageError("say --data DIR or --from FOLDER")
    _show(told)


def _read_copy(folder: Path, vkey: str, since: str | None, certificate: str | None) -> dict[str, Any]:
    from ca import BadNote, LogBroken, read_log, read_verifier  # heavy, and the server does it otherwise
    from server.admin.ca_log import described

    if not (folder / "checkpoint").is_file():
        raise CommandFailed(
            f"there is no file checkpoint in {folder}: `keystead ca log copy` makes one", NOTHING_THERE
        )

    def read(path: str) -> bytes | None:
        file = folder / path
        return file.read_bytes() if file.is_file() else None

    try:
        verifier = read_verifier(vkey)
        return described(read_log(read, verifier), verifier, since, certificate)
    except BadNote as bad:
        raise CommandFailed(f"--key: {bad}") from bad
    except LogBroken as broken:
        raise CommandFailed(f"the log is damaged: {broken}") from broken


def _show(told: dict[str, Any]) -> None:
    click.echo(f"The log is whole: {told['size']} entries, root {told['root']}.")
    if "certificates" in told:
        click.echo(
            f"It has every one of the {told['certificates']} certificates and {told['revocations']} revocations stored"
            + (f"; {told['waiting']} of them wait for the next checkpoint." if told["waiting"] else ".")
        )
    if "since" in told:
        click.echo(f"It begins with the {told['since']} entries of the older checkpoint.")
    if "index" in told:
        revoked = f", and is revoked ({told['revoked']})" if told["revoked"] else ""
        click.echo(
            f"The certificate is entry {told['index']}{revoked}. The proof (C2SP tlog-proof):\n\n{told['proof']}",
            nl=False,
        )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
