"""An authority whose certificates are asked about, and what a client needs for asking."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from sqlmodel import select

from ca import AuthorityView, Issued, OcspAnswer, OcspResponder, der
from ca.ocsp.tables import SignerRow
from ca.revocation_settings import generation_of
from ca.tables import AuthorityRow
from foundation.store import SYSTEM, Scope, Store, bump
from tests.ca.conftest import HERE, World
from tests.support.core import RunningCore
from tests.support.store import import_tables, wall

ON = json.dumps({"CrlConfiguration": {"Enabled": True}, "OcspConfiguration": {"Enabled": True}})
OFF = json.dumps({"CrlConfiguration": {"Enabled": True}, "OcspConfiguration": {"Enabled": False}})


@dataclass
class Asking:
    """Two authorities with OCSP, and the responder of one worker; `worker` makes another."""

    world: World
    authority: AuthorityView
    root: AuthorityView
    responder: OcspResponder
    ticks: list[float] = field(default_factory=lambda: [0.0])

    @property
    def issuer(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.authority.certificate_pem.encode())

    def ask(
        self,
        certificate: x509.Certificate,
        *,
        algorithm: Any = None,
        nonce: bytes | None = None,
        by: OcspResponder | None = None,
    ) -> ocsp.OCSPResponse:
        """The parsed answer, its signature and its signer's certificate verified."""
        return self.read(self.answer(certificate, algorithm=algorithm, nonce=nonce, by=by))

    def answer(
        self,
        certificate: x509.Certificate,
        *,
        algorithm: Any = None,
        nonce: bytes | None = None,
        by: OcspResponder | None = None,
    ) -> OcspAnswer:
        builder = ocsp.OCSPRequestBuilder().add_certificate(
            certificate, self.issuer, algorithm or hashes.SHA1()
        )
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return (by or self.responder).answer(self.authority.id, octets(builder.build()))

    def read(self, answer: OcspAnswer) -> ocsp.OCSPResponse:
        response = ocsp.load_der_ocsp_response(answer.body)
        assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
        (signer,) = response.certificates
        signer.verify_directly_issued_by(self.issuer)
        key = signer.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
        identifier = x509.SubjectKeyIdentifier.from_public_key(key)
        assert response.responder_key_hash == identifier.digest
        return response

    def leaf(self, issued: Issued | None = None) -> x509.Certificate:
        issued = issued or self.world.issue(self.authority.arn)
        return x509.load_pem_x509_certificate(issued.certificate_pem.encode())

    def revoke(self, certificate: x509.Certificate, reason: str = "KEY_COMPROMISE") -> None:
        self.world.service().revoke(self.authority.arn, f"{certificate.serial_number:x}", reason)
        time.sleep(self.world.store.staleness)

    def configure(self, change: Callable[[AuthorityRow], None]) -> None:
        """Change the authority's row as the API does: with its generation."""
        configure(self.world, self.authority.id, change)
        time.sleep(self.world.store.staleness)

    def worker(self) -> OcspResponder:
        return responder(self.world, self.ticks)


def responder(world: World, ticks: list[float]) -> OcspResponder:
    def signer(scope: Scope, authority_id: str) -> SignerRow:
        return world.service(scope).ocsp_signer(authority_id)

    return OcspResponder(
        world.unit(SYSTEM),
        world.core,
        signer,
        generation=world.store.generation,
        now=world.now,
        monotonic=lambda: ticks[0],
    )


def configure(
    world: World, authority_id: str, change: Callable[[AuthorityRow], None], scope: Scope = HERE
) -> None:
    def body(session: Any) -> None:
        row = session.exec(select(AuthorityRow).where(AuthorityRow.id == authority_id)).one()
        change(row)
        session.add(row)
        bump(session, generation_of(authority_id))

    world.unit(scope).write(body)


def with_ocsp(row: AuthorityRow) -> None:
    row.revocation = ON


def without_ocsp(row: AuthorityRow) -> None:
    row.revocation = OFF


def octets(request: ocsp.OCSPRequest) -> bytes:

    return request.public_bytes(Encoding.DER)


def by_serial(client: Asking, serial: int) -> bytes:
    """A request about any serial number of the authority's."""
    issuer = client.issuer
    name = hashlib.sha1(issuer.subject.public_bytes(), usedforsecurity=False).digest()
    key = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key()).digest
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(name, key, serial, hashes.SHA1())
    return octets(builder.build())


def joined(*requests: bytes) -> bytes:
    """One request about the certificates of all."""
    listed = b""
    for request in requests:
        (to_be_signed,) = inside(request)
        (single_list,) = inside(to_be_signed)
        listed += b"".join(inside(single_list))
    return der.element(0x30, der.element(0x30, der.element(0x30, listed)))


def inside(element: bytes) -> list[bytes]:
    """The elements of a constructed one, each whole."""
    _, start, _ = der.header(element, 0, len(element))
    return list(der.split(element[start:]))


def asking(world: World) -> Asking:
    root, authority = world.service().init()
    for each in (root, authority):
        configure(world, each.id, with_ocsp)
    ticks = [0.0]
    return Asking(world, authority, root, responder(world, ticks), ticks)


@pytest.fixture
def client(quick_world: World) -> Asking:
    """On SQLite."""
    return asking(quick_world)


@pytest.fixture
def any_client(world: World) -> Asking:
    """On SQLite and on PostgreSQL."""
    return asking(world)


@pytest.fixture(scope="package")
def shared_client(tmp_path_factory: pytest.TempPathFactory, running_core: RunningCore) -> Iterator[Asking]:
    """On SQLite, for tests that neither move the clock nor change the authority."""
    import_tables()
    with (
        closing(Store.open(f"sqlite:///{tmp_path_factory.mktemp('ocsp')}/keystead.db", wall=wall)) as store,
        closing(running_core.client()) as core,
    ):
        store.create_all_for_tests()
        yield asking(World(store, core, running_core.trail))
