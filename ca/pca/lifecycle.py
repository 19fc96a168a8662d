"""Authorities through the API: created, certified by import, updated, deleted, restored."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import SubjectInformationAccessOID
from sqlmodel import Session

from ca.algorithms import ALGORITHMS
from ca.arns import authority_arn
from ca.authorities import place_of, refuse_locked
from ca.ending import END_JOB, begin_waiting
from ca.lints import Broken, subject_attributes
from ca.pca import configuration as rules
from ca.pca.context import Context, Kept, kept
from ca.pca.errors import InvalidArgs, InvalidState, translated
from ca.pca.imports import judge_import
from ca.pca.names import general_name
from ca.pca.subjects import name_of
from ca.pointing import Pointing
from ca.profiles import key_usage
from ca.revocation_settings import generation_of
from ca.shards import open_shards
from ca.signing import key_label
from ca.tables import AuthorityRow, ConfigurationRow
from foundation.store import TokenReused, Unit, bump, cancel, recall, remember
from kms.hsm import signing_handle

IDEMPOTENT_FOR: Final = timedelta(minutes=5)
DEFAULT_WINDOW_DAYS: Final = 30
KEY_USAGES: Final = {
    "DigitalSignature": "digital_signature",
    "NonRepudiation": "content_commitment",
    "KeyEncipherment": "key_encipherment",
    "DataEncipherment": "data_encipherment",
    "KeyAgreement": "key_agreement",
    "KeyCertSign": "key_cert_sign",
    "CRLSign": "crl_sign",
    "EncipherOnly": "encipher_only",
    "DecipherOnly": "decipher_only",
}
_ACCESS: Final = {
    "CA_REPOSITORY": SubjectInformationAccessOID.CA_REPOSITORY,
    "RESOURCE_PKI_MANIFEST": x509.ObjectIdentifier("1.3.6.1.5.5.7.48.10"),  # RFC 6487 4.8.8.1
    "RESOURCE_PKI_NOTIFY": x509.ObjectIdentifier("1.3.6.1.5.5.7.48.13"),  # RFC 8182 3.2
}


class Lifecycle:
    """What changes an authority as a whole."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pointing = Pointing.by(context.settings, context.sink)

    def create(self, params: Mapping[str, Any]) -> str:
        """CreateCertificateAuthority: the ARN. Its key is made in the core; a certificate is to be imported."""
        wanted = params["CertificateAuthorityConfiguration"]
        rules.check_algorithms(wanted["KeyAlgorithm"], wanted["SigningAlgorithm"])
        storage = params.get("KeyStorageSecurityStandard", rules.KEY_STORAGE)
        rules.check_storage(storage)
        subject = name_of(wanted["Subject"])
        _judge_subject(subject)
        extensions = wanted.get("CsrExtensions")
        _csr_extensions(extensions)
        tags = rules.with_tags({}, rules.judge_tags(params.get("Tags", ())))
        revocation = rules.judge_revocation(params.get("RevocationConfiguration", {}))
        rules.refuse_short_lived(params.get("UsageMode", "GENERAL_PURPOSE"), revocation)
        token, digest = params.get("IdempotencyToken"), digest_of(params)
        earlier = self.recalled("CreateCertificateAuthority", token, digest)
        if earlier is not None:
            return earlier
        with translated():
            rules.check_bucket(revocation, self._context.sink)
        context, now = self._context, self._context.now()
        row = self._row(params["CertificateAuthorityType"], wanted["KeyAlgorithm"], subject, now)
        key = context.core.generate_key(key_label(row), context.asker)
        values = row.model_dump() | {
            "key_token": key.token,
            "public_key": key.public_key,
            "revocation": json.dumps(revocation),
        }
        settings = {
            "account": row.account,
            "region": row.region,
            "authority_id": row.id,
            "usage_mode": params.get("UsageMode", "GENERAL_PURPOSE"),
            "signing_algorithm": wanted["SigningAlgorithm"],
            "subject": json.dumps(wanted["Subject"]),
            "csr_extensions": None if extensions is None else json.dumps(extensions),
            "key_storage": storage,
            "tags": json.dumps(tags),
            "changed_at": now,
        }
        arn = authority_arn(context.unit.scope, row.id)

        def body(session: Session) -> str:
            if token is not None:
                first = recall(session, "CreateCertificateAuthority", token, digest, now)
                if first is not None:
                    return first
                until = now + IDEMPOTENT_FOR
                remember(session, "CreateCertificateAuthority", token, digest, arn, until, now=now)
            made = AuthorityRow(**values)
            session.add_all((made, place_of(made), ConfigurationRow(**settings)))
            return arn

        return context.unit.write(body)

    def recalled(self, operation: str, token: str | None, digest: bytes) -> str | None:
        """The answer that the token was given before. Raises InvalidArgs for another request's token."""
        if token is None:
            return None
        try:
            with self._context.unit.read() as session:
                return recall(session, operation, token, digest, self._context.now())
        except TokenReused as error:
            raise InvalidArgs(str(error)) from error

    def csr(self, arn: str) -> str:
        """GetCertificateAuthorityCsr, PEM. The signature is deterministic, so the answer does not change."""
        context = self._context
        unit, authority_id = context.place(arn)
        with translated(), unit.read() as session:
            authority = kept(session, authority_id, context.now())
            authority.allows("csr")
            refuse_locked(authority.row, "csr")
        row = authority.row
        handle = signing_handle(
            context.core, row.key_token, key_label(row), context.asker, row.public_key, "csr"
        )
        asked = authority.configuration.csr_extensions
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name.from_bytes(row.subject))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        for extension, critical in _csr_extensions(None if asked is None else json.loads(asked)):
            builder = builder.add_extension(extension, critical)
        how = ALGORITHMS[authority.configuration.signing_algorithm]
        request = builder.sign(handle, how.digest, rsa_padding=how.rsa_padding)
        return request.public_bytes(Encoding.PEM).decode()

    def import_certificate(self, arn: str, certificate: bytes, chain: bytes) -> None:
        """ImportCertificateAuthorityCertificate (TRAPS 34). Raises what `judge_import` does, and InvalidState."""

        def change(session: Session, authority: Kept) -> None:
            now = self._context.now()
            imported = judge_import(authority.row, certificate, chain, now)
            row = authority.row
            row.certificate, row.chain = imported.der, imported.chain
            row.serial = f"{imported.certificate.serial_number:x}"
            row.not_before = imported.certificate.not_valid_before_utc
            row.not_after = imported.certificate.not_valid_after_utc
            open_shards(session, row, self._pointing, now)

        self.change(arn, "import", change)

    def update(self, arn: str, status: str | None, revocation: Mapping[str, Any] | None) -> None:
        """UpdateCertificateAuthority: ACTIVE or DISABLED, and revocation, in those two states only (TRAPS 35)."""
        if status not in {None, "ACTIVE", "DISABLED"}:
            raise InvalidArgs(f"Status may be set to ACTIVE or DISABLED, not {status}")
        judged = None if revocation is None else rules.judge_revocation(revocation)
        with translated():
            rules.check_bucket(judged or {}, self._context.sink)

        def change(session: Session, authority: Kept) -> None:
            if judged is not None:
                rules.refuse_short_lived(authority.configuration.usage_mode, judged)
                authority.row.revocation = json.dumps({**json.loads(authority.row.revocation), **judged})
                open_shards(session, authority.row, self._pointing, self._context.now())
            if status == "ACTIVE":
                refuse_locked(authority.row, "update")
            if status is not None and status != authority.status:
                authority.row.status = authority.allows("enable" if status == "ACTIVE" else "disable")

        self.change(arn, "update", change)

    def delete(self, arn: str, days: int | None) -> None:
        """DeleteCertificateAuthority: restorable for 7 to 30 days, 30 by default."""

        def change(session: Session, authority: Kept) -> None:
            window = timedelta(days=DEFAULT_WINDOW_DAYS if days is None else days)
            authority.configuration.before_deletion = authority.row.status
            begin_waiting(session, authority.configuration, self._context.now(), window)

        self.change(arn, "delete", change)

    def restore(self, arn: str) -> None:
        """RestoreCertificateAuthority: back to the status before the deletion, not to ACTIVE."""

        def change(session: Session, authority: Kept) -> None:
            configuration = authority.configuration
            until = configuration.restorable_until
            if until is None or configuration.before_deletion is None or until <= self._context.now():
                raise InvalidState("The private CA can be restored no longer")
            authority.row.status = configuration.before_deletion
            configuration.before_deletion, configuration.restorable_until = None, None
            cancel(session, END_JOB, authority.row.id)
            if authority.row.certificate is not None:
                open_shards(session, authority.row, self._pointing, self._context.now())

        self.change(arn, "restore", change)

    def change(self, arn: str, action: str, change: Callable[[Session, Kept], None]) -> None:
        """Apply an action of ca.states and what comes with it, in one commit."""
        unit, authority_id = self._context.place(arn)

        def body(session: Session) -> None:
            now = self._context.now()
            authority = kept(session, authority_id, now)
            before = authority.row.status
            following = authority.allows(action)
            change(session, authority)
            if authority.row.status == before:
                authority.row.status = following
            if authority.row.status != before:
                authority.configuration.changed_at = now
            session.add_all((authority.row, authority.configuration))
            bump(session, generation_of(authority_id))

        with translated():
            unit.write(body)

    def configure(
        self,
        arn: str,
        change: Callable[[ConfigurationRow], None],
        also: Callable[[Session, Kept], None] | None = None,
    ) -> None:
        """Change the configuration in any state but DELETED, and what comes with it in the same commit."""
        unit, authority_id = self._context.place(arn)

        def body(session: Session) -> None:
            authority = kept(session, authority_id, self._context.now())
            refuse_deleted(authority)
            change(authority.configuration)
            session.add(authority.configuration)
            if also is not None:
                also(session, authority)

        with translated():
            unit.write(body)

    def _row(self, kind: str, spec: str, subject: x509.Name, now: datetime) -> AuthorityRow:
        unit: Unit = self._context.unit
        return AuthorityRow(
            account=unit.scope.account,
            region=unit.scope.region,
            id=str(uuid.UUID(bytes=self._context.entropy(16), version=4)),
            role=None,
            kind=kind,
            status="PENDING_CERTIFICATE",
            parent_id=None,
            key_spec=spec,
            key_token=b"",
            public_key=b"",
            subject=subject.public_bytes(),
            serial=None,
            certificate=None,
            chain=None,
            not_before=None,
            not_after=None,
            created_at=now,
        )


def refuse_deleted(authority: Kept) -> None:
    """Raise InvalidState for an authority that waits for its end."""
    if authority.status == "DELETED":
        raise InvalidState(f"The private CA {authority.arn} is DELETED")


def _judge_subject(subject: x509.Name) -> None:
    """Raise InvalidArgs for a subject that no certificate of the CA could have: its key would be certified by nobody."""
    if not list(subject):
        raise InvalidArgs("A private CA needs a subject")
    try:
        subject_attributes.check_name(subject)
    except Broken as broken:
        raise InvalidArgs(str(broken)) from broken


def digest_of(params: Mapping[str, Any]) -> bytes:
    """What an idempotency token stands for."""
    asked = {name: value for name, value in params.items() if name != "IdempotencyToken"}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).digest()


def _csr_extensions(asked: Mapping[str, Any] | None) -> list[tuple[x509.ExtensionType, bool]]:
    """KeyUsage (critical) and SubjectInformationAccess. Raises InvalidArgs."""
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    usages = frozenset(KEY_USAGES[name] for name, on in (asked or {}).get("KeyUsage", {}).items() if on)
    try:
        extensions.append((key_usage(usages or frozenset({"key_cert_sign", "crl_sign"})), True))
        described = [
            x509.AccessDescription(_access_method(each["AccessMethod"]), general_name(each["AccessLocation"]))
            for each in (asked or {}).get("SubjectInformationAccess", ())
        ]
    except ValueError as error:
        raise InvalidArgs(f"CsrExtensions cannot be said in X.509: {error}") from error
    if described:
        extensions.append((x509.SubjectInformationAccess(described), False))
    return extensions


def _access_method(method: Mapping[str, Any]) -> x509.ObjectIdentifier:
    if len(method) != 1:
        raise InvalidArgs("An AccessMethod is either a CustomObjectIdentifier or an AccessMethodType")
    if "AccessMethodType" in method:
        return _ACCESS[method["AccessMethodType"]]
    return x509.ObjectIdentifier(method["CustomObjectIdentifier"])
