"""Putting what happened on its way into the log, in the transaction in which it happens: one row, no commit of its own."""

from typing import Final

from cryptography import x509
from sqlmodel import Session

from ca.log import entries
from ca.log.tables import PendingRow
from foundation.store import Add, rows_of
from kms.hsm import leaf_hash

_PUT: Final = Add(PendingRow, ("leaf", "entry"), unless_there=True)


def log_issued(session: Session, issuer_key: bytes, serial: str, tbs: bytes) -> None:
    """The serial number is given out by the key (SPKI, DER) for these to-be-signed bytes."""
    _put(session, entries.issued(issuer_key, serial, tbs))


def log_brought(session: Session, issuer_key: bytes, certificate: bytes) -> None:
    """A certificate (DER) that was issued elsewhere, by a CA that is here from now on."""
    read = x509.load_der_x509_certificate(certificate)
    _put(session, entries.entry_of(read, issuer_key))


def log_revoked(session: Session, issuer_key: bytes, serial: str, reason: str) -> None:
    """The serial number is revoked. reason: a key of `ca.states.REVOCATION_REASONS`."""
    _put(session, entries.revoked(issuer_key, serial, reason))


def _put(session: Session, entry: bytes) -> None:
    rows_of(session).run(_PUT, {"leaf": leaf_hash(entry), "entry": entry})
