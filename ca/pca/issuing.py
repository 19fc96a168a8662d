"""IssueCertificate, GetCertificate, RevokeCertificate."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from cryptography import x509

from ca.arns import certificate_arn
from ca.certificates import KeptCertificate, by_serial
from ca.csr import ProvenRequest, prove
from ca.custody import refuse_succeeded
from ca.finishing import finished_later
from ca.issue import Issuance, Wanted
from ca.pca import configuration as rules
from ca.pca import passthrough
from ca.pca.context import Context, Kept, kept
from ca.pca.errors import (
    InvalidArgs,
    InvalidArn,
    InvalidRequest,
    MalformedCsr,
    RequestInProgress,
    ResourceNotFound,
    translated,
)
from ca.pca.lifecycle import digest_of, refuse_deleted
from ca.pca.subjects import name_of
from ca.pca.tokens import Token, TokenTaken
from ca.pca.validity import beginning_of, moment_of
from ca.pem import pem
from ca.pointing import Pointing
from ca.profiles import Profile
from ca.revocation import Revocation
from ca.signing import Signer
from ca.templates import DEFAULT_ARN, TEMPLATES, Template, Value, compiled
from foundation.store import Unit
from foundation.wire import uuid_text

SHORT_LIVED_LIMIT: Final = timedelta(days=7)
_TEMPLATE: Final = re.compile(r"arn:aws:acm-pca:::template/([A-Za-z0-9_]{1,80})/V1")
_SERIAL: Final = re.compile(r"[0-9a-f]{2,40}")


class Issuing:
    """Certificates of an authority, through the API."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def issue(self, params: Mapping[str, Any]) -> str:
        """IssueCertificate: the ARN of the certificate, which is signed when this returns."""
        context = self._context
        arn, template = params["CertificateAuthorityArn"], template_named(params.get("TemplateArn"))
        unit, authority_id = context.place(arn)
        with translated():
            authority = context.kept(unit, authority_id)
            if authority.status == "DISABLED":
                refuse_succeeded(unit, authority_id)
            authority.allows("self-sign" if template.root else "issue")
        rules.check_signing(authority.row.key_spec, params["SigningAlgorithm"])
        with translated():
            proven = prove(params["Csr"])
            subject, profile = _asked(template, proven, params.get("ApiPassthrough", {}))
        if template.root and (authority.row.kind != "ROOT" or proven.public_key != authority.row.public_key):
            raise InvalidArgs("A root's template is for a root CA's own signing request")
        wanted = self._wanted(authority, profile, subject, proven, params)
        with translated():
            serial = self._issued(unit, wanted, params).serial
        return certificate_arn(authority.scope, authority_id, serial)

    def get(self, authority_arn: str, arn: str) -> tuple[str, str | None]:
        """GetCertificate: PEM of the certificate and of its chain; ISSUED, EXPIRED and REVOKED stay readable."""
        row, authority = self._find(authority_arn, arn)
        if row.status == "INTENT":
            raise RequestInProgress(f"The certificate {arn} is not signed yet")
        if row.certificate is None:
            raise ResourceNotFound(f"The certificate {arn} was revoked before it was signed")
        of_root = row.profile in TEMPLATES and TEMPLATES[row.profile].root
        if of_root or authority.row.certificate is None:
            return pem(row.certificate), None
        return pem(row.certificate), pem(authority.row.certificate + (authority.row.chain or b""))

    def revoke(self, authority_arn: str, serial: str, reason: str) -> None:
        """RevokeCertificate by hex serial, with or without colons (TRAPS 36); OCSP says so when this returns."""
        context = self._context
        unit, authority_id = context.place(authority_arn)
        digits = serial.replace(":", "").lower()
        if _SERIAL.fullmatch(digits) is None:
            raise InvalidRequest("CertificateSerial is a serial number in hexadecimal digits")
        number = f"{int(digits, 16):x}"
        with translated(), unit.read() as session:
            authority = kept(session, authority_id, context.now())
        if authority.row.kind == "ROOT" and authority.row.serial == number:
            raise InvalidRequest("A root CA's own certificate cannot be revoked")
        revocation = Revocation(unit, now=context.now)
        with translated():
            revocation.revoke(authority_id, number, reason)
        context.settle()  # from here on no worker's OCSP says otherwise

    def _issued(self, unit: Unit, wanted: Wanted, params: Mapping[str, Any]) -> KeptCertificate:
        """The certificate; of a request that repeats an idempotency token within 5 minutes, the first one's."""
        context = self._context
        issuance = Issuance(
            unit,
            Signer(context.core, context.asker),
            now=context.now,
            entropy=context.entropy,
            backdate=context.settings.backdate,
            pointing=Pointing.by(context.settings, context.sink),
            known=context.known,
        )
        later = finished_later(unit, context.now(), context.known.spans)
        if (token := params.get("IdempotencyToken")) is None:
            return issuance.issue(wanted, later)[0]
        own = Token(context, token, digest_of(params))
        first = own.first()
        if first is None:
            try:
                return issuance.issue(wanted, own.kept_beside(unit, wanted.claim, later))[0]
            except TokenTaken as taken:
                first = taken.claim
        return issuance.issue(replace(wanted, claim=first, fresh=False), later)[0]

    def _find(self, authority_arn: str, arn: str) -> tuple[KeptCertificate, Kept]:
        prefix, _, serial = arn.partition("/certificate/")
        if prefix != authority_arn or _SERIAL.fullmatch(serial) is None:
            raise InvalidArn(f"{arn} is not the ARN of a certificate of {authority_arn}")
        unit, authority_id = self._context.place(authority_arn)
        with translated():
            authority = self._context.kept(unit, authority_id)
            refuse_deleted(authority)
            with unit.rows() as rows:
                row = by_serial(rows, unit.scope, authority_id, serial)
        if row is None:
            raise ResourceNotFound(f"There is no certificate {arn}")
        return row, authority

    def _wanted(
        self,
        authority: Kept,
        profile: Profile,
        subject: x509.Name,
        proven: ProvenRequest,
        params: Mapping[str, Any],
    ) -> Wanted:
        now = self._context.now().replace(microsecond=0)
        until = moment_of(params["Validity"], now)
        if until <= now:
            raise InvalidArgs("The certificate would have ended before now")
        short = authority.configuration.usage_mode == rules.SHORT_LIVED and not profile.self_signed
        if short and until - now > SHORT_LIVED_LIMIT:
            raise InvalidArgs("A CA of mode SHORT_LIVED_CERTIFICATE issues for seven days at most")
        return Wanted(
            authority_id=authority.row.id,
            profile=profile,
            subject=subject,
            names=(),
            public_key=proven.public_key,
            valid_for=until - now,
            not_before=beginning_of(
                params.get("ValidityNotBefore"),
                now,
                self._context.settings.backdate,
                None if profile.self_signed else authority.row.not_before,
            ),
            not_after=until,
            # The second first, so that new claims end the index, however many there are.
            claim=f"pca/{int(now.timestamp()):010x}-{uuid_text(self._context.entropy(16))}",
            algorithm=params["SigningAlgorithm"],
            fresh=True,
        )


def template_named(arn: str | None) -> Template:
    """The template of an ARN, EndEntityCertificate by default. Raises InvalidArgs."""
    match = _TEMPLATE.fullmatch(arn or DEFAULT_ARN)
    if match is None or match[1] not in TEMPLATES:
        raise InvalidArgs(f"There is no template {arn}")
    return TEMPLATES[match[1]]


def _asked(template: Template, proven: ProvenRequest, api: Mapping[str, Any]) -> tuple[x509.Name, Profile]:
    """Subject and profile: ApiPassthrough is ignored unless the template's variant says so (TRAPS 33)."""
    subject = proven.request.subject
    extensions: tuple[Value, ...] = ()
    if template.api:
        extensions = passthrough.of_api(api.get("Extensions", {}))
        if "Subject" in api:
            subject = name_of(api["Subject"])
    profile = compiled(template, extensions, passthrough.of_request(proven))
    named = any(isinstance(value, x509.SubjectAlternativeName) for value, _ in profile.more)
    if not list(subject) and not named:
        raise MalformedCsr("The signing request needs a subject or a subjectAltName")
    return subject, profile
