"""A key policy that its author could not replace again is refused."""

import pytest

from foundation.identity.policy import Caller, Kind, LockedOut, may_manage, parse
from tests.foundation.identity.policy.samples import (
    AWAY,
    HOME,
    KEY,
    ROLE_ARN,
    ROOT_ARN,
    USER_ARN,
    document,
    role,
    root,
    statement,
    user,
)

ADMIN = statement(Sid="Admins", Principal={"AWS": USER_ARN}, Action="kms:Put*")
DELEGATED = statement(Sid="Enable IAM", Principal={"AWS": ROOT_ARN}, Action="kms:*")
NO_RESOURCE = {name: value for name, value in ADMIN.items() if name != "Resource"}
MFA = {**ADMIN, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}

KEEPING = (
    (user(), (ADMIN,), "Admins"),
    (user(), (DELEGATED,), "Enable IAM"),
    (user(), (DELEGATED, ADMIN), "Admins"),
    (role(), (DELEGATED, ADMIN), "Enable IAM"),
    (root(), (DELEGATED,), "Enable IAM"),
)
LOSING = (
    (role(), (ADMIN,)),
    (root(), (ADMIN,)),
    (user(), (NO_RESOURCE,)),
    (user(), (MFA,)),
    (user(), (statement(Principal={"AWS": USER_ARN}),)),
    (user(), (ADMIN, statement("Deny", Principal="*", Action="kms:PutKeyPolicy"))),
    (user(), (statement(Principal={"AWS": ROLE_ARN}, Action="kms:*"),)),
    (user(AWAY), (ADMIN, DELEGATED)),
)


@pytest.mark.parametrize(("caller", "statements", "by"), KEEPING)
def test_an_author_who_may_replace_the_policy_may_write_it(
    caller: Caller, statements: tuple[dict[str, object], ...], by: str
) -> None:
    policy = parse(document(*statements), Kind.RESOURCE)
    assert may_manage(policy, caller, resource=KEY, account=HOME).statement == by


@pytest.mark.parametrize(("caller", "statements"), LOSING)
def test_an_author_who_would_be_locked_out_is_refused(
    caller: Caller, statements: tuple[dict[str, object], ...]
) -> None:
    policy = parse(document(*statements), Kind.RESOURCE)
    with pytest.raises(LockedOut, match="would not let"):
        may_manage(policy, caller, resource=KEY, account=HOME)


def test_the_present_call_is_what_conditions_are_checked_with() -> None:
    policy = parse(document(MFA), Kind.RESOURCE)
    context = {"aws:multifactorauthpresent": "true"}
    assert may_manage(policy, user(), resource=KEY, account=HOME, context=context)
