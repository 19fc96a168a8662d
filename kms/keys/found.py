"""A key as operations use it: everything about it that a call needs, immutable, without the ORM."""

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Final, Protocol

import msgspec

from foundation.identity import Call, Principal, Resource
from foundation.identity.policy import GrantFact, Policy, Value
from foundation.store import Scope
from kms.hsm import KeyLabel
from kms.keys.arns import key_arn
from kms.keys.policies import compiled
from kms.keys.specs import KEY_SPECS, KeySpec
from kms.keys.states import KeyState
from kms.keys.tables import Alias, Key, KeyFamily, KeyMaterial

CURRENT = "CURRENT"
NON_CURRENT = "NON_CURRENT"
PERMANENT: Final = (CURRENT, NON_CURRENT)
ORIGIN_KMS = "AWS_KMS"
ORIGIN_EXTERNAL = "EXTERNAL"
CUSTOMER = "CUSTOMER"
AWS = "AWS"
ENDING: Final = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)
"""States in which a use raises an alarm. A tuple: to hash a member of an enumeration is a call, to compare it is none."""


class Question(msgspec.Struct, frozen=True):
    """What an operation adds to the question whether it is allowed.

    `conditions`: its own condition keys, names in lower case. `request_tags`: the tags that it brings, None when it
    can bring none. `tokens`: the call's GrantTokens, as they came. The rest is for grants too: see
    `foundation.identity.policy.Request`.
    """

    conditions: Mapping[str, Value] = {}  # each instance gets its own
    request_tags: Mapping[str, str] | None = None
    encryption_context: Mapping[str, str] | None = None
    tokens: AbstractSet[str] = frozenset()
    child: GrantFact | None = None


PLAIN = Question()


class GrantSource(Protocol):
    """A key's grants, as `kms.keys.grant_rows.KeyGrants` has them."""

    def of(self, principal: Principal, /) -> tuple[GrantFact, ...]:
        """The grants that may name the caller."""
        ...

    def get(self, grant_id: str, /) -> GrantFact | None:
        """One grant as of now."""
        ...

    def forget(self, grantee: str, /) -> None:
        """That principal's grants have changed: they are read again."""
        ...


class _NoGrants:
    __slots__ = ()

    def of(self, _principal: Principal, /) -> tuple[GrantFact, ...]:
        return ()

    def get(self, _grant_id: str, /) -> None:
        return None

    def forget(self, _grantee: str, /) -> None:
        pass


NO_GRANTS: Final[GrantSource] = _NoGrants()
"""Of a key that was read to be changed, not to be asked about."""


@dataclass(frozen=True, slots=True)
class Material:
    """One material in this Region. `token` is None where there is none (any more) to use."""

    version: int
    id: str
    token: bytes | None
    public_key: bytes
    state: str
    created_at: datetime
    rotated_at: datetime | None
    rotation_type: str | None
    description: str | None
    valid_to: datetime | None


@dataclass(frozen=True)
class FoundKey:
    """One key of one Region. `aliases` are names with their prefix; `materials` are in the order of versions.

    What follows from its fields is worked out once: the cache keeps it over many calls. `expires_at`: when the first
    of its materials ends; who uses the key asks for it `as_of` now. `version` is that of the key's own row.
    """

    scope: Scope
    id: str
    manager: str
    spec: KeySpec
    usage: str
    origin: str
    state: KeyState
    description: str
    created_at: datetime
    deletion_at: datetime | None
    window_days: int | None
    policy: str
    compiled: Policy
    tags: Mapping[str, str]
    aliases: tuple[str, ...]
    multi_region: bool
    primary_region: str
    regions: tuple[str, ...]
    rotation_days: int | None
    rotation_due: datetime | None
    on_demand_at: datetime | None
    materials: tuple[Material, ...]
    facts: Mapping[str, Value]
    expires_at: datetime | None = None
    version: int = 0
    grants: GrantSource = field(default=NO_GRANTS, compare=False, repr=False)

    @cached_property
    def arn(self) -> str:
        return key_arn(self.scope, self.id)

    @cached_property
    def algorithms(self) -> tuple[str, ...]:
        """What the key may be used with, by its spec and usage."""
        return self.spec.algorithms(self.usage)

    @property
    def multi_region_type(self) -> str | None:
        """PRIMARY or REPLICA; None for a single-Region key."""
        if not self.multi_region:
            return None
        return "PRIMARY" if self.scope.region == self.primary_region else "REPLICA"

    @cached_property
    def current(self) -> Material | None:
        """The material that encrypts, signs and derives; None while there is none."""
        return next((material for material in self.materials if material.state == CURRENT), None)

    def as_of(self, now: datetime) -> "FoundKey":
        """The key as it is at `now`: material that has expired is gone, whether or not its job has run (TRAPS 18)."""
        if self.expires_at is None or now < self.expires_at:
            return self
        state, materials = self.state, []
        for material in self.materials:
            if material.token is None or material.valid_to is None or now < material.valid_to:
                materials.append(material)
            elif material.state in PERMANENT:
                materials.append(replace(material, token=None, valid_to=None))
                state = state if state in ENDING else KeyState.PENDING_IMPORT
        return replace(self, state=state, materials=tuple(materials), expires_at=_first_end(materials))

    def material(self, version: int) -> Material | None:
        """The material that a ciphertext names."""
        return next((material for material in self.materials if material.version == version), None)

    def label(self, version: int) -> KeyLabel:
        """What the core binds the version's token to."""
        known = self._labels.get(version)
        return known or label_of(self.scope, self.id, version, self.spec, self.usage, self.origin)

    @cached_property
    def _labels(self) -> Mapping[int, KeyLabel]:
        return {
            material.version: label_of(
                self.scope, self.id, material.version, self.spec, self.usage, self.origin
            )
            for material in self.materials
        }

    def resource(
        self,
        call: Call,
        question: Question,
        *,
        request_alias: str | None = None,
        presented: AbstractSet[str] = frozenset(),
    ) -> Resource:
        """The key as an action is asked about it by this caller; its policy must allow, or delegate to IAM.

        `presented`: the ids of the grants whose tokens the call carries (`Lookup.asked` reads them). Such a grant
        counts at once, even where this process has not heard of it yet.
        """
        grants = self.grants.of(call.principal)
        if presented:
            unheard = (self.grants.get(one) for one in presented - {grant.grant_id for grant in grants})
            grants = (*grants, *(grant for grant in unheard if grant is not None))
        return Resource(
            arn=self.arn,
            account=self.scope.account,
            policies=(self.compiled,),
            grants=grants,
            tags=self.tags,
            conditions={**self._conditions(call, request_alias), **question.conditions},
            delegates=True,
            request_tags=question.request_tags,
            encryption_context=question.encryption_context,
            tokens=presented,
            child=question.child,
        )

    def _conditions(self, call: Call, request_alias: str | None) -> dict[str, Value]:
        conditions = {**self.facts, "kms:calleraccount": call.account}
        if call.via_service is not None:
            conditions |= call_conditions(call)
        if request_alias is not None:
            conditions["kms:requestalias"] = request_alias
        return conditions


def facts_of(family: KeyFamily, region: str, aliases: tuple[str, ...]) -> dict[str, Value]:
    """The condition keys that hold for the key whoever calls: worked out once, not per call."""
    facts = spec_conditions(family.spec, family.usage, family.origin, family.multi_region)
    if family.multi_region:
        facts["kms:multiregionkeytype"] = "PRIMARY" if region == family.primary_region else "REPLICA"
    if aliases:
        facts["kms:resourcealiases"] = aliases
    return facts


def spec_conditions(spec: str, usage: str, origin: str, multi_region: bool) -> dict[str, Value]:
    """The condition keys of what a key is, or is asked to be; names in lower case, as the engine looks them up."""
    return {
        "kms:keyspec": spec,
        "kms:keyusage": usage,
        "kms:keyorigin": origin,
        "kms:customermasterkeyspec": spec,
        "kms:customermasterkeyusage": usage,
        "kms:multiregion": "true" if multi_region else "false",
    }


def call_conditions(call: Call) -> dict[str, Value]:
    """KMS's condition keys of the call itself."""
    facts: dict[str, Value] = {"kms:calleraccount": call.account}
    if call.via_service is not None:
        facts["kms:viaservice"] = f"{call.via_service}.{call.region}.amazonaws.com"
    return facts


def label_of(scope: Scope, key_id: str, version: int, spec: KeySpec, usage: str, origin: str) -> KeyLabel:  # noqa: PLR0917 -- the fields of a label in their order
    """The label of one material of a KMS key."""
    return KeyLabel("kms", scope.account, scope.region, key_id, version, spec.core, origin, usage)


def found_key(
    key: Key,
    family: KeyFamily,
    materials: list[KeyMaterial],
    aliases: list[Alias],
    grants: GrantSource = NO_GRANTS,
) -> FoundKey:
    """Rows whose MACs hold, as a key."""
    names = tuple(alias.name for alias in aliases)
    listed = tuple(_material(row) for row in sorted(materials, key=lambda row: row.version))
    return FoundKey(
        scope=Scope(key.account, key.region),
        id=key.id,
        manager=family.manager,
        spec=KEY_SPECS[family.spec],
        usage=family.usage,
        origin=family.origin,
        state=state_of(key, family),
        description=key.description,
        created_at=key.created_at,
        deletion_at=key.deletion_at,
        window_days=key.window_days,
        policy=key.policy,
        compiled=compiled(key.policy),
        tags=json.loads(key.tags),
        aliases=names,
        multi_region=family.multi_region,
        primary_region=family.primary_region,
        regions=tuple(json.loads(family.regions)),
        rotation_days=family.rotation_days,
        rotation_due=family.rotation_due,
        on_demand_at=family.on_demand_at,
        materials=listed,
        facts=facts_of(family, key.region, names),
        expires_at=_first_end(listed),
        version=key.row_version,
        grants=grants,
    )


def state_of(key: Key, family: KeyFamily) -> KeyState:
    """The key's state; Updating while it gives up or takes the primary's part."""
    moving = family.next_primary is not None and key.region in {family.primary_region, family.next_primary}
    return KeyState.UPDATING if moving and key.state == KeyState.ENABLED else KeyState(key.state)


def _first_end(materials: Iterable[Material]) -> datetime | None:
    ends = (each.valid_to for each in materials if each.token is not None and each.valid_to is not None)
    return min(ends, default=None)


def _material(row: KeyMaterial) -> Material:
    return Material(
        version=row.version,
        id=row.material_id,
        token=row.token,
        public_key=row.public_key,
        state=row.state,
        created_at=row.created_at,
        rotated_at=row.rotated_at,
        rotation_type=row.rotation_type,
        description=row.description,
        valid_to=row.valid_to,
    )
