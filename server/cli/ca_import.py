"""`keystead ca import`"""

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.admin.protocol import CommandFailed
from server.cli.shared import call, data_option, env_option, print_pairs

if TYPE_CHECKING:
    from server.cli.foreign_keys import ForeignKey

READABLE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("import")
@data_option
@click.option(
    "--certificate",
    type=READABLE,
    metavar="FILE",
    help="The CA's certificate, PEM or DER; its chain may follow.",
)
@click.option(
    "--key", type=READABLE, metavar="FILE", help="Its private key: PEM or DER; PKCS#1, SEC 1 or PKCS#8."
)
@click.option(
    "--pkcs12", type=READABLE, metavar="FILE", help="Key, certificate and chain in one PKCS#12 file instead."
)
@click.option(
    "--chain", type=READABLE, metavar="FILE", help="A subordinate's chain, PEM: parent first, root last."
)
@click.option("--crl", type=READABLE, metavar="FILE", help="The newest CRL that it published, PEM or DER.")
@click.option("--no-crl", is_flag=True, help="It never published a CRL.")
@click.option(
    "--issued",
    type=READABLE,
    metavar="FILE",
    help="Certificates that it issued, PEM: they can be revoked here.",
)
@click.option(
    "--passphrase-file",
    type=READABLE,
    metavar="FILE",
    help="Holds the passphrase of the key, on its first line.",
)
@click.option("--passphrase-fd", type=int, metavar="N", help="A file descriptor to read the passphrase from.")
@click.option("--account", metavar="ID", help="Whose it becomes; by default the deployment's first account.")
@click.option("--region", default="us-east-1", show_default=True, help="The Region it goes to.")
@env_option
def import_(  # noqa: PLR0917  # click passes each option by its name
    data: Path,
    certificate: Path | None,
    key: Path | None,
    pkcs12: Path | None,
    chain: Path | None,
    crl: Path | None,
    no_crl: bool,  # as above
    issued: Path | None,
    passphrase_file: Path | None,
    passphrase_fd: int | None,
    account: str | None,
    region: str,
    env: bool,  # as above
) -> None:
    """Go on with a CA that was made elsewhere: with openssl, step-ca, cfssl, or anything that leaves PEM or PKCS#12.

    The certificate is judged first. Then the private key goes from this process straight into the key core, wrapped
    with a key that the core makes for it, and is held against the certificate. It is never in an argument, a variable
    or a log. The CA becomes a GENERAL_PURPOSE authority, ACTIVE, which issues and publishes CRLs; it never gives a
    serial number again, for its serials have 128 random bits.

    With --crl its CRL numbers go on from there, and what it revoked stays revoked. Shred the key file afterwards:
    whoever has it is still this CA.

    \b
    Examples:
      keystead ca import --data ./data --certificate ca.pem --key ca-key.pem --no-crl          # openssl, cfssl
      keystead ca import --data ./data --pkcs12 ca.p12 --passphrase-file pass --crl ca.crl
      keystead ca import --data ./data --certificate intermediate_ca.crt --chain root_ca.crt \\
          --key intermediate_ca_key --no-crl                                                   # step-ca
    """
    _check_crl(crl, no_crl)
    files = {"chain": chain, "crl": crl, "issued": issued}
    found = _read(certificate, key, pkcs12, lambda: _passphrase(passphrase_file, passphrase_fd))
    pem = certificate.read_bytes() if certificate is not None else found.certificates
    offer = {"certificate": _text(pem), "account": account, "region": region} | {
        name: _text(path.read_bytes()) for name, path in files.items() if path is not None
    }
    made = _brought(data, offer, found)
    print_pairs(
        {"CA_ARN": made["arn"], "CA_KIND": made["kind"], "CRL_URL": made["crl_url"]},
        env=env,
        prose=f"{made['subject']} is in the key core, and issues until {made['not_after']}. Its certificates name other"
        " places for CRLs and OCSP: have those lead to CRL_URL. The key file can be shredded now:",
    )


def _brought(data: Path, offer: Mapping[str, str | None], found: "ForeignKey") -> dict[str, Any]:
    """Both steps: the CA is judged and a wrapping key made; the key comes, wrapped by it."""
    from server.chance import entropy
    from server.cli.foreign_keys import wrap

    begun = call(data, "ca.import.begin", offer)
    wrapped = wrap(base64.b64decode(begun["public_key"]), begun["algorithm"], found.pkcs8, entropy)
    sealed = {"authority_id": begun["authority_id"], "token": begun["token"], "wrapped": _text(wrapped)}
    return call(data, "ca.import.finish", {**offer, **sealed})


def _check_crl(crl: Path | None, no_crl: bool) -> None:
    if (crl is None) != no_crl:
        raise CommandFailed(
            "give --crl FILE, the newest CRL that this CA published, so that its CRL numbers do not go back and what"
            " it revoked stays revoked; or --no-crl, and not both, if it never published one"
        )


def _read(
    certificate: Path | None, key: Path | None, pkcs12: Path | None, passphrase: Callable[[], bytes]
) -> "ForeignKey":
    from server.cli.foreign_keys import read_key, read_pkcs12  # heavy: cryptography

    read = read_pkcs12 if pkcs12 is not None else read_key
    return read(_given(certificate, key, pkcs12).read_bytes(), passphrase)


def _given(certificate: Path | None, key: Path | None, pkcs12: Path | None) -> Path:
    """The file with the private key. Raises CommandFailed."""
    if pkcs12 is not None and key is None and certificate is None:
        return pkcs12
    if pkcs12 is None and key is not None and certificate is not None:
        return key
    raise CommandFailed("give --certificate FILE and --key FILE, or --pkcs12 FILE alone, which holds both")


def _passphrase(path: Path | None, fd: int | None) -> bytes:
    """From the file or the descriptor, else asked for at the terminal."""
    if path is not None and fd is not None:
        raise CommandFailed("give --passphrase-file or --passphrase-fd, not both")
    if path is not None:
        return path.read_bytes().split(b"\n")[0].rstrip(b"\r")
    if fd is not None:
        try:
            with os.fdopen(fd, "rb") as stream:
                return stream.readline().rstrip(b"\r\n")
        except OSError as error:
            raise CommandFailed(f"descriptor {fd} is not open for reading: {error}") from error
    typed: str = click.prompt("Passphrase of the private key", hide_input=True, err=True)
    return typed.encode()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
