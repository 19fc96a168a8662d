"""Authorities in memory: what issuing and asking need of them, read once until something of it changes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from sqlmodel import Session, select

from ca import der
from ca.errors import AuthorityNotFound
from ca.tables import AuthorityRow, ConfigurationRow
from foundation.store import Scope, Unit

GENERATION: Final = AuthorityRow.cached_under
_SIZE: Final = 4096


@dataclass(frozen=True, slots=True)
class KnownAuthority:
    """An authority's rows, never to be changed or put in a session; its counters may be old.

    `configuration` is None for an authority that the API has not changed. `above` are the CAs above it, parent first.
    """

    row: AuthorityRow
    configuration: ConfigurationRow | None
    certificate: x509.Certificate | None
    above: tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class _Generation:
    """What is known at one generation. Replaced whole, never emptied: a late writer fills one that nobody reads."""

    number: int
    authorities: dict[tuple[Scope, str], KnownAuthority] = field(default_factory=dict)


class KnownAuthorities:
    """Thread-safe; one for a process. `generation` answers how often anything of any authority has changed.

    Without it nothing is remembered, and each `find` reads the rows.
    """

    def __init__(self, generation: Callable[[str], int] | None = None) -> None:
        self._generation = generation
        self._known = _Generation(-1)
        self._filling = threading.Lock()
        self.spans: dict[Scope, int] = {}
        """See `ca.finishing`."""

    def find(self, unit: Unit, authority_id: str) -> KnownAuthority:
        """The authority of that id in the unit's account and Region. Raises AuthorityNotFound, which is not remembered."""
        if self._generation is None:
            return _read(unit, authority_id)
        number = self._generation(
            GENERATION
        )  # before the rows: they may be newer than their label, never older
        known = self._known
        if number > known.number:
            known = self._known = _Generation(number)
        key = (unit.scope, authority_id)
        found = known.authorities.get(key)
        if found is None:
            found = _read(unit, authority_id)
            with self._filling:
                if len(known.authorities) >= _SIZE:
                    del known.authorities[next(iter(known.authorities))]
                known.authorities[key] = found
        return found


def known_authority(session: Session, authority_id: str) -> KnownAuthority:
    """The same from rows of now. Raises AuthorityNotFound."""
    row = session.exec(select(AuthorityRow).where(AuthorityRow.id == authority_id)).one_or_none()
    if row is None:
        raise AuthorityNotFound(f"no certificate authority {authority_id} in this account and Region")
    mine = select(ConfigurationRow).where(ConfigurationRow.authority_id == authority_id)
    configuration = session.exec(mine).one_or_none()
    certificate = None if row.certificate is None else x509.load_der_x509_certificate(row.certificate)
    above = tuple(x509.load_der_x509_certificate(each) for each in der.split(row.chain or b""))
    return KnownAuthority(row, configuration, certificate, above)


def _read(unit: Unit, authority_id: str) -> KnownAuthority:
    with unit.read() as session:
        return known_authority(session, authority_id)
