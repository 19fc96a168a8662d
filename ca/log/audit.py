"""Holding the database to the log: every certificate and revocation that is stored is in it, and nothing else is."""

from dataclasses import dataclass

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from ca import der
from ca.log import entries
from ca.log.notes import Verifier
from ca.log.serving import PublicLog
from ca.log.tables import PendingRow, TileRow
from ca.log.tiles import ENTRIES, WIDTH, entries_in
from ca.log.verification import LogBroken, ReadLog, read_log
from ca.tables import AuthorityRow, CertificateRow, PlaceRow, RevocationRow
from foundation.store import Scope, Unit
from kms.hsm import leaf_hash

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Audit:
    """What was compared. `waiting` entries are committed and have no place in the signed tree yet."""

    log: ReadLog
    certificates: int
    revocations: int
    waiting: int


def audit(unit: Unit, name: str, verifier: Verifier) -> Audit:
    """Read the log in the database through, and hold what is stored to it. `unit` is of the SYSTEM scope.

    Raises LogBroken; for what is stored and not in the log, and for what the log has and the database has lost. What is
    issued meanwhile confuses nothing: whatever is stored waits, or has its place, at every moment after.
    """
    public = PublicLog(unit)

    def files(path: str) -> bytes | None:
        found = public.file(f"{name}/{path}")
        return None if found is None else found.body

    log = read_log(files, verifier)
    certificates, revocations = _stored(unit)
    for leaf, index in log.leaves.items():
        if leaf not in certificates and leaf not in revocations:
            entry = log.entries[index]
            raise LogBroken(
                f"the database has lost what entry {index} is about: serial number {entry.serial} was {entry.type}"
            )
    missing = {leaf: what for leaf, what in (certificates | revocations).items() if leaf not in log.leaves}
    for leaf in _waiting(unit) | _sequenced_since(
        unit, log.checkpoint.size
    ):  # in this order: entries move that way
        missing.pop(leaf, None)
    if missing:
        raise LogBroken(
            f"what is stored is not in the log: {len(missing)} entries, among them that of {next(iter(missing.values()))}"
        )
    covered = sum(leaf in log.leaves for leaf in (*certificates, *revocations))
    return Audit(log, len(certificates), len(revocations), len(certificates) + len(revocations) - covered)


def _stored(unit: Unit) -> tuple[dict[bytes, str], dict[bytes, str]]:
    """Leaf hash → serial number, of every certificate and of every revocation of every account."""
    with unit.read() as session:
        places = {Scope(place.account, place.region) for place in session.exec(select(PlaceRow)).all()}
    certificates: dict[bytes, str] = {}
    revocations: dict[bytes, str] = {}
    for scope in sorted(places, key=lambda scope: (scope.account, scope.region)):
        with unit.at(scope, because="the log is held against every account's certificates").read() as session:
            certificates |= _certificates(session)
            revocations |= _revocations(session)
    return certificates, revocations


def _certificates(session: Session) -> dict[bytes, str]:
    rows = sql_select(
        col(AuthorityRow.public_key),
        col(CertificateRow.serial),
        col(CertificateRow.tbs),
        col(CertificateRow.certificate),
    ).join(CertificateRow, col(CertificateRow.authority_id) == col(AuthorityRow.id))
    found = session.execute(rows.execution_options(yield_per=_AT_ONCE))
    return {
        leaf_hash(
            entries.issued(key, serial, tbs if certificate is None else der.to_be_signed(certificate))
        ): serial
        for key, serial, tbs, certificate in found
    }


def _revocations(session: Session) -> dict[bytes, str]:
    rows = sql_select(
        col(AuthorityRow.public_key), col(RevocationRow.serial), col(RevocationRow.reason)
    ).join(RevocationRow, col(RevocationRow.authority_id) == col(AuthorityRow.id))
    found = session.execute(rows.execution_options(yield_per=_AT_ONCE))
    return {leaf_hash(entries.revoked(key, serial, reason)): serial for key, serial, reason in found}


def _waiting(unit: Unit) -> set[bytes]:
    with unit.read() as session:
        return set(session.exec(select(PendingRow.leaf)).all())


def _sequenced_since(unit: Unit, size: int) -> set[bytes]:
    """Leaf hashes of entries that the checkpoint of that size does not cover yet."""
    late = select(TileRow).where(TileRow.level == ENTRIES, TileRow.number >= size // WIDTH)
    with unit.read() as session:
        bundles = session.exec(late).all()
    return {leaf_hash(entry) for bundle in bundles for entry in entries_in(bundle.content)}
