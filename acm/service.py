"""ACM's one door for other rooms: everything that can be asked about certificates, for one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete

from acm.arns import certificate_arn, parse_certificate_arn
from acm.at_once import AtOnce
from acm.catalogue import must_find, view_of
from acm.errors import InvalidArn, InvalidParameter, RequestInProgress, ResourceNotFound
from acm.first_issue import FirstIssue
from acm.issuing import Issuing
from acm.listing import ListQuery, list_certificates
from acm.names import normalise, requested_names
from acm.orders import CSR_ALGORITHMS, REQUESTABLE_ALGORITHMS, Order
from acm.placing import Placing
from acm.ports import RecordPublisher
from acm.settings import AcmSettings
from acm.states import READABLE, Status
from acm.tables import Certificate, CertificateDomain, CertificateTag
from acm.tags import drop_tags, judge_tags, put_tags, tags_of
from acm.views import CertificateView
from ca import AuthorityNotFound, AuthorityState, AuthorityView, BadCsr, CaService, judge_csr
from foundation.identity import Call, Resource, account_resource
from foundation.store import Unit, cancel
from foundation.wire import Page, TokenSeal
from kms.hsm import Asker, CoreClient

MOST_NAMES = 100  # of a CSR (SECURITY 2.9): the quota of 10 is ACM's own API's
DUE_KINDS = ("acm.validate", "acm.issue", "acm.renew", "acm.expire")


class AcmService:
    """One call's view of its account's certificates in one Region.

    Errors are `acm.errors`; each operation raises only what its own list in the model has. The store's and the
    core's errors pass through to whoever maps them for all services.
    """

    def __init__(
        self,
        unit: Unit,
        call: Call,
        *,
        ca: CaService,
        core: CoreClient,
        publisher: RecordPublisher | None,
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        seal: TokenSeal,
        settings: AcmSettings,
    ) -> None:
        self._unit = unit
        self._call = call
        self._ca = ca
        self._seal = seal
        self._settings = settings
        self._placing = Placing(unit, publisher, now, entropy)
        issuing = Issuing(unit, Asker(*call.asker), core=core, ca=ca, now=now, settings=settings)
        self._at_once = AtOnce(self._placing, FirstIssue(unit, issuing, now), issuing, ca)

    # Requests

    def request(
        self,
        domain_name: str,
        alternative_names: Sequence[str] = (),
        *,
        key_algorithm: str = "RSA_2048",
        authority_arn: str | None = None,
        validation_options: Sequence[Mapping[str, str]] = (),
        token: str | None = None,
        tags: Sequence[Mapping[str, Any]] = (),
        transparency: str = "ENABLED",
        export: str = "DISABLED",
        managed_by: str | None = None,
    ) -> str:
        """RequestCertificate: store the request and return its ARN; proof and issuance follow by themselves."""
        if key_algorithm not in REQUESTABLE_ALGORITHMS:
            raise InvalidParameter(
                f"{key_algorithm} is for imported certificates only; a request takes one of "
                f"{', '.join(REQUESTABLE_ALGORITHMS)}"
            )
        if authority_arn is not None:
            _match_family(key_algorithm, self._authority(authority_arn))
        names = requested_names(
            domain_name,
            alternative_names,
            validation_options,
            limit=self._settings.names_per_certificate,
            proven_by_dns=authority_arn is None,
        )
        order = Order(
            names=names,
            key_algorithm=key_algorithm,
            authority_arn=authority_arn,
            token=token,
            tags=judge_tags(tags),
            transparency=transparency,
            export=export,
            managed_by=managed_by,
        )
        return certificate_arn(self._unit.scope, self._placing.place(order))

    def request_from_csr(
        self,
        csr_pem: bytes,
        names: Sequence[str] = (),
        *,
        authority_arn: str | None = None,
        token: str | None = None,
        tags: Sequence[Mapping[str, Any]] = (),
    ) -> CertificateView:
        """Ask for a certificate for a CSR's key: for all of its names, or for `names` among them.

        Under a private CA the view holds the issued certificate; otherwise it says which CNAMEs to publish.
        Raises InvalidParameter for a CSR or name that is refused, with the reason in words.
        """
        try:
            judged = judge_csr(csr_pem)
        except BadCsr as bad:
            raise InvalidParameter(str(bad)) from bad
        if judged.spec not in CSR_ALGORITHMS:
            raise InvalidParameter(
                f"A certificate cannot be issued for a key of type {judged.spec}; "
                f"use one of {', '.join(CSR_ALGORITHMS)}"
            )
        authority = None if authority_arn is None else self._authority(authority_arn)
        chosen = tuple(normalise(name) for name in names) or judged.names
        for name in chosen:
            if name not in judged.names:
                raise InvalidParameter(f"{name} is not a name of the signing request")
        order = Order(
            names=requested_names(
                chosen[0],
                chosen[1:],
                limit=MOST_NAMES,
                proven_by_dns=authority_arn is None,
                common_name=False,
            ),
            key_algorithm=judged.spec,
            public_key=judged.public_key,
            authority_arn=authority_arn,
            token=token,
            tags=judge_tags(tags),
        )
        if authority is None:
            certificate_id = self._placing.place(order)
        else:
            certificate_id = self._at_once.issue(order, authority)
        return self.view(certificate_arn(self._unit.scope, certificate_id))

    # Reading

    def view(self, arn: str) -> CertificateView:
        """Everything about one certificate; raise InvalidArn or ResourceNotFound."""
        certificate_id = self._id(arn)
        with self._unit.read() as session:
            certificate = must_find(session, self._unit.scope, certificate_id)
            return view_of(session, self._unit.scope, certificate, self._settings)

    def list(self, query: ListQuery) -> Page[CertificateView]:
        """ListCertificates: a page of views without their domains' proofs; raise InvalidArgs for a bad token."""
        return list_certificates(self._unit, self._seal, query, self._settings, self._call.account)

    def certificate(self, arn: str) -> tuple[str, str]:
        """GetCertificate: the PEM, and its chain from the issuer up to the root.

        Raises RequestInProgress while pending, ResourceNotFound where the request ended without a certificate.
        """
        view = self.view(arn)
        if view.status == Status.PENDING_VALIDATION:
            raise RequestInProgress(
                f"Certificate {arn} has not been issued yet; its status is {view.status}."
            )
        if view.status not in READABLE or view.certificate_pem is None or view.chain_pem is None:
            raise ResourceNotFound(
                f"There is no certificate for {arn}: the request's status is {view.status}."
            )
        return view.certificate_pem, view.chain_pem

    def resource(self, arn: str) -> Resource:
        """The certificate as an action is asked about it; raise InvalidArn or ResourceNotFound.

        An ARN of another account or Region is not looked up: whether it exists there is not the caller's to know.
        """
        tags = {key: value or "" for key, value in self.tags(arn).items()}
        return Resource(arn=arn, account=self._unit.scope.account, tags=tags)

    def account_resource(self) -> Resource:
        """What requesting and listing are asked about."""
        return account_resource(self._call)

    # Changing

    def delete(self, arn: str) -> None:
        """DeleteCertificate: the certificate, its key and its due work go; its domains' CNAMEs stay for ever."""
        certificate_id = self._id(arn)

        def body(session: Session) -> None:
            session.delete(must_find(session, self._unit.scope, certificate_id))
            for table in (CertificateDomain, CertificateTag):
                session.exec(delete(table).where(col(table.certificate_id) == certificate_id))
            for kind in DUE_KINDS:
                cancel(session, kind, certificate_id)

        self._unit.write(body)

    def tags(self, arn: str) -> dict[str, str | None]:
        """ListTagsForCertificate: key to value, None where a tag has no value."""
        certificate_id = self._id(arn)
        with self._unit.read() as session:
            must_find(session, self._unit.scope, certificate_id)
            return tags_of(session, certificate_id)

    def add_tags(self, arn: str, tags: Iterable[Mapping[str, Any]]) -> None:
        """AddTagsToCertificate: new keys are added, known keys get the new value."""
        judged = judge_tags(tags)
        self._change(arn, lambda session, row: put_tags(session, self._unit.scope, row.id, judged))

    def remove_tags(self, arn: str, tags: Sequence[Mapping[str, Any]]) -> None:
        """RemoveTagsFromCertificate: by key, or by key and value where a value is given."""
        self._change(arn, lambda session, row: drop_tags(session, row.id, tags))

    def _change(self, arn: str, change: Callable[[Session, Certificate], None]) -> None:
        certificate_id = self._id(arn)

        def body(session: Session) -> None:
            change(session, must_find(session, self._unit.scope, certificate_id))

        self._unit.write(body)

    def _id(self, arn: str) -> str:
        named = parse_certificate_arn(arn)
        if named.scope != self._unit.scope:
            raise ResourceNotFound(f"Could not find certificate {arn}.")
        return named.id

    def _authority(self, arn: str) -> AuthorityView:
        scope = self._unit.scope
        if not arn.startswith(f"arn:aws:acm-pca:{scope.region}:{scope.account}:certificate-authority/"):
            raise InvalidArn(f"{arn} is not a private CA of account {scope.account} in {scope.region}")
        try:
            return self._ca.authority(arn)
        except AuthorityNotFound as missing:
            raise InvalidArn(f"There is no private CA {arn}") from missing
        except AuthorityState as waiting:
            raise InvalidArn(f"The private CA {arn} has no certificate yet") from waiting


def _match_family(key_algorithm: str, authority: AuthorityView) -> None:
    """KeyAlgorithm's documentation: the family of a private certificate's key must be that of its CA's key."""
    family, theirs = key_algorithm.partition("_")[0], authority.key_spec.partition("_")[0]
    if family != theirs:
        raise InvalidParameter(
            f"KeyAlgorithm {key_algorithm} does not match the family of the CA's key ({authority.key_spec})"
        )
