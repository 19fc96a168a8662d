"""Which names a certificate is asked for, and the domain whose CNAME proves each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from acm.errors import InvalidDomainValidationOptions, InvalidParameter, LimitExceeded
from validation import BadName, normalise_domain, without_wildcard

COMMON_NAME_LIMIT = 64  # ub-common-name, RFC 5280 appendix A.1; RequestCertificate's DomainName
RECORD_LABEL = 34  # "_" + 32 hex digits + "." in front of the domain
NAME_LIMIT = 253  # a name in DNS, without the final dot


@dataclass(frozen=True, slots=True)
class RequestedName:
    """One name of a request. `record_domain` is where its CNAME stands: apex and wildcard share it."""

    name: str
    record_domain: str
    validation_domain: str


def requested_names(
    domain_name: str,
    alternative_names: Iterable[str] = (),
    validation_options: Sequence[Mapping[str, str]] = (),
    *,
    limit: int,
    proven_by_dns: bool,
    common_name: bool = True,
) -> tuple[RequestedName, ...]:
    """Normalise a request's names: the domain name first, then the others in order, each once.

    `common_name` keeps the first name within the 64 characters of a common name (RequestCertificate's rule).
    Raises InvalidParameter (a name that cannot be), LimitExceeded (more than `limit` names), and
    InvalidDomainValidationOptions.
    """
    names = tuple(dict.fromkeys(normalise(name) for name in (domain_name, *alternative_names)))
    if common_name and len(names[0]) > COMMON_NAME_LIMIT:
        raise InvalidParameter(
            f"DomainName is longer than {COMMON_NAME_LIMIT} characters: {names[0]}; "
            "put a shorter name first and this one into SubjectAlternativeNames"
        )
    if len(names) > limit:
        raise LimitExceeded(f"A certificate may have {limit} names; this request has {len(names)}")
    if proven_by_dns:
        _refuse_names_without_room_for_a_record(names)
    validation_domains = _validation_domains(names, validation_options)
    return tuple(
        RequestedName(name, record_domain(name), validation_domains.get(name, name)) for name in names
    )


def normalise(name: str) -> str:
    """One name in its only form (lower case, A-labels); raise InvalidParameter when it cannot be one."""
    try:
        normal = normalise_domain(name)
    except BadName as bad:
        raise InvalidParameter(bad.detail) from bad
    if "." not in record_domain(normal):
        raise InvalidParameter(f"{normal} is not a fully qualified domain name: it has only one label")
    return normal


def record_domain(name: str) -> str:
    """The domain that proves a name: *.example.com is proven by example.com's record."""
    return without_wildcard(name)


def _refuse_names_without_room_for_a_record(names: Iterable[str]) -> None:
    for name in names:
        if len(record_domain(name)) + RECORD_LABEL > NAME_LIMIT:
            raise InvalidParameter(
                f"{name} is too long to be proven by DNS: its validation record would exceed "
                f"{NAME_LIMIT} characters"
            )


def _validation_domains(names: Sequence[str], options: Sequence[Mapping[str, str]]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for option in options:
        name = _option_name(option["DomainName"])
        domain = _option_name(option["ValidationDomain"])
        if name not in names:
            raise InvalidDomainValidationOptions(f"{name} is not a domain name of this request")
        if name in chosen:
            raise InvalidDomainValidationOptions(f"{name} has more than one DomainValidationOption")
        if domain != name and not f".{name}".endswith(f".{domain}"):
            raise InvalidDomainValidationOptions(f"{domain} is neither {name} nor a superdomain of it")
        chosen[name] = domain
    return chosen


def _option_name(name: str) -> str:
    try:
        return normalise_domain(name)
    except BadName as bad:
        raise InvalidDomainValidationOptions(bad.detail) from bad
