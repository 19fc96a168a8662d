"""What one call to acm-pca works with, and the authority that it names, in whosever account."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from cryptography import x509
from sqlmodel import Session, select

from ca.algorithms import USUAL
from ca.arns import authority_arn, parse_authority_arn
from ca.authorities import found
from ca.errors import AuthorityNotFound
from ca.known import KnownAuthorities
from ca.orders import CaSettings
from ca.pca.configuration import KEY_STORAGE
from ca.pca.errors import InvalidArn, ResourceNotFound
from ca.pca.subjects import subject_of
from ca.sinks import ObjectSink
from ca.states import next_authority_state, state_at
from ca.tables import AuthorityRow, ConfigurationRow
from foundation.identity import Call
from foundation.store import SYSTEM, Scope, Unit
from foundation.wire import TokenSeal
from kms.hsm import Asker, CoreClient


class Principals(Protocol):
    """Who exists: see `foundation.identity.Principals`."""

    def id_of(self, arn: str, /) -> str | None: ...

    def arn_of(self, unique_id: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """`unit` is of the caller's account and Region; an authority's rows may be in another's (resource policies)."""

    unit: Unit
    call: Call
    core: CoreClient
    principals: Principals
    seal: TokenSeal
    now: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    settings: CaSettings
    sink: ObjectSink
    settle: Callable[[], None]  # returns when every worker has seen what is committed
    known: KnownAuthorities

    def kept(self, unit: Unit, authority_id: str) -> "Kept":
        """The authority as every process has seen it, from memory. Raises AuthorityNotFound."""
        known = self.known.find(unit, authority_id)
        row, configuration = known.row, known.configuration
        if configuration is None:
            configuration = _shared(unit.scope, row.id, row.subject, row.key_spec, row.created_at)
        return of_row(row, configuration, self.now())

    @property
    def asker(self) -> Asker:
        return Asker(*self.call.asker)

    def place(self, arn: str) -> tuple[Unit, str]:
        """The unit of the authority's owner, and its id. The pipeline has asked the policies before any handler runs.

        Raises InvalidArn, ResourceNotFound (another Region's, or the deployment's own).
        """
        try:
            scope, authority_id = parse_authority_arn(arn)
        except AuthorityNotFound as error:
            raise InvalidArn(str(error)) from error
        if scope.region != self.unit.scope.region or scope == SYSTEM:
            raise ResourceNotFound(f"There is no private CA {arn} in this Region")
        if scope == self.unit.scope:
            return self.unit, authority_id
        return self.unit.at(scope, because="a resource policy of the CA decides who may use it"), authority_id


@dataclass(frozen=True, slots=True)
class Kept:
    """An authority with its configuration. `status` is the one to act on."""

    scope: Scope
    row: AuthorityRow
    configuration: ConfigurationRow
    status: str

    @property
    def arn(self) -> str:
        return authority_arn(self.scope, self.row.id)

    @property
    def tags(self) -> dict[str, str]:
        tags: dict[str, str] = json.loads(self.configuration.tags)
        return tags

    def allows(self, action: str) -> str:
        """The status that follows. Raises AuthorityState."""
        return next_authority_state(self.row.id, self.status, action)


def kept(session: Session, authority_id: str, now: datetime) -> Kept:
    """The authority; one of `keystead ca init` has a configuration made up of its row. Raises AuthorityNotFound."""
    row = found(session, authority_id)
    mine = select(ConfigurationRow).where(ConfigurationRow.authority_id == authority_id)
    return of_row(row, session.exec(mine).one_or_none(), now)


def of_row(row: AuthorityRow, configuration: ConfigurationRow | None, now: datetime) -> Kept:
    """Both rows together."""
    if configuration is None:
        configuration = _made_up(
            Scope(row.account, row.region), row.id, row.subject, row.key_spec, row.created_at
        )
    return Kept(Scope(row.account, row.region), row, configuration, state_at(row.status, row.not_after, now))


def _made_up(
    scope: Scope, authority_id: str, subject: bytes, key_spec: str, created_at: datetime
) -> ConfigurationRow:
    """Of an authority that the API has not changed."""
    name: dict[str, Any] = subject_of(x509.Name.from_bytes(subject))
    return ConfigurationRow(
        account=scope.account,
        region=scope.region,
        authority_id=authority_id,
        usage_mode="GENERAL_PURPOSE",
        signing_algorithm=USUAL[key_spec].name,
        subject=json.dumps(name),
        key_storage=KEY_STORAGE,
        tags="{}",
        changed_at=created_at,
    )


_shared = lru_cache(maxsize=1024)(_made_up)
