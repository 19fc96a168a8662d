"""The transparency log through its doors: HTTP for anybody, the command line for the operator."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from sqlmodel import col, delete, select

from ca.log.tables import PendingRow
from ca.tables import CertificateRow
from foundation.store import SYSTEM, Scope
from kms.hsm import KeyRefused
from server.admin import commands
from server.admin.protocol import CommandFailed
from server.cli import ca_log, keystead
from tests.api.pca.acting import hierarchy, request
from tests.ca.log.test_log import Independent
from tests.support.world import REGION, Caller, World

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def caller(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.fixture
def run(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, answered by the world's scheduler in place of a server's."""

    def call(_data: Path, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in arguments.items() if value is not None}
        return commands.run(shared_world.scheduler, command, given, lambda _: None)

    monkeypatch.setattr(ca_log, "call", call)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(keystead, ["ca", "log", *arguments, "--data", "unused"])

    return run


def issue(caller: Caller) -> tuple[Any, str, str]:
    """A client, the ARN of an authority, and the PEM of a certificate by it."""
    pca = caller.client("acm-pca")
    made = hierarchy(pca, "EC_prime256v1")
    csr = request("host.example.test")
    arn = pca.issue_certificate(
        CertificateAuthorityArn=made.subordinate,
        Csr=csr,
        SigningAlgorithm="SHA256WITHECDSA",
        Validity={"Type": "DAYS", "Value": 30},
    )["CertificateArn"]
    got = pca.get_certificate(CertificateAuthorityArn=made.subordinate, CertificateArn=arn)
    return pca, made.subordinate, got["Certificate"]


def test_whoever_has_the_key_reads_the_log_over_http(shared_world: World, caller: Caller, run: Run) -> None:
    issue(caller)
    assert run("verify").exit_code == 0
    vkey = run("key").output.strip()
    name = vkey.split("+")[0].rpartition("/")[2]

    def read(path: str) -> bytes | None:
        answer = shared_world.http("GET", f"/log/{name}/{path}")
        headers = dict(answer.headers)
        kind = "text/plain; charset=utf-8" if path == "checkpoint" else "application/octet-stream"
        assert headers["Content-Type"] == kind
        assert ("immutable" in headers["Cache-Control"]) == (path != "checkpoint")
        return answer.body

    reader = Independent(read, vkey)
    assert reader.size >= 3
    path = f"/log/{name}/tile/entries/000.p/{reader.size}"
    packed = shared_world.http("GET", path, headers={"accept-encoding": "gzip"})
    assert dict(packed.headers)["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == shared_world.http("GET", path).body
    assert shared_world.http("GET", f"/log/{name}/tile/0/000").status == 404
    assert shared_world.http("GET", "/log/other/checkpoint").status == 404


def test_a_certificate_is_proven_and_its_revocation_told(caller: Caller, run: Run, tmp_path: Path) -> None:
    pca, authority, pem = issue(caller)
    file = tmp_path / "host.pem"
    file.write_text(pem)
    said = run("verify", "--certificate", str(file))
    assert said.exit_code == 0, said.output
    assert "c2sp.org/tlog-proof@v1\nindex " in said.output
    serial = f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:x}"
    pca.revoke_certificate(
        CertificateAuthorityArn=authority, CertificateSerial=serial, RevocationReason="SUPERSEDED"
    )
    assert "is revoked (SUPERSEDED)" in run("verify", "--certificate", str(file)).output


def test_a_copy_is_checked_without_a_server(caller: Caller, run: Run, tmp_path: Path) -> None:
    _, _, pem = issue(caller)
    (tmp_path / "host.pem").write_text(pem)
    folder, vkey = str(tmp_path / "log"), run("key").output.strip()
    assert run("copy", "--out", folder).exit_code == 0
    older = tmp_path / "checkpoint.old"
    older.write_bytes((tmp_path / "log" / "checkpoint").read_bytes())
    issue(caller)
    assert run("copy", "--out", folder).exit_code == 0
    alone = CliRunner()

    def check(*arguments: str) -> Result:
        return alone.invoke(keystead, ["ca", "log", "verify", "--from", folder, *arguments])

    said = check("--key", vkey, "--since", str(older), "--certificate", str(tmp_path / "host.pem"))
    assert said.exit_code == 0, said.output
    assert "It begins with the" in said.output
    assert check().exit_code == 2
    wrong = check("--key", "nonsense")
    assert isinstance(wrong.exception, CommandFailed)
    bundle = next((tmp_path / "log" / "tile" / "entries").rglob("*.p/*"))
    bundle.write_bytes(bundle.read_bytes().replace(b'"issued"', b'"Issued"', 1))
    broken = check("--key", vkey)
    assert isinstance(broken.exception, CommandFailed)
    assert "the log is damaged" in str(broken.exception)


def test_what_bypassed_the_log_is_found(shared_world: World, caller: Caller, run: Run) -> None:
    """A certificate whose entry somebody took away before it was sequenced."""
    run("verify")
    issue(caller)
    kept: list[PendingRow] = []

    def lose(session: Any) -> None:
        row = session.exec(select(PendingRow).order_by(col(PendingRow.leaf)).limit(1)).one()
        kept.append(PendingRow(leaf=row.leaf, entry=row.entry))
        session.exec(delete(PendingRow).where(col(PendingRow.leaf) == row.leaf))

    unit = shared_world.scheduler.store.unit(SYSTEM)
    unit.write(lose)
    failed = run("verify")
    assert isinstance(failed.exception, CommandFailed)
    assert "what is stored is not in the log" in str(failed.exception)
    unit.write(lambda session: session.add(PendingRow(leaf=kept[0].leaf, entry=kept[0].entry)))
    assert run("verify").exit_code == 0


def test_what_the_database_lost_is_found(shared_world: World, caller: Caller, run: Run) -> None:
    _, _, pem = issue(caller)
    assert run("verify").exit_code == 0
    serial = f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:x}"
    unit = shared_world.scheduler.store.unit(Scope(caller.account, REGION))
    taken: list[dict[str, Any]] = []

    def take(session: Any) -> None:
        row = session.exec(select(CertificateRow).where(CertificateRow.serial == serial)).one()
        taken.append(row.model_dump())
        session.delete(row)

    unit.write(take)
    failed = run("verify")
    assert isinstance(failed.exception, CommandFailed)
    assert f"serial number {serial} was issued" in str(failed.exception)
    unit.write(lambda session: session.add(CertificateRow(**taken[0])))
    assert run("verify").exit_code == 0


def test_a_worker_signs_no_checkpoint(shared_world: World, caller: Caller) -> None:
    issue(caller)
    with pytest.raises(KeyRefused, match="worker"):
        shared_world.worker.merkle_log.advance()
    assert shared_world.scheduler.merkle_log.advance() > 0
