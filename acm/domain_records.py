"""The CNAME of each domain: drawn once per account, the same in every Region and for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from acm.tables import DomainRecord

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SUBDOMAIN_LETTERS = 10


@dataclass(frozen=True, slots=True)
class Drawn:
    """Random values for one record, drawn before the write phase so that the phase can be repeated."""

    label: str
    target: str


def draw(entropy: Callable[[int], bytes]) -> Drawn:
    """Draw a label and target of the form that ACM documents; nothing is derived from the domain."""
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in entropy(_SUBDOMAIN_LETTERS))
    return Drawn(f"_{entropy(16).hex()}", f"_{entropy(16).hex()}.{letters}.acm-validations.aws.")


def record_name(record: DomainRecord) -> str:
    """The owner name of a domain's CNAME, with its final dot."""
    return f"{record.label}.{record.domain}."


def records_of(session: Session, domains: Iterable[str]) -> dict[str, DomainRecord]:
    """The account's records for these domains, by domain; those that have none are left out."""
    found = session.exec(select(DomainRecord).where(col(DomainRecord.domain).in_(sorted(set(domains)))))
    return {record.domain: record for record in found}


def keep_records(
    session: Session, account: str, drawn: Mapping[str, Drawn], now: datetime
) -> dict[str, DomainRecord]:
    """Return each domain's record, storing the drawn one where the account has none yet.

    Two callers at once: the primary key lets one in and the other's write raises store.Duplicate, to be
    repeated; it then finds the winner's record.
    """
    records = records_of(session, drawn)
    for domain, values in drawn.items():
        if domain not in records:
            records[domain] = DomainRecord(
                account=account, domain=domain, label=values.label, target=values.target, created_at=now
            )
            session.add(records[domain])
    return records
