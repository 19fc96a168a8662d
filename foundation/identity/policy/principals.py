"""Who is meant by the principals of a policy, and how strongly: by account, by role, or the caller itself."""

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

from foundation.identity.policy.elements import Effect, Named
from foundation.identity.policy.errors import MalformedPolicy
from foundation.identity.policy.facts import Caller

__all__ = [
    "PrincipalMatcher",
    "Strength",
    "account_of",
    "check_principal",
    "is_service_name",
    "is_unique_id",
    "session_of",
    "strength_of",
]

# Each alternative is told by its first characters, so that matching is linear.
_account = re.compile(r"(?:arn:aws:iam::)?([0-9]{12})(?::root)?")
_arn = re.compile(
    r"arn:aws:iam::[0-9]{12}:(?:user|role)/[\x21-\x7e]{1,576}"
    r"|arn:aws:sts::[0-9]{12}:(?:assumed-role/[\w+=,.@-]{1,64}|federated-user)/[\w+=,.@-]{2,64}",
    re.ASCII,
)
_unique_id = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}(?::[\w+=,.@-]{2,64})?", re.ASCII)
_session = re.compile(r"arn:aws:sts::([0-9]{12}):assumed-role/([^/]+)/([^/]+)")
_service = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+){1,8}")
_DOMAINS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal", ".aws.a2z.com")
"""Under which the names of AWS's services lie. Which services there are is written down nowhere."""

LONGEST: Final = 2_048


class Strength(IntEnum):
    """How a policy or a grant names the caller; IAM weighs the forms differently.

    DIRECT: the user, the session, the service, or everyone: needs nothing else at home. ROLE: the role of the
    session: still cut by its boundary and session policies. ACCOUNT: the account's root, which leaves it to
    the account's own policies. ALONE: enough even from another account, as the right to retire a grant is.
    """

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3
    ALONE = 4


NONE, ACCOUNT, ROLE, DIRECT = Strength.NONE, Strength.ACCOUNT, Strength.ROLE, Strength.DIRECT


class PrincipalMatcher:
    """The principals of one statement or grant. Names are unique ids, or ARNs where nothing was pinned."""

    __slots__ = ("_accounts", "_anyone", "_names", "_negated", "_services", "_spares_part")

    def __init__(self, values: Mapping[str, Sequence[str]], *, negated: bool = False, effect: Effect) -> None:
        listed = values.get("AWS", ())
        self._anyone = "*" in listed
        self._accounts = frozenset(account for name in listed if (account := account_of(name)))
        self._names = frozenset(listed) - {"*"}
        self._services = frozenset(values.get("Service", ()))
        self._negated = negated
        # A NotPrincipal has to name the account and the role too for a Deny to spare the caller; an Allow
        # stops at the first name that fits. Both err towards less access.
        self._spares_part = effect == "Allow"

    def strength(self, caller: Caller) -> Strength:
        """Say how the caller is named, if it is."""
        if self._negated:
            return self._except(caller)
        if caller.kind in ("service", "operator"):
            named = self._anyone or caller.arn in self._services
            return DIRECT if named and caller.kind == "service" else NONE
        names = self._names
        if self._anyone or caller.unique_id in names or caller.arn in names:
            return DIRECT
        if caller.kind == "role" and (caller.role_id in names or caller.role_arn in names):
            return ROLE
        if caller.account in self._accounts:
            return DIRECT if caller.kind == "root" else ACCOUNT
        return NONE

    def _except(self, caller: Caller) -> Strength:
        named = [True] if self._anyone else self._named(caller)
        spared = any(named) if self._spares_part else all(named)
        return NONE if spared or caller.kind == "operator" else DIRECT

    def _named(self, caller: Caller) -> list[bool]:
        """Say for each of the caller's identities whether it is named: account, role, and itself."""
        if caller.kind == "service":
            return [caller.arn in self._services]
        named = [caller.account in self._accounts]
        if caller.kind == "role":
            named.append(caller.role_id in self._names or caller.role_arn in self._names)
        if caller.kind != "root":
            named.append(caller.unique_id in self._names or caller.arn in self._names)
        return named

    @classmethod
    def of(cls, named: Named, effect: Effect) -> "PrincipalMatcher":
        """Make the matcher of a statement's principals."""
        return cls(named.values, negated=named.negated, effect=effect)


def strength_of(name: str, caller: Caller) -> Strength:
    """Say how one principal, such as a grant's, names the caller."""
    if name in (caller.unique_id, caller.arn):
        return DIRECT
    if caller.kind == "role" and name in (caller.role_id, caller.role_arn):
        return ROLE
    belongs = caller.kind in ("user", "role") and account_of(name) == caller.account
    return ACCOUNT if belongs else NONE


def account_of(name: str) -> str:
    """Give the account that a principal names as a whole (its id, or its root's ARN), else ""."""
    found = _account.fullmatch(name)
    return found[1] if found and name.startswith("arn:") == name.endswith(":root") else ""


def session_of(name: str) -> tuple[str, str, str] | None:
    """Take the ARN of a role's session apart: account, name of the role, name of the session."""
    found = _session.fullmatch(name)
    return (found[1], found[2], found[3]) if found else None


def is_unique_id(name: str) -> bool:
    """Tell a unique id (`AIDA…`, `AROA…`, `AROA…:session`) from an ARN."""
    return _unique_id.fullmatch(name) is not None


def check_principal(kind: str, name: str) -> None:
    """Raise MalformedPolicy for what cannot be a principal of that type: a wildcard in an ARN, for one."""
    if kind == "AWS":
        valid = name == "*" or bool(account_of(name)) or is_unique_id(name) or _is_arn(name)
    elif kind == "Service":
        valid = _service.fullmatch(name) is not None
    else:
        valid = 0 < len(name) <= LONGEST and "*" not in name
    if not valid:
        raise MalformedPolicy(f"Invalid principal in policy: {kind!r}: {name[:128]!r}.")


def is_service_name(name: str) -> bool:
    """Tell whether it may be the name of an AWS service's principal: one under AWS's own domains."""
    return name.endswith(_DOMAINS) and _service.fullmatch(name) is not None


def _is_arn(name: str) -> bool:
    return _arn.fullmatch(name) is not None and "*" not in name and "?" not in name
