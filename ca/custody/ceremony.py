"""A root ceremony: rehearsed, then done once, by a reviewed plan and before witnesses, and put down in a signed transcript.

The transcript is signed by a key that the core makes for it and that nobody can use again (its token is dropped), in a
certificate that the new root issues for signing documents (RFC 9336): who trusts the root can check the transcript.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from ca.authorities import NewAuthority, common_name
from ca.custody.ceremony_plan import CeremonyPlan, PlannedAuthority
from ca.custody.likeness import confined
from ca.custody.locking import Locking
from ca.custody.work import Work
from ca.draft import Draft, draw_up, rehearsal_key
from ca.errors import BadKey, OrderRefused
from ca.issue import Wanted, draw_serial
from ca.keys import certified, spki
from ca.pem import pem
from ca.profiles import PROFILES, Profile
from ca.tables import AuthorityRow
from ca.ticket import Ticket
from kms.hsm import KeyLabel

DOCUMENT_SIGNING: Final = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336
SIGNER_LIFE: Final = timedelta(days=365)
_SIGNER_SPEC: Final = "EC_prime256v1"
_SIGNER: Final = Profile(
    name="transcript",
    ca=False,
    path_length=None,
    key_usage=frozenset({"digital_signature"}),
    rsa_key_usage=frozenset(),
    extended_key_usage=frozenset({DOCUMENT_SIGNING}),
    extensions=MappingProxyType(
        {
            ExtensionOID.BASIC_CONSTRAINTS: True,
            ExtensionOID.KEY_USAGE: True,
            ExtensionOID.EXTENDED_KEY_USAGE: False,
            ExtensionOID.SUBJECT_KEY_IDENTIFIER: False,
            ExtensionOID.AUTHORITY_KEY_IDENTIFIER: False,
        }
    ),
    max_validity=SIGNER_LIFE + timedelta(days=1),  # it begins a little before now
    any_names=True,
)


@dataclass(frozen=True, slots=True)
class Held:
    """A ceremony that was done. `signature` is ECDSA with SHA-256 (DER) over the bytes of `transcript`."""

    transcript: bytes
    signature: bytes
    signer_pem: str
    certificates: Mapping[str, str]  # PEM by the names of the plan, the root's among them


class Ceremony:
    """One plan, in one account and Region. `plan_sha256` is of the file that was reviewed."""

    def __init__(self, work: Work, plan: CeremonyPlan, plan_sha256: str) -> None:
        self._work = work
        self._plan = plan
        self._plan_sha256 = plan_sha256
        self._steps: list[dict[str, Any]] = []
        self._certificates: dict[str, str] = {}

    def rehearse(self) -> list[str]:
        """Draw up and lint every certificate with keys that are thrown away. Nothing is kept. Raises OrderRefused."""
        plan = self._plan
        said = [f"{plan.title}, before {', '.join(plan.witnesses)}"]
        above: x509.Certificate | None = None
        for each in (plan.root, *plan.subordinates):
            drawn = self._draft(each, above)
            above = above or drawn
            where = "its key is elsewhere" if each.request is not None else f"its key made here, {each.spec}"
            said.append(
                f"{each.name}: {drawn.subject.rfc4514_string()}, until {drawn.not_valid_after_utc:%Y-%m-%d}, {where}"
            )
            said += [f"    {line}" for line in _shown(drawn)]
        signer = common_name(f"Transcript of {plan.title}"[:64])
        self._drawn("transcript", _SIGNER, signer, rehearsal_key(_SIGNER_SPEC), SIGNER_LIFE, above)
        if plan.crl_days is not None:
            said.append(f"then the root is locked, its last CRL good for {plan.crl_days} days")
        return said

    def hold(self) -> Held:
        """Do it. Raises OrderRefused before anything is made, and the store's and the core's errors."""
        self.rehearse()
        plan, work = self._plan, self._work
        root = work.authorities.create(
            NewAuthority(
                plan.root.subject, plan.root.spec, plan.root.validity, profile=_profile(plan.root, root=True)
            )
        )
        self._did(
            "made the root's key in the key core, and its certificate", plan.root.name, root.certificate
        )
        for each in plan.subordinates:
            if each.request is None:
                self._make(each, root)
            else:
                self._sign(each, root)
        signer = _TranscriptSigner(work, root, plan)
        self._did(
            "made a key for this transcript, and its certificate", "transcript-signer", signer.certificate
        )
        if plan.crl_days is not None:
            Locking(work).lock(root.id, plan.crl_days)
            self._did(f"signed the root's last CRL, good for {plan.crl_days} days, and locked its key")
        transcript = self._transcript(root)
        signer_pem = self._certificates.pop("transcript-signer")
        return Held(transcript, signer.sign(transcript), signer_pem, self._certificates)

    def _draft(self, planned: PlannedAuthority, above: x509.Certificate | None) -> x509.Certificate:
        key = rehearsal_key(planned.spec) if planned.request is None else planned.request.public_key
        profile = _profile(planned, root=above is None)
        return self._drawn(planned.name, profile, planned.subject, key, planned.validity, above)

    def _drawn(  # noqa: PLR0917 - what a certificate says
        self,
        name: str,
        profile: Profile,
        subject: x509.Name,
        public_key: bytes,
        validity: timedelta,
        above: x509.Certificate | None,
    ) -> x509.Certificate:
        now = self._work.now().replace(microsecond=0)
        ends = now + validity
        if above is not None and profile.ca and ends > above.not_valid_after_utc:
            raise OrderRefused(
                f"{name} would outlive the root, which ends {above.not_valid_after_utc:%Y-%m-%d}"
            )
        try:
            drawn = draw_up(
                Draft(
                    profile=profile,
                    issuer=above,
                    signing_spec=self._plan.root.spec,
                    subject=subject,
                    names=(),
                    public_key=public_key,
                    serial=draw_serial(self._work.entropy),
                    not_before=now,
                    not_after=ends if above is None else min(ends, above.not_valid_after_utc),
                )
            )
            Ticket(drawn, above, profile)
        except (BadKey, ValueError, OverflowError, OrderRefused) as error:
            raise OrderRefused(f"{name}: {error}") from error
        return drawn

    def _make(self, planned: PlannedAuthority, root: AuthorityRow) -> None:
        profile = _profile(planned, root=False)
        row = self._work.authorities.create(
            NewAuthority(
                planned.subject,
                planned.spec,
                planned.validity,
                root.id,
                ends_with_parent=True,
                profile=profile,
            )
        )
        self._did(
            "made a subordinate's key in the key core, and its certificate",
            planned.name,
            row.certificate,
            row.id,
        )

    def _sign(self, planned: PlannedAuthority, root: AuthorityRow) -> None:
        assert planned.request is not None  # who calls this has looked
        issued, _ = self._work.issuance.issue(
            Wanted(
                authority_id=root.id,
                profile=_profile(planned, root=False),
                subject=planned.subject,
                names=(),
                public_key=planned.request.public_key,
                valid_for=planned.validity,
                not_before=None,
                ends_with_issuer=True,
                claim=f"ceremony/{root.id}/{planned.name}",
            )
        )
        self._did("signed the certificate of a key that is elsewhere", planned.name, issued.certificate)

    def _did(
        self,
        did: str,
        name: str | None = None,
        certificate: bytes | None = None,
        authority_id: str | None = None,
    ) -> None:
        step: dict[str, Any] = {"at": f"{self._work.wall():%Y-%m-%dT%H:%M:%S.%fZ}", "did": did}
        if name is not None and certificate is not None:
            own = x509.load_der_x509_certificate(certificate)
            self._certificates[name] = pem(certificate)
            step |= {
                "name": name,
                "subject": own.subject.rfc4514_string(),
                "serial": f"{own.serial_number:x}",
                "certificate_sha256": hashlib.sha256(certificate).hexdigest(),
                "public_key_sha256": hashlib.sha256(spki(certified(own.public_key()))).hexdigest(),
                "certificate_pem": pem(certificate),
            }
        if authority_id is not None:
            step["arn"] = self._work.arn(authority_id)
        self._steps.append(step)

    def _transcript(self, root: AuthorityRow) -> bytes:
        told = {
            "ceremony": self._plan.title,
            "plan_sha256": self._plan_sha256,
            "account": root.account,
            "region": root.region,
            "root_arn": self._work.arn(root.id),
            "operator": self._work.asker.principal,
            "request_id": self._work.asker.request_id,
            "witnesses": list(self._plan.witnesses),
            "steps": self._steps,
        }
        return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()


class _TranscriptSigner:
    """A key for one signature: its token lives as long as this object."""

    def __init__(self, work: Work, root: AuthorityRow, plan: CeremonyPlan) -> None:
        self._work = work
        self._label = KeyLabel(
            purpose="kms",
            account=root.account,
            region=root.region,
            key_id=f"ceremony-{root.id}",
            version=1,
            spec=_SIGNER_SPEC,
        )
        key = work.core.generate_key(self._label, work.asker)
        self._token = key.token
        issued, _ = work.issuance.issue(
            Wanted(
                authority_id=root.id,
                profile=_SIGNER,
                subject=common_name(f"Transcript of {plan.title}"[:64]),
                names=(),
                public_key=key.public_key,
                valid_for=SIGNER_LIFE,
                not_before=None,
                ends_with_issuer=True,
                claim=f"ceremony/{root.id}/transcript",
            )
        )
        self.certificate = issued.certificate

    def sign(self, transcript: bytes) -> bytes:
        """ECDSA over the transcript's SHA-256, DER."""
        digest = hashlib.sha256(transcript).digest()
        asker = self._work.asker
        return self._work.core.sign(
            self._token, self._label, asker, "ECDSA_SHA_256", digest, message_type="DIGEST"
        )


def _profile(planned: PlannedAuthority, *, root: bool) -> Profile:
    usual = PROFILES["root" if root else "subordinate"]
    return confined(usual, planned.path_length, planned.confinement)


def _shown(drawn: x509.Certificate) -> list[str]:
    """What reviewers look at: path length and name constraints."""
    constraints = drawn.extensions.get_extension_for_class(x509.BasicConstraints).value
    limit = "no limit" if constraints.path_length is None else str(constraints.path_length)
    said = [f"path length: {limit}"]
    for each in drawn.extensions:
        if isinstance(each.value, x509.NameConstraints):
            for verb, trees in (
                ("permitted", each.value.permitted_subtrees),
                ("excluded", each.value.excluded_subtrees),
            ):
                said += [f"{verb}: {tree.value}" for tree in trees or ()]
    return said
