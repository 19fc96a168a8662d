"""IssueCertificate, durable, against moto's and cfssl's. `python -m bench.issuance`: these alone; `--large`: also with a million stored."""

import argparse
import base64
import json
import os
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.request import Request, urlopen

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.floors import PEER
from bench.load import Figures, Shot, fire
from bench.servers import COMMAND, first_answer, free_port, running
from bench.shots import Access, signed

NAME: Final = "IssueCertificate P-256"
CFSSL: Final = "cfssl, no database"
CFSSL_STORED: Final = "cfssl, its SQLite"
CFSSL_FLOORS: Final[Mapping[str, float]] = {CFSSL: 0.3, CFSSL_STORED: 5.0}
"""At least this many times its rate (ARCHITECTURE 7)."""
STORED_FLOOR: Final = 1.2
"""A million certificates stored cost at most this many times what none do."""
MILLION: Final = 1_000_000

# cfssl's own certdb/sqlite/migrations, which its Debian package leaves out.
_SCHEMA: Final = """
CREATE TABLE certificates (
  serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, ca_label blob, status blob NOT NULL,
  reason int, expiry timestamp, revoked_at timestamp, pem blob NOT NULL,
  PRIMARY KEY (serial_number, authority_key_identifier)
);
CREATE TABLE ocsp_responses (
  serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, body blob NOT NULL, expiry timestamp,
  PRIMARY KEY (serial_number, authority_key_identifier)
);
"""


def call(access: Access, operation: str, parameters: dict[str, Any]) -> Any:
    """The answer of one acm-pca call."""
    shot = _asked(access, operation, parameters)
    with urlopen(
        Request(shot.url, shot.body.encode(), shot.headers, method=shot.method), timeout=30
    ) as answer:
        return json.loads(answer.read() or b"null")


def shot(access: Access) -> Shot:
    """One certificate of the authority for a P-256 CSR: intent and result are on the disk before the answer."""
    return _asked(
        access,
        "IssueCertificate",
        {
            "CertificateAuthorityArn": access.authority,
            "Csr": base64.b64encode(csr()).decode(),
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Validity": {"Type": "DAYS", "Value": 30},
        },
    )


def of_moto(access: Access) -> dict[str, Shot]:
    """The same of moto, by an authority of the same kind, made over the wire."""
    configuration = {
        "KeyAlgorithm": "EC_prime256v1",
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Subject": {"CommonName": "bench"},
    }
    made = call(
        access,
        "CreateCertificateAuthority",
        {
            "CertificateAuthorityType": "ROOT",
            "CertificateAuthorityConfiguration": configuration,
            "IdempotencyToken": "bench",
        },
    )
    authority = {"CertificateAuthorityArn": made["CertificateAuthorityArn"]}
    own = call(access, "GetCertificateAuthorityCsr", authority)["Csr"]
    root = {
        "Csr": base64.b64encode(own.encode()).decode(),
        "SigningAlgorithm": "SHA256WITHECDSA",
        "TemplateArn": "arn:aws:acm-pca:::template/RootCACertificate/V1",
        "Validity": {"Type": "YEARS", "Value": 5},
    }
    arn = call(access, "IssueCertificate", authority | root)["CertificateArn"]
    pem = call(access, "GetCertificate", authority | {"CertificateArn": arn})["Certificate"]
    encoded = base64.b64encode(pem.encode()).decode()
    call(access, "ImportCertificateAuthorityCertificate", authority | {"Certificate": encoded})
    of = Access(access.url, access.access_key, access.secret_key, "", made["CertificateAuthorityArn"])
    return {PEER + NAME: shot(of)}


@contextmanager
def cfssl(folder: Path) -> Iterator[dict[str, Shot]]:
    """Debian's cfssl with a P-256 CA in a file, with and without its database; nothing where it cannot be had."""
    installed = subprocess.run(["bash", "tests/support/system.sh", "cfssl"], check=False)
    if installed.returncode != 0:
        print("cfssl is left out: Debian's package golang-cfssl cannot be installed here")
        yield {}
        return
    home = folder / "cfssl"
    home.mkdir()
    _authority_files(home)
    with closing(sqlite3.connect(home / "certs.db")) as database:
        database.executescript(_SCHEMA)
    (home / "db.json").write_text(
        json.dumps({"driver": "sqlite3", "data_source": str(home / "certs.db")}), encoding="utf-8"
    )
    ports = {CFSSL: free_port(), CFSSL_STORED: free_port()}
    serve = ["cfssl", "serve", "-loglevel", "4", "-address", "127.0.0.1", "-ca", str(home / "ca.pem")]
    serve += ["-ca-key", str(home / "ca-key.pem"), "-port"]
    with (
        running([*serve, str(ports[CFSSL])], home / "plain.log"),
        running([*serve, str(ports[CFSSL_STORED]), "-db-config", str(home / "db.json")], home / "stored.log"),
    ):
        body = json.dumps({"certificate_request": csr().decode(), "hosts": ["bench.example.test"]})
        for port in ports.values():
            first_answer(f"http://127.0.0.1:{port}/api/v1/cfssl/scaninfo", time.perf_counter())
        yield {
            name: Shot(
                f"http://127.0.0.1:{port}/api/v1/cfssl/sign",
                "POST",
                {"Content-Type": "application/json"},
                body,
            )
            for name, port in ports.items()
        }


def show(table: Mapping[str, list[Figures]]) -> None:
    """Print our rate as multiples of cfssl's, where it ran."""
    ours = median(each.per_second for each in table[NAME])
    for name, floor in CFSSL_FLOORS.items():
        if name in table:
            times = ours / median(each.per_second for each in table[name])
            judged = "met" if times >= floor else "NOT MET"
            print(f"{NAME}: {times:.2f} x {name} (>= {floor:g})  {judged}")


def csr() -> bytes:
    """A P-256 signing request, PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench.example.test")])
    san = x509.SubjectAlternativeName([x509.DNSName("bench.example.test")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name).add_extension(san, critical=False)
    signed_one = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed_one.public_bytes(serialization.Encoding.PEM)


def fill(database: Path, count: int) -> None:
    """Store that many certificates more: copies of one that was issued, each under a serial number of its own."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        columns = [row[1] for row in connection.execute("PRAGMA table_info(ca_certificate)")]
        row = connection.execute(
            "SELECT * FROM ca_certificate WHERE profile = 'EndEntityCertificate'"
        ).fetchone()
        serial, claim = columns.index("serial"), columns.index("claim")
        marks = ", ".join("?" for _ in columns)
        for start in range(0, count, 10_000):
            copies = []
            for _ in range(min(10_000, count - start)):
                copy = list(row)
                copy[serial], copy[claim] = f"4b{os.urandom(16).hex()}", f"pca/{os.urandom(16).hex()}"
                copies.append(copy)
            connection.executemany(f"INSERT INTO ca_certificate VALUES ({marks})", copies)
            connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    """Prints rates, ratios and CPU; `--large` also with a million certificates stored."""
    options = argparse.ArgumentParser(prog="bench.issuance", description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument(
        "--large", action="store_true", help="fill the database with certificates, and ask again"
    )
    options.add_argument("--stored", type=int, default=MILLION, help="how many `--large` stores")
    chosen = options.parse_args()
    subprocess.run(["bash", "tests/support/system.sh", "wrk"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder), chosen)


def _measure(folder: Path, chosen: argparse.Namespace) -> None:
    from bench.__main__ import prepare
    from bench.cpu import children, measured
    from bench.peer import moto

    data, port = folder / "data", free_port()
    serve = [str(COMMAND), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    table: dict[str, list[Figures]] = {}
    with running(serve, folder / "serve.log") as supervisor:
        first_answer(f"{url}/healthz", time.perf_counter())
        access = prepare(data, url)
        with moto(folder, time.perf_counter()) as peer, cfssl(folder) as others:
            loads = {NAME: shot(access), PEER + NAME: peer[PEER + NAME], **others}
            for load in loads.values():
                fire(load, 2)
            for _ in range(chosen.rounds):
                for name, load in loads.items():
                    table.setdefault(name, []).append(fire(load, chosen.seconds))
        measured(NAME, shot(access), children(supervisor), chosen.seconds)
    for name, rounds in table.items():
        rate, p99 = median(each.per_second for each in rounds), median(each.p99 for each in rounds)
        print(f"{name:31}{rate:9,.0f} per second, p99 {p99:.1f} ms")
    peers = median(each.per_second for each in table[NAME]) / median(
        each.per_second for each in table[PEER + NAME]
    )
    print(f"{NAME}: {peers:.1f} x moto (>= 100)")
    show(table)
    if chosen.large:
        print(f"storing {chosen.stored:,} certificates")
        fill(data / "keystead.db", chosen.stored)
        with running(serve, folder / "serve.log") as supervisor:
            first_answer(f"{url}/healthz", time.perf_counter())
            fire(shot(access), 3)
            after = median(fire(shot(access), chosen.seconds).per_second for _ in range(chosen.rounds))
            measured(f"{NAME}, {chosen.stored:,} stored", shot(access), children(supervisor), chosen.seconds)
        times = median(each.per_second for each in table[NAME]) / after
        judged = "met" if times <= STORED_FLOOR else "NOT MET"
        print(f"{after:,.0f} per second; empty is {times:.2f} x that (<= {STORED_FLOOR})  {judged}")


def _asked(access: Access, operation: str, parameters: dict[str, Any]) -> Shot:
    return signed(access, "acm-pca", f"ACMPrivateCA.{operation}", parameters)


def _authority_files(home: Path) -> None:
    """A P-256 CA of cfssl's own making."""
    asked = json.dumps({"CN": "bench", "key": {"algo": "ecdsa", "size": 256}})
    made = subprocess.run(
        ["cfssl", "gencert", "-loglevel", "4", "-initca", "-"],
        input=asked.encode(),
        check=True,
        capture_output=True,
    )
    answer = json.loads(made.stdout)
    (home / "ca.pem").write_text(answer["cert"], encoding="utf-8")
    (home / "ca-key.pem").write_text(answer["key"], encoding="utf-8")


if __name__ == "__main__":
    main()
