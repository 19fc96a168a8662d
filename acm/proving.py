"""Asking the DNS whether names are proven: one round of lookups, bounded in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from acm.domain_records import record_name
from acm.ports import Prover
from acm.states import DomainStatus
from acm.tables import CertificateDomain, DomainRecord
from validation import CaaForbids, Dns, ValidationFailed, check_caa, prove_cname

# When the last lookup of a round may start. It and its CAA lookup take 20 s each at most (SECURITY 2.8), and all
# of it must end within the lease of a job (60 s). Names left over come first in the next round.
ROUND_SECONDS = 10.0


class DnsProver:
    """The Prover of the product: CNAMEs and CAA (RFC 8659) by the configured resolvers.

    `issuers` are the CAA issuer domain names that this CA answers to; None: CAA is not looked at.
    """

    def __init__(self, dns: Dns, issuers: Sequence[str] | None) -> None:
        self._dns = dns
        self._issuers = issuers

    def prove(self, name: str, value: str) -> None:
        """See Prover."""
        prove_cname(self._dns, name, value)

    def allow(self, domain: str, *, wildcard: bool) -> None:
        """See Prover."""
        if self._issuers is not None:
            check_caa(self._dns, domain, self._issuers, wildcard)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a lookup said about one name. FAILED means that CAA forbids: asking again would not help."""

    status: DomainStatus
    detail: str | None
    at: datetime


class Round:
    """One round of lookups. The CNAME that apex and wildcard share is looked up once."""

    def __init__(self, prover: Prover, now: Callable[[], datetime], seconds: float = ROUND_SECONDS) -> None:
        self._prover = prover
        self._now = now
        self._end = monotonic() + seconds
        self._cnames: dict[str, str | None] = {}

    def examine(
        self, domains: Iterable[CertificateDomain], records: Mapping[str, DomainRecord]
    ) -> dict[int, Finding]:
        """Look up these names, longest unchecked first; what the time does not suffice for is left out."""
        found: dict[int, Finding] = {}
        for domain in sorted(domains, key=_longest_unchecked):
            if monotonic() >= self._end:
                break
            found[domain.position] = self._examine(domain, records[domain.record_domain])
        return found

    def _examine(self, domain: CertificateDomain, record: DomainRecord) -> Finding:
        detail = self._cname(record)
        if detail is not None:
            return Finding(DomainStatus.PENDING_VALIDATION, detail, self._now())
        try:
            self._prover.allow(domain.record_domain, wildcard=domain.name.startswith("*."))
        except CaaForbids as forbidden:
            # An answer that could not be had forbids for now only.
            status = DomainStatus.PENDING_VALIDATION if forbidden.transient else DomainStatus.FAILED
            return Finding(status, forbidden.detail, self._now())
        except ValidationFailed as failed:
            return Finding(DomainStatus.PENDING_VALIDATION, failed.detail, self._now())
        return Finding(DomainStatus.SUCCESS, None, self._now())

    def _cname(self, record: DomainRecord) -> str | None:
        if record.domain not in self._cnames:
            try:
                self._prover.prove(record_name(record), record.target)
            except ValidationFailed as failed:
                self._cnames[record.domain] = failed.detail
            else:
                self._cnames[record.domain] = None
        return self._cnames[record.domain]


def _longest_unchecked(domain: CertificateDomain) -> tuple[str, int]:
    checked = domain.checked_at
    return ("" if checked is None else checked.isoformat(timespec="microseconds"), domain.position)
