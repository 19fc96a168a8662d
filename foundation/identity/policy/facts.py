"""What a decision is made from: the caller, the request with its context, the policies and grants that apply."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from foundation.identity.policy.compiled import Policy
    from foundation.identity.policy.grants import GrantFact

__all__ = ["NO_CONTEXT", "Caller", "CallerKind", "Context", "Policies", "Request", "Value"]

Value = str | bytes | tuple[str, ...]
"""The value of one condition key: numbers, dates and booleans are text as AWS writes it; a tuple has several."""

CallerKind = Literal["root", "user", "role", "service", "operator"]


class Context(Protocol):
    """The condition keys of a request, by lower-case name. A dict will do. Answers must not change."""

    def get(self, key: str, /) -> Value | None:
        """Give the value of `key`, or None when the request has none."""
        ...


class _NoContext:
    __slots__ = ()

    def get(self, _key: str, /) -> None:
        return None


NO_CONTEXT: Final[Context] = _NoContext()
"""The context of a request without condition keys."""


class Caller(NamedTuple):
    """Who asks. `unique_id` is the value of `aws:userid`.

    root: the account id. user: `AIDA…`. role: `AROA…:session`, with `arn` the session's and `role_arn` and
    `role_id` the role's. service: its name (`acm.amazonaws.com`), in `arn` too.
    """

    account: str
    arn: str
    unique_id: str
    kind: CallerKind
    role_arn: str = ""
    role_id: str = ""


class Request(NamedTuple):
    """One question. `resource` is an ARN or `*`; `account` owns it; `action` is "service:Operation".

    `encryption_context` is None where the operation takes none (and {} where it takes one and was given none).
    `tokens` are the ids of the grants whose tokens the call carries. `child` is the grant that a CreateGrant
    would make. These three matter only to grants.
    """

    caller: Caller
    action: str
    resource: str
    account: str
    context: Context = NO_CONTEXT
    encryption_context: Mapping[str, str] | None = None
    tokens: AbstractSet[str] = frozenset()
    child: "GrantFact | None" = None


class Policies(NamedTuple):
    """Everything that may allow or deny. An empty tuple of `session` policies means that none was passed.

    `delegates` is for resources whose own policy must allow or delegate before IAM counts: KMS keys and role
    trust policies.
    """

    identity: tuple["Policy", ...] = ()
    boundary: "Policy | None" = None
    session: tuple["Policy", ...] = ()
    resource: tuple["Policy", ...] = ()
    grants: tuple["GrantFact", ...] = ()
    delegates: bool = False
