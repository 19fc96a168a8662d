"""A whole ACM on a store of the test's choice: a clock to move, a DNS to fill, a CA that signs, jobs to run."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from acm import AcmService, AcmSettings, JobContext, jobs
from acm.views import CertificateView, DomainView
from ca import Beside, CaService, CaSettings, Issued, IssueOrder
from foundation.identity import ADMINISTRATOR_ACCESS, Call, Principal
from foundation.store import Claim, Scope, Store, Unit
from foundation.wire import BadToken
from kms.hsm import Asker, CoreClient, GeneratedKey, KeyLabel
from validation import CaaForbids, Kind, ValidationFailed

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ACCOUNT = "111122223333"
REGION = "eu-central-1"
LEASE = timedelta(minutes=2)


class Crash(BaseException):
    """The process dies here: nothing after this line runs, and no handler of errors sees it."""


@dataclass
class Zone:
    """The DNS as ACM asks it (Prover), and as keystead publishes into it (RecordPublisher)."""

    records: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, Kind] = field(default_factory=dict)  # by owner name
    caa: dict[str, Kind] = field(default_factory=dict)  # by domain; "*.domain" for wildcards only
    held: tuple[str, ...] = ()  # zones that can be published into
    publish_fails: int = 0
    lookups: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)

    def prove(self, name: str, value: str) -> None:
        self.lookups.append(name)
        if (kind := self.troubles.get(name)) is not None:
            raise ValidationFailed(kind, server="192.0.2.53", rtype="CNAME", name=name, seconds=5.0)
        found = self.records.get(name)
        if found is None:
            raise ValidationFailed(Kind.NXDOMAIN, name=name, value=value)
        if found != value:
            raise ValidationFailed(Kind.WRONG_TARGET, name=name, found=found, value=value)

    def allow(self, domain: str, *, wildcard: bool) -> None:
        kind = self.caa.get(f"*.{domain}") if wildcard else None
        kind = kind or self.caa.get(domain)
        if kind is not None:
            raise CaaForbids(
                kind,
                at=domain,
                issuers="ca.test",
                name=domain,
                records="issue x.test",
                why="SERVFAIL",
                tag="t",
            )

    def zone_for(self, name: str) -> object | None:
        return next((zone for zone in self.held if name.rstrip(".").endswith(f".{zone}")), None)

    def publish(self, name: str, value: str) -> None:
        if self.publish_fails:
            self.publish_fails -= 1
            raise ValidationFailed(
                Kind.UPDATE_FAILED, server="192.0.2.53", zone="example.com", why="it is away"
            )
        self.published.append(name)
        self.records[name] = value


class WatchedCore:
    """The real core, with a note of the keys it made, and a place to die right after a signature."""

    def __init__(self, core: CoreClient) -> None:
        self._core = core
        self.labels: list[KeyLabel] = []
        self.dies: str | None = None  # the name of the call after which the process dies

    def generate_key(self, label: KeyLabel, asker: Asker) -> GeneratedKey:
        made = self._core.generate_key(label, asker)
        if label.purpose == "acm":
            self.labels.append(label)
        self._die("generate_key")
        return made

    def sign(self, *arguments: Any, **options: Any) -> bytes:
        signature = self._core.sign(*arguments, **options)
        self._die("sign")
        return signature

    def _die(self, after: str) -> None:
        if self.dies == after:
            self.dies = None
            raise Crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)


class WatchedCa(CaService):
    """The real CA, with a note of the orders it got and the certificates it gave."""

    world: World

    def issue(self, order: IssueOrder, beside: Beside | None = None) -> Issued:
        self.world.orders.append(order)
        issued = super().issue(order, beside)
        self.world.given[order.claim] = issued
        if self.world.dies_after_issuing:
            self.world.dies_after_issuing = False
            raise Crash
        return issued


class PlainSeal:
    """TokenSeal without secrecy, which these tests do not need."""

    def seal(self, purpose: str, payload: bytes) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(payload).digest()[:8] + payload).decode()

    def open(self, purpose: str, token: str) -> bytes:
        try:
            raw = base64.urlsafe_b64decode(token)
        except ValueError as error:
            raise BadToken("not a token") from error
        if hashlib.sha256(raw[8:]).digest()[:8] != raw[:8]:
            raise BadToken("not a token")
        return raw[8:]


class World:
    """One deployment. `now` stands still until `advance` moves it."""

    def __init__(self, store: Store, core: CoreClient, settings: AcmSettings | None = None) -> None:
        self.store = store
        self.moment = START
        self.settings = settings or AcmSettings()
        self.ca_settings = CaSettings()
        self.zone = Zone()
        self.core = WatchedCore(core)
        self.orders: list[IssueOrder] = []
        self.given: dict[str, Issued] = {}
        self.dies_after_issuing = False
        self.drawn = 0
        context = JobContext(
            store=store,
            authority_for=self.ca_for,
            core=cast("CoreClient", self.core),
            prover=self.zone,
            publisher=self.zone,
            now=lambda: self.moment,
            settings=self.settings,
        )
        self.jobs = {job.kind: job for job in jobs(context)}

    def entropy(self, count: int) -> bytes:
        """Different bytes each time, the same in each run."""
        self.drawn += 1
        return hashlib.shake_256(self.drawn.to_bytes(8, "big")).digest(count)

    def ca_for(self, unit: Unit, asker: Asker) -> WatchedCa:
        ca = WatchedCa(
            unit,
            asker,
            cast("CoreClient", self.core),
            now=lambda: self.moment,
            entropy=self.entropy,
            settings=self.ca_settings,
        )
        ca.world = self
        return ca

    def ca(self) -> WatchedCa:
        return self.ca_for(self.store.unit(Scope(ACCOUNT, REGION)), Asker("test", "test"))

    @cached_property
    def private_ca(self) -> str:
        """The ARN of a subordinate that the account owns, with a P-256 key."""
        return self.ca().init("EC_prime256v1")[1].arn

    def acm(self, account: str = ACCOUNT, region: str = REGION) -> AcmService:
        arn = f"arn:aws:iam::{account}:user/admin"
        principal = Principal(account, arn, "AIDA", "user", "admin", (ADMINISTRATOR_ACCESS,))
        call = Call(principal, account, region, "acm", f"request-{self.drawn}", self.moment)
        return self.service(call, self.store.unit(Scope(account, region)))

    def service(self, call: Call, unit: Unit) -> AcmService:
        """What server/assembly.py makes for one call."""
        return AcmService(
            unit,
            call,
            ca=self.ca_for(unit, Asker(*call.asker)),
            core=cast("CoreClient", self.core),
            publisher=self.zone,
            now=lambda: self.moment,
            entropy=self.entropy,
            seal=PlainSeal(),
            settings=self.settings,
        )

    def publish(self, view: CertificateView) -> None:
        """Do what a person does with the CNAMEs that ACM asks for."""
        for domain in view.domains:
            self.publish_one(domain)

    def publish_one(self, domain: DomainView) -> None:
        assert domain.cname_name is not None
        assert domain.cname_value is not None
        self.zone.records[domain.cname_name] = domain.cname_value

    def run_due(self) -> int:
        """Run what is due now, once; return how many pieces."""
        done = 0
        for kind, job in self.jobs.items():
            for claim in self.store.claim_due(kind, self.moment, LEASE, 100):
                job.run(claim)
                done += 1
        return done

    def advance(self, span: timedelta) -> None:
        """Step to each next due time within the span and run what is due there, as `clock advance` does."""
        end = self.moment + span
        while (due := self.store.next_due(tuple(self.jobs))) is not None and due <= end:
            self.moment = max(self.moment, due)
            if not self.run_due():
                break
        self.moment = end

    def claims(self, kind: str) -> list[Claim]:
        return self.store.claim_due(kind, self.moment, LEASE, 100)

    def issued(self, name: str = "www.example.com", **options: Any) -> CertificateView:
        """A certificate that was requested, proven and issued; of a P-256 key, which is soon made."""
        acm = self.acm()
        arn = acm.request(name, **{"key_algorithm": "EC_prime256v1"} | options)
        self.publish(acm.view(arn))
        self.advance(timedelta(seconds=10))
        return acm.view(arn)


def spki(public_key: Any) -> bytes:
    raw: bytes = public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return raw


def public_key_of(view: CertificateView) -> bytes:
    assert view.certificate_pem is not None
    return spki(x509.load_pem_x509_certificate(view.certificate_pem.encode()).public_key())


def signing_request(*names: str, common_name: str | None = None, key: Any = None) -> tuple[bytes, Any]:
    """A PEM CSR for these names, and its private key."""
    private = key or ec.generate_private_key(ec.SECP256R1())
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), private
