"""The CA's one door for other rooms."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from sqlmodel import Session

from ca.arns import certificate_arn, parse_authority_arn
from ca.authorities import Authorities, NewAuthority, common_name
from ca.certificates import KeptCertificate
from ca.crl_journal import CrlJournal
from ca.custody import Custody, Work, relock, successor_of
from ca.draft import server_subject
from ca.ending import end
from ca.errors import AuthorityNotFound, AuthorityState, BadKey, OrderRefused
from ca.finishing import finish
from ca.hierarchy import DEPLOYMENT, INIT, HierarchyMaker
from ca.issue import Issuance, RowsBeside, Wanted
from ca.keys import check_for_server, judge_key
from ca.known import KnownAuthorities
from ca.ocsp import Signers
from ca.ocsp.tables import SignerRow
from ca.orders import AuthorityView, Beside, CaSettings, Issued, IssueOrder
from ca.pca.audit_reports import write_due
from ca.pem import pem
from ca.pointing import Pointing
from ca.profiles import PROFILES
from ca.publishing import Publishing
from ca.revocation import Revocation
from ca.service_use import check_service_use
from ca.signing import Signer
from ca.sinks import ObjectSink
from ca.tables import AuthorityRow
from foundation.store import SYSTEM, Claim, Leaps, Scope, Unit
from kms.hsm import Asker, CoreClient

SHARED: Final = "the CA's permissions and resource policy decide which service may use it"
FOR_ALL: Final = "the deployment's own hierarchy serves every account"


class CaService:
    """The authorities of one account and Region, for one call or one job; and the deployment's own, for everybody.

    unit: of the caller's scope. asker: who is named in the core's records of key use. now: the service's clock. Every method may raise the store's and the core's errors; those may be retried.
    """

    def __init__(
        self,
        unit: Unit,
        asker: Asker,
        core: CoreClient,
        *,
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        settings: CaSettings | None = None,
        sink: ObjectSink | None = None,
        journal: CrlJournal | None = None,
        known: KnownAuthorities | None = None,
    ) -> None:
        self._unit = unit
        self._asker = asker
        self._core = core
        self._now = now
        self._entropy = entropy
        self._settings = settings or CaSettings()
        self._sink = sink
        self._journal = journal
        self._known = known
        self._signer = Signer(core, asker)

    def create_root(self, subject: x509.Name | str, spec: str, validity: timedelta) -> AuthorityView:
        """Make a self-signed root. A `subject` in text is its CN. Raises OrderRefused."""
        authorities = self._authorities(self._unit)
        return authorities.view(authorities.create(NewAuthority(_name(subject), spec, validity)))

    def create_subordinate(
        self, parent_arn: str, subject: x509.Name | str, spec: str, validity: timedelta
    ) -> AuthorityView:
        """Make a CA of path length 0 below a root of this account. Raises OrderRefused, Authority… errors."""
        _, parent_id = self._own(parent_arn)
        authorities = self._authorities(self._unit)
        return authorities.view(authorities.create(NewAuthority(_name(subject), spec, validity, parent_id)))

    def init(self, spec: str | None = None) -> tuple[AuthorityView, AuthorityView]:
        """This account's (root, issuing subordinate), made by the first call and found by the later ones.

        So `keystead ca init` may be repeated; a second hierarchy is made by `create_root` and `create_subordinate`.
        `spec` is for the keys that are made, `settings.key_spec` by default.
        """
        authorities = self._authorities(self._unit)
        root, subordinate = self._maker(authorities, self._unit.scope.account).current(INIT, spec)
        return authorities.view(root), authorities.view(subordinate)

    def deployment_hierarchy(self) -> AuthorityView:
        """The subordinate that issues what is asked for without naming a CA, made at first use.

        Owned by no account (SYSTEM), as Amazon's public CA is, and succeeded before its time is up.
        """
        unit = self._unit.at(SYSTEM, because=FOR_ALL)
        authorities = self._authorities(unit)
        return authorities.view(self._maker(authorities, "deployment").current(DEPLOYMENT)[1])

    def issue(self, order: IssueOrder, beside: Beside | None = None) -> Issued:
        """The certificate of the order's claim: new, resumed after a crash, or as issued before.

        What is `beside` goes into the same commits; only an authority of the caller's own scope can offer that.
        Raises OrderRefused (and LintFailure), ClaimTaken, AuthorityNotFound, AuthorityState, CertificateState: those are
        final, as is NotPermitted for an order `by_service`. SerialsExhausted and SignatureMismatch say that something
        below is broken.
        """
        unit, authority_id = self._allowed(order)
        if beside is not None and unit.scope != self._unit.scope:
            raise ValueError(
                "the deployment's authorities commit in a scope of their own: nothing goes beside"
            )
        rows = None if beside is None else _rows_beside(beside)
        try:
            return _issued(*self._issuance(unit).issue(self._wanted(order, authority_id), rows))
        except AuthorityState:
            with unit.read() as session:
                successor = successor_of(session, authority_id)
            if successor is None:
                raise
        return _issued(*self._issuance(unit).issue(self._wanted(order, successor), rows))  # of the same name

    def authority(self, arn: str) -> AuthorityView:
        """Raises AuthorityNotFound."""
        unit, authority_id = self._own(arn)
        authorities = self._authorities(unit)
        return authorities.view(authorities.find(authority_id))

    def authorities(self) -> list[AuthorityView]:
        """This account's and Region's, oldest first."""
        authorities = self._authorities(self._unit)
        return [authorities.view(row) for row in authorities.every()]

    def roots(self) -> list[str]:
        """The certificates of this account's and Region's roots that have not run out, PEM each."""
        return [
            view.certificate_pem
            for view in self.authorities()
            if view.kind == "ROOT" and view.status != "EXPIRED"
        ]

    def disable(self, arn: str) -> None:
        """Stop the authority from issuing; its CRLs go on. Raises AuthorityNotFound, AuthorityState."""
        _, authority_id = self._own(arn)
        self._authorities(self._unit).move(authority_id, "disable")

    def enable(self, arn: str) -> None:
        """Let a disabled authority issue again. Raises AuthorityNotFound, AuthorityState."""
        _, authority_id = self._own(arn)
        self._authorities(self._unit).move(authority_id, "enable")

    def revoke(self, authority_arn: str, serial: str, reason: str = "UNSPECIFIED") -> None:
        """Revoke a certificate by its hex serial; see `Revocation.revoke`."""
        unit, authority_id = self._own(authority_arn)
        self._revocation(unit).revoke(authority_id, serial.lower(), reason)

    def crl(self, authority_arn: str) -> bytes:
        """The newest published CRL, DER. Raises NotPublished."""
        unit, authority_id = self._own(authority_arn)
        return self._revocation(unit).newest(authority_id)

    def republish(self, claim: Claim) -> None:
        """The job "ca.crl": publish the CRL of the authority that the claim names, in the unit's scope."""
        Publishing(
            self._unit,
            self._signer,
            now=self._now,
            crl_validity=self._settings.crl_validity,
            pointing=Pointing.by(self._settings, self._sink),
            journal=self._journal,
        ).publish(claim)

    def ocsp_signer(self, authority_id: str) -> SignerRow:
        """The delegated OCSP signer of an authority of the unit's scope; see `Signers.current`."""
        return self._signers().current(authority_id)

    def renew_ocsp(self, claim: Claim) -> None:
        """The job "ca.ocsp": see `Signers.renew`."""
        self._signers().renew(claim)

    def relock(self, claim: Claim) -> None:
        """The job "ca.relock": see `ca.custody.relock`."""
        relock(self._unit, claim)

    def custody(self, wall: Callable[[], datetime]) -> Custody:
        """What an operator does with the authorities of the unit's account and Region. `wall` is the core's clock."""
        return Custody(
            Work(
                self._unit,
                self._asker,
                self._core,
                self._now,
                wall,
                self._entropy,
                Pointing.by(self._settings, self._sink),
                self._issuance(self._unit),
                self._authorities(self._unit),
                self.republish,
            )
        )

    def write_audit_report(self, claim: Claim) -> None:
        """The job "ca.audit": see `ca.pca.audit_reports.write_due`."""
        write_due(self._unit, claim, self._sink)

    def end(self, claim: Claim, leaps: Leaps) -> None:
        """The job "ca.end": see `ca.ending`."""
        end(self._unit, claim, self._now, leaps)

    def finish(self, claim: Claim) -> None:
        """The job "ca.finish": see `ca.finishing`."""
        finish(self._unit, self._issuance(self._unit), claim, self._now)

    def _allowed(self, order: IssueOrder) -> tuple[Unit, str]:
        """As `_own`; for a service that asks by itself also another account's authority, if it may use it."""
        if order.by_service is None:
            return self._own(order.authority_arn)
        scope, authority_id = parse_authority_arn(order.authority_arn)
        if scope == SYSTEM:
            return self._own(order.authority_arn)
        unit = self._unit if scope == self._unit.scope else self._unit.at(scope, because=SHARED)
        check_service_use(
            unit,
            authority_id,
            service=order.by_service,
            source_account=self._unit.scope.account,
            action="IssueCertificate",
            at=self._now(),
        )
        return unit, authority_id

    def _own(self, arn: str) -> tuple[Unit, str]:
        """The unit for an authority of this scope, or of the deployment's; others do not exist here."""
        scope, authority_id = parse_authority_arn(arn)
        if scope == self._unit.scope:
            return self._unit, authority_id
        if scope == SYSTEM:
            return self._unit.at(SYSTEM, because=FOR_ALL), authority_id
        raise AuthorityNotFound(f"no certificate authority {authority_id} in this account and Region")

    def _wanted(self, order: IssueOrder, authority_id: str) -> Wanted:
        if not 1 <= len(order.names) <= self._settings.max_names:
            raise OrderRefused(
                f"a certificate has 1 to {self._settings.max_names} names, not {len(order.names)}"
            )
        try:
            check_for_server(judge_key(order.public_key))
            subject = server_subject(order.names)
        except (BadKey, ValueError) as error:
            raise OrderRefused(str(error)) from error
        return Wanted(
            authority_id=authority_id,
            profile=PROFILES["server"],
            subject=subject,
            names=order.names,
            public_key=order.public_key,
            valid_for=order.valid_for,
            not_before=order.not_before,
            claim=_claim(self._unit.scope, order.claim),
        )

    def _issuance(self, unit: Unit) -> Issuance:
        return Issuance(
            unit,
            self._signer,
            now=self._now,
            entropy=self._entropy,
            backdate=self._settings.backdate,
            pointing=Pointing.by(self._settings, self._sink),
            known=self._known,
        )

    def _signers(self) -> Signers:
        return Signers(self._unit, self._core, self._asker, self._issuance(self._unit), self._now)

    def _authorities(self, unit: Unit) -> Authorities:
        return Authorities(
            unit, self._core, self._asker, self._issuance(unit), now=self._now, entropy=self._entropy
        )

    def _maker(self, authorities: Authorities, owner: str) -> HierarchyMaker:
        return HierarchyMaker(
            authorities, owner=owner, now=self._now, entropy=self._entropy, settings=self._settings
        )

    def _revocation(self, unit: Unit) -> Revocation:
        return Revocation(unit, now=self._now)


def _issued(row: KeptCertificate, authority: AuthorityRow) -> Issued:
    assert row.certificate is not None
    assert authority.certificate is not None
    return Issued(
        arn=certificate_arn(Scope(row.account, row.region), authority.id, row.serial),
        serial=row.serial,
        certificate_pem=pem(row.certificate),
        chain_pem=pem(authority.certificate + (authority.chain or b"")),
        not_before=row.not_before,
        not_after=row.not_after,
    )


def _rows_beside(beside: Beside) -> RowsBeside:
    def result(session: Session, row: KeptCertificate, authority: AuthorityRow) -> None:
        beside.result(session, _issued(row, authority))

    return RowsBeside(beside.intent, result)


def _claim(scope: Scope, claim: str) -> str:
    """Claims of two accounts on the deployment's authority never meet, and none meets an authority's own."""
    return f"order/{scope.account}/{scope.region}/{claim}"


def _name(subject: x509.Name | str) -> x509.Name:
    return common_name(subject) if isinstance(subject, str) else subject
