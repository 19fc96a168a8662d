"""Certificate authorities: made, found, switched off and on, and shown."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlmodel import Session, col, select

from ca.arns import authority_arn
from ca.certificates import KeptCertificate
from ca.errors import AuthorityNotFound, AuthorityState, OrderRefused
from ca.issue import Issuance, Wanted
from ca.keys import CA_KEY_SPECS
from ca.orders import AuthorityView
from ca.pem import pem
from ca.profiles import PROFILES, Profile
from ca.revocation_settings import DEPLOYMENTS, OWN
from ca.shards import open_shards
from ca.signing import key_label
from ca.states import next_authority_state, state_at
from ca.tables import AuthorityRow, PlaceRow
from foundation.store import SYSTEM, Duplicate, Unit
from kms.hsm import Asker, CoreClient, is_locked


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """What an authority shall be.

    `parent_id` None makes a root. `role`, where given, is had by one authority at most. `ends_with_parent` cuts the
    validity at the parent's end, where it is otherwise refused.
    """

    subject: x509.Name
    spec: str
    validity: timedelta
    parent_id: str | None = None
    ends_with_parent: bool = False
    role: str | None = None
    profile: Profile | None = None  # a CA's, in place of the usual one


class Authorities:
    """The authorities of the unit's account and Region."""

    def __init__(
        self,
        unit: Unit,
        core: CoreClient,
        asker: Asker,
        issuance: Issuance,
        *,
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._unit = unit
        self._core = core
        self._asker = asker
        self._issuance = issuance
        self._now = now
        self._entropy = entropy

    def create(self, new: NewAuthority) -> AuthorityRow:
        """Make the authority, ACTIVE when this returns; one with a role is found, or finished, if it exists already.

        Two callers with one role get one authority. Raises OrderRefused, AuthorityNotFound and AuthorityState (of the
        parent), and the store's and the core's errors, after which a call with a role may be repeated.
        """
        if new.spec not in CA_KEY_SPECS:
            raise OrderRefused(f"{new.spec!r} is not a key of a CA: use one of {', '.join(CA_KEY_SPECS)}")
        row = self._with_role(new.role) or self._begin(new)
        if row.status == "CREATING":
            row = self._activate(row, self._certify(row, new))
        return row

    def find(self, authority_id: str) -> AuthorityRow:
        with self._unit.read() as session:
            return found(session, authority_id)

    def every(self) -> list[AuthorityRow]:
        """All that have a certificate, oldest first and roots before what they signed."""
        with self._unit.read() as session:
            certified = select(AuthorityRow).where(col(AuthorityRow.certificate).is_not(None))
            rows = session.exec(certified.where(AuthorityRow.status != "DELETED")).all()
        return sorted(rows, key=lambda row: (row.created_at, row.kind != "ROOT", row.id))

    def with_role(self, beginning: str) -> list[AuthorityRow]:
        """Those of `every` whose role begins so."""
        return [row for row in self.every() if (row.role or "").startswith(beginning)]

    def move(self, authority_id: str, action: str) -> AuthorityRow:
        """Apply "disable" or "enable". Raises AuthorityState."""

        def body(session: Session) -> AuthorityRow:
            row = found(session, authority_id)
            if action == "enable":
                refuse_locked(row, action)
            row.status = next_authority_state(
                row.id, state_at(row.status, row.not_after, self._now()), action
            )
            session.add(row)
            return row

        return self._unit.write(body)

    def view(self, row: AuthorityRow) -> AuthorityView:
        """What others may see of it. Raises AuthorityState while it has no certificate."""
        if row.certificate is None:
            raise AuthorityState(row.id, row.status, "view")
        certificate = x509.load_der_x509_certificate(row.certificate)
        return AuthorityView(
            arn=authority_arn(self._unit.scope, row.id),
            id=row.id,
            kind=row.kind,
            status=state_at(row.status, row.not_after, self._now()),
            key_spec=row.key_spec,
            subject=certificate.subject.rfc4514_string(),
            parent_arn=None if row.parent_id is None else authority_arn(self._unit.scope, row.parent_id),
            serial=f"{certificate.serial_number:x}",
            certificate_pem=pem(row.certificate),
            chain_pem=pem(row.chain or b""),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )

    def _with_role(self, role: str | None) -> AuthorityRow | None:
        if role is None:
            return None
        with self._unit.read() as session:
            return session.exec(select(AuthorityRow).where(AuthorityRow.role == role)).one_or_none()

    def _begin(self, new: NewAuthority) -> AuthorityRow:
        """Make the key and commit the authority as CREATING; if its role was taken meanwhile, return who took it."""
        row = AuthorityRow(
            account=self._unit.scope.account,
            region=self._unit.scope.region,
            id=str(uuid.UUID(bytes=self._entropy(16), version=4)),
            role=new.role,
            kind="ROOT" if new.parent_id is None else "SUBORDINATE",
            status="CREATING",
            parent_id=new.parent_id,
            key_spec=new.spec,
            key_token=b"",
            public_key=b"",
            subject=new.subject.public_bytes(),
            serial=None,
            certificate=None,
            chain=None,
            not_before=None,
            not_after=None,
            created_at=self._now(),
            revocation=DEPLOYMENTS if self._unit.scope == SYSTEM else OWN,
        )
        key = self._core.generate_key(key_label(row), self._asker)
        values = row.model_dump() | {"key_token": key.token, "public_key": key.public_key}

        def body(session: Session) -> AuthorityRow:
            if new.role is not None:
                first = session.exec(select(AuthorityRow).where(AuthorityRow.role == new.role)).one_or_none()
                if first is not None:
                    return first
            if new.parent_id is not None:
                parent = found(session, new.parent_id)
                next_authority_state(
                    parent.id, state_at(parent.status, parent.not_after, self._now()), "issue"
                )
            begun = AuthorityRow(**values)
            session.add(begun)
            session.add(place_of(begun))
            return begun

        try:
            return self._unit.write(body)
        except Duplicate:  # PostgreSQL: another took the role meanwhile
            return self._with_role(new.role) or self._begin(new)

    def _certify(self, row: AuthorityRow, new: NewAuthority) -> KeptCertificate:
        """Issue the authority's own certificate: by itself for a root, otherwise by its parent."""
        profile = new.profile or PROFILES["root" if row.parent_id is None else "subordinate"]
        issued, _ = self._issuance.issue(
            Wanted(
                authority_id=row.parent_id or row.id,
                profile=profile,
                subject=x509.Name.from_bytes(row.subject),
                names=(),
                public_key=row.public_key,
                valid_for=new.validity,
                not_before=None,
                ends_with_issuer=new.ends_with_parent,
                claim=f"authority/{row.id}",
            )
        )
        return issued

    def _activate(self, row: AuthorityRow, issued: KeptCertificate) -> AuthorityRow:
        def body(session: Session) -> AuthorityRow:
            current = found(session, row.id)
            if current.status != "CREATING":
                return current
            parent = None if row.parent_id is None else found(session, row.parent_id)
            current.status = next_authority_state(row.id, current.status, "activate")
            current.serial = issued.serial
            current.certificate = issued.certificate
            current.chain = b"" if parent is None else (parent.certificate or b"") + (parent.chain or b"")
            current.not_before, current.not_after = issued.not_before, issued.not_after
            session.add(current)
            open_shards(session, current, self._issuance.pointing, self._now())
            return current

        return self._unit.write(body)


def found(session: Session, authority_id: str) -> AuthorityRow:
    """The authority of that id in the session's account and Region, or AuthorityNotFound."""
    row = session.exec(select(AuthorityRow).where(AuthorityRow.id == authority_id)).one_or_none()
    if row is None:
        raise AuthorityNotFound(f"no certificate authority {authority_id} in this account and Region")
    return row


def refuse_locked(row: AuthorityRow, action: str) -> None:
    """Raise AuthorityState for an authority whose key is locked: only `keystead ca unlock` changes that."""
    if is_locked(row.key_token):
        raise AuthorityState(row.id, "locked", f"{action} (`keystead ca unlock` opens it for a while)")


def common_name(text: str, organisation: str | None = None) -> x509.Name:
    """A subject of a CN, and an O before it if given. Raises OrderRefused for what does not fit (64 characters each)."""
    try:
        first = [] if organisation is None else [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
        return x509.Name([*first, x509.NameAttribute(NameOID.COMMON_NAME, text)])
    except ValueError as error:
        raise OrderRefused(f"{text[:80]!r} cannot be the name of an authority: {error}") from error


def place_of(row: AuthorityRow) -> PlaceRow:
    """Where the authority is to be found, and its key."""
    return PlaceRow(
        authority_id=row.id,
        account=row.account,
        region=row.region,
        key_digest=hashlib.sha256(row.public_key).digest(),
    )
