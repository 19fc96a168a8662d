"""A whole ACM on a store of the test's choice: a clock to move, a DNS to fill, a CA that signs, jobs to run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acm import AcmService, AcmSettings, JobContext, jobs
from acm.views import CertificateView, DomainView
from ca import AuthorityNotFound, AuthorityView, Issued, IssueOrder, OrderRefused
from foundation.identity import Call, Principal
from foundation.identity.decisions import ADMINISTRATOR_ACCESS
from foundation.store import Claim, Scope, Store
from foundation.wire import BadToken
from kms.hsm import Asker, GeneratedKey, KeyLabel
from validation import CaaForbids, Kind, ValidationFailed

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ACCOUNT = "111122223333"
REGION = "eu-central-1"
PRIVATE_CA = f"arn:aws:acm-pca:{REGION}:{ACCOUNT}:certificate-authority/6f2ae5a1-0000-4000-8000-000000000001"
DEPLOYMENT_CA = "arn:aws:acm-pca:global:keystead:certificate-authority/6f2ae5a1-0000-4000-8000-000000000002"
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
                kind, at=domain, issuers="ca.test", name=domain, records="issue x.test", why="SERVFAIL", tag="t"
            )

    def zone_for(self, name: str) -> object | None:
        return next((zone for zone in self.held if name.rstrip(".").endswith(f".{zone}")), None)

    def publish(self, name: str, value: str) -> None:
        if self.publish_fails:
            self.publish_fails -= 1
            raise ValidationFailed(Kind.UPDATE_FAILED, server="192.0.2.53", zone="example.com", why="it is away")
        self.published.append(name)
        self.records[name] = value


class KeyMaker:
    """The core, as far as ACM uses it: makes keys and gives tokens."""

    def __init__(self) -> None:
        self.labels: list[KeyLabel] = []

    def generate_key(self, label: KeyLabel, asker: Asker) -> GeneratedKey:
        self.labels.append(label)
        private: Any
        if label.spec.startswith("RSA"):
            private = rsa.generate_private_key(65537, int(label.spec.removeprefix("RSA_")))
        else:
            curve = ec.SECP384R1() if "384" in label.spec else ec.SECP256R1()
            private = ec.generate_private_key(curve)
        return GeneratedKey(f"token-{len(self.labels)}".encode(), spki(private.public_key()))


class PlainCa:
    """A CA with one key in memory that keeps the promise of `CaService.issue`: one certificate per claim."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.issued: dict[str, Issued] = {}
        self.orders: list[IssueOrder] = []
        self.status = "ACTIVE"
        self.key_spec = "EC_prime256v1"
        self.end = START + timedelta(days=3650)
        self.refusal: Exception | None = None
        self.crash_after_signing = 0

    def authority(self, arn: str) -> AuthorityView:
        if arn != PRIVATE_CA:
            raise AuthorityNotFound(f"no certificate authority {arn}")
        return self._view(arn)

    def deployment_hierarchy(self) -> AuthorityView:
        return self._view(DEPLOYMENT_CA)

    def issue(self, order: IssueOrder) -> Issued:
        self.orders.append(order)
        if self.refusal is not None:
            raise self.refusal
        if order.claim not in self.issued:
            self.issued[order.claim] = self._sign(order)
        if self.crash_after_signing:
            self.crash_after_signing -= 1
            raise Crash
        return self.issued[order.claim]

    def _sign(self, order: IssueOrder) -> Issued:
        now = self._now().replace(microsecond=0)
        serial = 0x4B << 64 | len(self.issued) + 1
        not_before, not_after = now - timedelta(hours=1), min(now + order.valid_for, self.end)
        if not_after <= now:
            raise OrderRefused("the issuer has ended")
        public_key = cast("Any", serialization.load_der_public_key(order.public_key))
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)  # noqa: FBT003 -- pyca's order
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, order.names[0][:64])]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "World issuing CA")]))
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in order.names]), critical=False)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        return Issued(
            f"{order.authority_arn}/certificate/{serial:x}", f"{serial:x}", pem, pem, not_before, not_after
        )

    def _view(self, arn: str) -> AuthorityView:
        return AuthorityView(
            arn, arn[-36:], "SUBORDINATE", self.status, self.key_spec, "CN=World", None, "01", "", "", START, self.end
        )


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

    def __init__(self, store: Store, settings: AcmSettings | None = None) -> None:
        self.store = store
        self.moment = START
        self.settings = settings or AcmSettings()
        self.zone = Zone()
        self.core = KeyMaker()
        self.ca = PlainCa(lambda: self.moment)
        self.drawn = 0
        context = JobContext(
            store=store,
            authority_for=cast("Any", lambda unit, asker: self.ca),
            core=cast("Any", self.core),
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

    def acm(self, account: str = ACCOUNT, region: str = REGION) -> AcmService:
        principal = Principal(account, f"arn:aws:iam::{account}:user/admin", "AIDA", "user", "admin", (ADMINISTRATOR_ACCESS,))
        call = Call(principal, account, region, "acm", f"request-{self.drawn}", self.moment)
        return AcmService(
            self.store.unit(Scope(account, region)),
            call,
            ca=cast("Any", self.ca),
            core=cast("Any", self.core),
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
        """A certificate that was requested, proven and issued."""
        acm = self.acm()
        arn = acm.request(name, **options)
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


def signing_request(
    *names: str, common_name: str | None = None, key: Any = None
) -> tuple[bytes, Any]:
    """A PEM CSR for these names, and its private key."""
    private = key or ec.generate_private_key(ec.SECP256R1())
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), private
