"""What goes into the CA and what comes out of it: orders, issued certificates, views of authorities."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class CaSettings:
    """The CA's own choices, each with the clause or the habit behind it."""

    root_validity: timedelta = timedelta(days=3652)  # ten years
    subordinate_validity: timedelta = timedelta(days=1826)  # five years
    key_spec: str = "EC_prime256v1"  # of hierarchies that keystead makes unasked
    backdate: timedelta = timedelta(minutes=60)  # TRAPS 33: clients' clocks run late
    crl_validity: timedelta = timedelta(days=7)  # ten days at most (SECURITY 2.10); republished at half of it
    max_names: int = 100  # SECURITY 2.9
    public_url: str = (
        "http://127.0.0.1:8750"  # of this service, as certificates name it; without a trailing slash
    )
    # A keystead hierarchy with less left than this gets a successor: the longest server certificate must still fit.
    succession: timedelta = timedelta(days=825)


@dataclass(frozen=True, slots=True)
class IssueOrder:
    """One server certificate, asked for once.

    `public_key` is a SubjectPublicKeyInfo in DER. `names` are DNS names in their normal form (`validation.normalise_domain`);
    the first becomes the CN if it fits. `valid_for` counts from now. `claim` is the caller's own unique text for this
    certificate (an ARN and a period, say): the same claim always gives the same certificate, also after a crash.
    `not_before` replaces now minus the backdate; it never reaches before the issuer's. `by_service` is the AWS service that
    asks by itself ("acm.amazonaws.com", for a renewal): then its permission on the authority, or for another account's
    authority the resource policy, decides (`ca.service_use`); nobody else is asked about.
    """

    authority_arn: str
    public_key: bytes = field(repr=False)
    names: tuple[str, ...]
    valid_for: timedelta
    claim: str
    not_before: datetime | None = None
    by_service: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that exists. `serial` is lower-case hex; `chain_pem` is issuer first, root last, without the leaf."""

    arn: str
    serial: str
    certificate_pem: str
    chain_pem: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Beside:
    """What the caller of `CaService.issue` writes in the CA's own two commits, so that its rows and the CA's never part.

    Both run in write phases of the order's authority (see `Unit.write`: they may be repeated), and what they raise undoes
    the commit and passes through. `intent` runs with the intent, if this call makes it; `result` with the certificate.
    """

    intent: Callable[[Session], None]
    result: Callable[[Session, Issued], None]


@dataclass(frozen=True, slots=True)
class AuthorityView:
    """A certificate authority as others may see it. `chain_pem` is empty for a root and excludes the certificate itself."""

    arn: str
    id: str
    kind: str  # "ROOT" | "SUBORDINATE"
    status: str  # a state of ca.states.AUTHORITY_STATES
    key_spec: str
    subject: str  # RFC 4514
    parent_arn: str | None
    serial: str
    certificate_pem: str
    chain_pem: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class JudgedCsr:
    """A signing request that passed: its key (SPKI, DER), its names in normal form, CN first, and its key's spec."""

    public_key: bytes = field(repr=False)
    names: tuple[str, ...]
    spec: str
