"""`keystead ca bundle`"""

import base64
from pathlib import Path

import click

from server.cli.shared import call, data_option

# What the forms are called here, and the endings that the server knows them by.
FORMS = {"pem": "pem", "pkcs7": "p7b", "jks": "jks", "p12": "p12"}


@click.command()
@data_option
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMS)),
    default="pem",
    show_default=True,
    help="PEM blocks; a certs-only PKCS#7 (.p7b); Java's truststores, JKS or PKCS#12.",
)
@click.option(
    "--ca", metavar="ARN", help="Of this authority; every root that `keystead roots` prints by default."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where it goes.",
)
@click.option("--password", metavar="TEXT", help="A truststore's, 'changeit' by default. It is no secret.")
def bundle(data: Path, form: str, ca: str | None, out: Path, password: str | None) -> None:
    """Write what clients should trust, in the form that they take it in.

    Of one authority, PEM and PKCS#7 hold its certificate and its chain, and a truststore its root alone: each entry of a
    truststore is trusted by itself.

    \b
    Examples:
      keystead ca bundle --data ./data --out roots.pem
      keystead ca bundle --data ./data --format pkcs7 --ca "$CA_ARN" --out issuing.p7b
      keystead ca bundle --data ./data --format p12 --out trust.p12
      java -Djavax.net.ssl.trustStore=trust.p12 -Djavax.net.ssl.trustStorePassword=changeit …
    """
    if password is not None and form not in {"jks", "p12"}:
        raise click.UsageError("only a truststore has a password")
    made = call(data, "ca.bundle", {"form": FORMS[form], "ca": ca, "password": password})
    out.write_bytes(base64.b64decode(made["content"]))
    count = made["certificates"]
    click.echo(f"{out} holds {count} certificate{'' if count == 1 else 's'}.")
