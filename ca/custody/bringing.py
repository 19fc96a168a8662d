"""Bringing in a CA that was made elsewhere: judged, then its key sealed in the core, then a row as of any authority.

Two steps, with nothing kept in between. `begin` judges the certificate and has the core make a wrapping key; the operator
wraps the private key with it (RSA-OAEP and AES key wrap); `finish` judges again, hands the wrapped key to the core, and
holds what the core unwrapped against the certificate. No process but the operator's own and the core sees the key.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from sqlmodel import Session, col, select

from ca.authorities import place_of
from ca.certificates import keep_compromised
from ca.custody.candidates import Candidate, judge_candidate
from ca.custody.foreign_crl import ForeignCrl, read_crl
from ca.custody.work import Work
from ca.errors import OrderRefused
from ca.locations import COMPLETE
from ca.log.pending import log_brought, log_revoked
from ca.revocation_settings import OWN
from ca.shards import open_shards
from ca.signing import key_label
from ca.states import COMPROMISES
from ca.tables import AuthorityRow, CertificateRow, PlaceRow, RevocationRow

EXTERNAL: Final = "EXTERNAL"
WRAPPING_SPEC: Final = "RSA_2048"
PROFILE: Final = "imported"  # of certificates that the CA issued before it came here
_MOST_ISSUED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Offer:
    """What the operator brings, but for the key. `crl` None: the CA never published one. PEM, or DER."""

    certificate: bytes
    chain: bytes = b""
    crl: bytes | None = None
    issued: bytes = b""  # PEM: certificates of its making, so that they can be revoked here


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How the private key (PKCS#8, DER) is to come: wrapped by `public_key` (SPKI, DER) as KMS's `algorithm` says."""

    authority_id: str
    token: bytes
    public_key: bytes
    algorithm: str


@dataclass(frozen=True, slots=True)
class Judged:
    """An offer that holds together."""

    candidate: Candidate
    crl: ForeignCrl | None
    issued: tuple[x509.Certificate, ...]


class Bringing:
    """Brings CAs into one account and Region."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def begin(self, offer: Offer) -> Wrapping:
        """Judge the offer; a wrapping key for the CA's own. Raises OrderRefused, BadKey and the core's errors."""
        judged = self._judge(offer)
        row = self._row(judged, str(uuid.UUID(bytes=self._work.entropy(16), version=4)))
        ml_dsa = judged.candidate.spec.startswith("ML_DSA")  # a seed, which fits into the RSA block
        algorithm = "RSAES_OAEP_SHA_256" if ml_dsa else "RSA_AES_KEY_WRAP_SHA_256"
        made = self._work.core.import_parameters(key_label(row), self._work.asker, algorithm, WRAPPING_SPEC)
        return Wrapping(row.id, made.token, made.public_key, algorithm)

    def finish(self, offer: Offer, authority_id: str, token: bytes, wrapped: bytes) -> AuthorityRow:
        """Take the key in; the authority, ACTIVE. Raises OrderRefused, BadKey and the core's errors."""
        judged = self._judge(offer)
        row = self._row(judged, authority_id)
        key = self._work.core.import_material(token, key_label(row), self._work.asker, wrapped)
        if key.public_key != judged.candidate.public_key:
            raise OrderRefused(
                "the private key is not that of the certificate: the two do not belong together"
            )
        values = row.model_dump() | {"key_token": key.token}
        rows: list[RevocationRow | CertificateRow] = [*_revocations(row, judged.crl)]
        rows += _certificates(row, judged)

        def body(session: Session) -> AuthorityRow:
            kept = AuthorityRow(**values)
            kept.parent_id = _parent(session, judged.candidate)
            session.add_all((kept, place_of(kept), *(type(each)(**each.model_dump()) for each in rows)))
            for each in rows:
                _log(session, kept.public_key, each)
            for tbs in _compromised(judged):
                keep_compromised(session, tbs)
            _adopt(session, kept)
            open_shards(session, kept, self._work.issuance.pointing, self._work.now())
            return kept

        return self._work.unit.write(body)

    def _judge(self, offer: Offer) -> Judged:
        now = self._work.now()
        candidate = judge_candidate(offer.certificate, offer.chain, now)
        crl = None if offer.crl is None else read_crl(offer.crl, candidate)
        issued = _issued(offer.issued, candidate) if offer.issued.strip() else ()
        self._check_new(candidate)
        return Judged(candidate, crl, issued)

    def _check_new(self, candidate: Candidate) -> None:
        digest = hashlib.sha256(candidate.public_key).digest()
        with self._work.unit.read() as session:
            known = session.exec(select(PlaceRow).where(PlaceRow.key_digest == digest)).first()
        if known is not None:
            raise OrderRefused(
                f"this key is here already: it is that of authority {known.authority_id} of account {known.account}"
            )

    def _row(self, judged: Judged, authority_id: str) -> AuthorityRow:
        candidate, now = judged.candidate, self._work.now()
        return AuthorityRow(
            account=self._work.unit.scope.account,
            region=self._work.unit.scope.region,
            id=authority_id,
            role=None,
            kind="ROOT" if candidate.root else "SUBORDINATE",
            status="ACTIVE",
            parent_id=None,
            key_spec=candidate.spec,
            key_token=b"",
            public_key=candidate.public_key,
            subject=candidate.certificate.subject.public_bytes(),
            serial=f"{candidate.certificate.serial_number:x}",
            certificate=candidate.der,
            chain=candidate.chain,
            not_before=candidate.certificate.not_valid_before_utc,
            not_after=candidate.certificate.not_valid_after_utc,
            created_at=now,
            key_origin=EXTERNAL,
            revocations=0 if judged.crl is None else len(judged.crl.entries),
            crl_number=_first_number(judged.crl, now),
            revocation=OWN,
        )


def _first_number(crl: ForeignCrl | None, now: datetime) -> int:
    """The number that the next CRL exceeds. Without a CRL to go by, seconds since 1970: more than anybody counted to."""
    return int(now.timestamp()) if crl is None else crl.number


def _revocations(row: AuthorityRow, crl: ForeignCrl | None) -> list[RevocationRow]:
    """Until when its certificate lives, an entry does not say: it stays as long as the CA does."""
    assert row.not_after is not None
    return [
        RevocationRow(
            account=row.account,
            region=row.region,
            authority_id=row.id,
            serial=entry.serial,
            reason=entry.reason,
            revoked_at=entry.revoked_at,
            not_after=row.not_after,
            shard=COMPLETE,
            ordinal=ordinal,
        )
        for ordinal, entry in enumerate(() if crl is None else crl.entries, start=1)
    ]


def _certificates(row: AuthorityRow, judged: Judged) -> list[CertificateRow]:
    revoked = set() if judged.crl is None else {entry.serial for entry in judged.crl.entries}
    return [
        CertificateRow(
            account=row.account,
            region=row.region,
            authority_id=row.id,
            serial=(serial := f"{each.serial_number:x}"),
            claim=f"{PROFILE}/{row.id}/{serial}",
            order_digest=b"",
            profile=PROFILE,
            status="REVOKED" if serial in revoked else "ISSUED",
            tbs=None,
            certificate=each.public_bytes(Encoding.DER),
            not_before=each.not_valid_before_utc,
            not_after=each.not_valid_after_utc,
            created_at=row.created_at,
            shard=COMPLETE,
        )
        for each in judged.issued
    ]


def _log(session: Session, issuer_key: bytes, row: RevocationRow | CertificateRow) -> None:
    """What its former keeper told of is in the log from now on."""
    if isinstance(row, RevocationRow):
        log_revoked(session, issuer_key, row.serial, row.reason)
    elif row.certificate is not None:
        log_brought(session, issuer_key, row.certificate)


def _compromised(judged: Judged) -> list[bytes]:
    """To-be-signed bytes of what was issued and revoked for compromise, as far as its former keeper told of it."""
    entries = () if judged.crl is None else judged.crl.entries
    serials = {entry.serial for entry in entries if entry.reason in COMPROMISES}
    return [each.tbs_certificate_bytes for each in judged.issued if f"{each.serial_number:x}" in serials]


def _issued(data: bytes, candidate: Candidate) -> tuple[x509.Certificate, ...]:
    """Each one signed by the candidate, and none twice. Raises OrderRefused."""
    try:
        found = x509.load_pem_x509_certificates(data)
        for each in found:
            each.verify_directly_issued_by(candidate.certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise OrderRefused(
            f"not every certificate of --issued can be read and is of this CA: {error}"
        ) from error
    if len(found) > _MOST_ISSUED:
        raise OrderRefused(f"--issued holds {len(found)} certificates; {_MOST_ISSUED} is the most")
    return tuple({each.serial_number: each for each in found}.values())


def _parent(session: Session, candidate: Candidate) -> str | None:
    """The authority of this account that signed it, if it is here."""
    if candidate.root:
        return None
    above = candidate.above[0].public_bytes(Encoding.DER)
    return session.exec(select(AuthorityRow.id).where(AuthorityRow.certificate == above)).first()


def _adopt(session: Session, row: AuthorityRow) -> None:
    """Authorities of this account that came before the one that signed them are now below it."""
    orphans = select(AuthorityRow).where(
        AuthorityRow.kind == "SUBORDINATE", col(AuthorityRow.parent_id).is_(None)
    )
    for orphan in session.exec(orphans).all():
        if orphan.id != row.id and (orphan.chain or b"").startswith(row.certificate or b"-"):
            orphan.parent_id = row.id
            session.add(orphan)
