"""Certification Authority Authorization: whose certificates a domain's owner allows (RFC 8659)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.CAA import CAA

from validation.errors import CaaForbids, DnsFailed, Kind
from validation.lookup import Lookups
from validation.names import normalise_domain, parents, without_wildcard

CRITICAL = 0x80
# Properties that are understood, though only `issue` and `issuewild` say anything about server certificates:
# iodef (RFC 8659), contactemail and contactphone (CA/B Forum), issuemail (RFC 9495), issuevmc (BIMI).
KNOWN_TAGS = frozenset(
    {"issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"}
)
_ISSUER = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_PARAMETER = re.compile(r"[ \t]*([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*=[ \t]*([!-:<-~]*)[ \t]*")


@dataclass(frozen=True, slots=True)
class CaaPermit:
    """Issuance is allowed. `at` is where the relevant records stand, None when the tree holds none."""

    domain: str
    at: str | None
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Issue:
    """The value of an `issue` or `issuewild` property; issuer None when it names nobody, or cannot be read."""

    issuer: str | None
    parameters: dict[str, str]


def check_caa(
    dns: Lookups,
    domain: str,
    issuers: Sequence[str],
    wildcard: bool = False,
    *,
    method: str | None = None,
    account_uri: str | None = None,
) -> CaaPermit:
    """Return why one of `issuers` may issue for `domain`, or raise CaaForbids.

    The tree is climbed from `domain` to the top-level domain; the first name with CAA records decides, aliases
    followed. For a wildcard `issuewild` outranks `issue`. A critical property that is not understood forbids,
    and so does any failure to get an answer. `validationmethods` and `accounturi` (RFC 8657) bind: a record that
    has one authorises only the `method` or `account_uri` given; other parameters are the issuer's business and
    ignored. `domain` may be written as a wildcard.
    """
    name = normalise_domain(domain)
    wildcard = wildcard or name != without_wildcard(name)
    at, records = _relevant(dns, without_wildcard(name), domain)
    if at is None:
        return CaaPermit(name, None, ())
    parsed = [_parse(record) for record in records]
    for record in parsed:
        if record.flags & CRITICAL and _tag(record) not in KNOWN_TAGS:
            raise CaaForbids(Kind.CAA_CRITICAL, at=at, tag=_tag(record), name=name)
    wild = [record for record in parsed if _tag(record) == "issuewild"]
    rules = wild if wildcard and wild else [record for record in parsed if _tag(record) == "issue"]
    wanted = {issuer.lower().removesuffix(".") for issuer in issuers}
    allowed = (_binds_us(_issue(record.value), wanted, method, account_uri) for record in rules)
    if rules and not any(allowed):
        raise CaaForbids(
            Kind.CAA_FORBIDS, at=at, issuers=" or ".join(issuers), name=name, records=_shown(records)
        )
    return CaaPermit(name, at, records)


def _relevant(dns: Lookups, base: str, domain: str) -> tuple[str | None, tuple[str, ...]]:
    """The Relevant Resource Record Set and where it stands (RFC 8659 section 3)."""
    deadline = dns.deadline()
    for name in parents(base):
        try:
            records = dns.lookup(name, "CAA", deadline).records
        except DnsFailed as error:
            raise CaaForbids(Kind.CAA_UNKNOWN, name=domain, why=error.detail) from error
        if records:
            return name, records
    return None, ()


def _parse(record: str) -> CAA:
    parsed = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.CAA, record)
    assert isinstance(parsed, CAA)
    return parsed


def _tag(record: CAA) -> str:
    return record.tag.decode("ascii", "backslashreplace").lower()


def _issue(value: bytes) -> _Issue:
    """Read `issuer; name=value; …` (RFC 8659 section 4.2). What does not parse names nobody, so it forbids."""
    nobody = _Issue(None, {})
    if not value.isascii():
        return nobody
    issuer, *rest = value.decode("ascii").split(";")
    issuer = issuer.strip(" \t").lower()
    parameters: dict[str, str] = {}
    for part in rest:
        match = _PARAMETER.fullmatch(part)
        if match is None:
            if part.strip(" \t"):
                return nobody
            continue
        parameters[match[1].lower()] = match[2]
    return _Issue(issuer, parameters) if _ISSUER.fullmatch(issuer) else nobody


def _binds_us(issue: _Issue, wanted: set[str], method: str | None, account_uri: str | None) -> bool:
    if issue.issuer is None or issue.issuer not in wanted:
        return False
    methods = issue.parameters.get("validationmethods")
    if methods is not None and method not in [item.strip().lower() for item in methods.split(",")]:
        return False
    account = issue.parameters.get("accounturi")
    return account is None or account == account_uri


def _shown(records: Iterable[str]) -> str:
    shown = "; ".join(records)
    return shown if len(shown) <= 300 else f"{shown[:297]}..."
