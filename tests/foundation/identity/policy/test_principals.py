"""Who is meant by a Principal: each form against each caller; NotPrincipal; ids in storage, ARNs in answers."""

from typing import Any

import pytest

from foundation.identity.policy import (
    Caller,
    Kind,
    MalformedPolicy,
    Strength,
    parse,
    pin,
    pin_principal,
    show,
    show_principal,
)
from foundation.identity.policy.elements import Effect, Named
from foundation.identity.policy.principals import PrincipalMatcher, strength_of
from tests.foundation.identity.policy.samples import (
    AWAY,
    CALLERS,
    HOME,
    ROLE_ARN,
    ROLE_ID,
    ROOT_ARN,
    SERVICE,
    SESSION_ARN,
    SESSION_ID,
    USER_ARN,
    USER_ID,
    document,
    role,
    root,
    statement,
    user,
)

NONE, ACCOUNT, ROLE, DIRECT = Strength.NONE, Strength.ACCOUNT, Strength.ROLE, Strength.DIRECT

# principal of the policy: the strength for root, user, role session, service, operator
FORMS: dict[str, tuple[Strength, ...]] = {
    "*": (DIRECT, DIRECT, DIRECT, DIRECT, NONE),
    HOME: (DIRECT, ACCOUNT, ACCOUNT, NONE, NONE),
    ROOT_ARN: (DIRECT, ACCOUNT, ACCOUNT, NONE, NONE),
    AWAY: (NONE, NONE, NONE, NONE, NONE),
    USER_ARN: (NONE, DIRECT, NONE, NONE, NONE),
    USER_ID: (NONE, DIRECT, NONE, NONE, NONE),
    ROLE_ARN: (NONE, NONE, ROLE, NONE, NONE),
    ROLE_ID: (NONE, NONE, ROLE, NONE, NONE),
    SESSION_ARN: (NONE, NONE, DIRECT, NONE, NONE),
    SESSION_ID: (NONE, NONE, DIRECT, NONE, NONE),
    SERVICE: (NONE, NONE, NONE, DIRECT, NONE),
    "AIDAEXAMPLEOTHER00001": (NONE, NONE, NONE, NONE, NONE),
}

CELLS = [
    (name, kind, strength) for name, row in FORMS.items() for kind, strength in zip(CALLERS, row, strict=True)
]


def matcher(name: str, *, negated: bool = False, effect: Effect = "Allow") -> PrincipalMatcher:
    return PrincipalMatcher.of(Named({"Service" if name == SERVICE else "AWS": (name,)}, negated), effect)


@pytest.mark.parametrize(("name", "kind", "expected"), CELLS)
def test_a_form_names_a_caller_as_the_table_says(name: str, kind: str, expected: Strength) -> None:
    caller = CALLERS[kind]
    assert matcher(name).strength(caller) is expected
    if name not in ("*", HOME, AWAY):
        assert strength_of(name, caller) is expected, "a grant names its grantee likewise"


NOT_PRINCIPALS: tuple[tuple[tuple[str, ...], str, bool, bool], ...] = (
    # names of NotPrincipal, caller, whether an Allow applies, whether a Deny does
    ((USER_ARN,), "user", False, True),
    ((USER_ARN, ROOT_ARN), "user", False, False),
    ((USER_ARN, ROOT_ARN), "root", False, False),
    ((USER_ARN, ROOT_ARN), "role", False, True),
    ((ROLE_ARN, ROOT_ARN), "role", False, True),
    ((ROLE_ARN, ROOT_ARN, SESSION_ARN), "role", False, False),
    ((ROLE_ID, HOME, SESSION_ID), "role", False, False),
    ((f"arn:aws:iam::{AWAY}:root",), "user", True, True),
    ((USER_ARN,), "service", True, True),
    ((SERVICE,), "service", False, False),
    (("*",), "user", False, False),
    ((USER_ARN,), "operator", True, True),
)


@pytest.mark.parametrize(("names", "kind", "allow", "deny"), NOT_PRINCIPALS)
def test_not_principal_spares_those_whose_account_and_role_are_named_too(
    names: tuple[str, ...], kind: str, allow: bool, deny: bool
) -> None:
    values = {
        "AWS": tuple(name for name in names if name != SERVICE),
        "Service": tuple(name for name in names if name == SERVICE),
    }
    caller = CALLERS[kind]
    effects: tuple[tuple[Effect, bool], ...] = (("Allow", allow), ("Deny", deny))
    for effect, applies in effects:
        found = PrincipalMatcher(values, negated=True, effect=effect).strength(caller)
        assert (found is not NONE) is (applies and kind != "operator")


KNOWN = {
    USER_ARN: USER_ID,
    USER_ID: USER_ID,
    ROLE_ARN: ROLE_ID,
    SESSION_ARN: ROLE_ID,
    ROOT_ARN: HOME,
}
ARNS = {USER_ID: USER_ARN, ROLE_ID: ROLE_ARN}


def key_policy(principal: Any, **elements: Any) -> str:
    return document(statement(Principal=principal, **elements))


SHOWN: tuple[tuple[Any, Any, Any], ...] = (
    # written, stored, shown
    ("*", "*", "*"),
    ({"AWS": "*"}, {"AWS": "*"}, {"AWS": "*"}),
    ({"AWS": HOME}, {"AWS": ROOT_ARN}, {"AWS": ROOT_ARN}),
    ({"AWS": USER_ARN}, {"AWS": USER_ID}, {"AWS": USER_ARN}),
    ({"AWS": [ROLE_ARN, SESSION_ARN]}, {"AWS": [ROLE_ID, SESSION_ID]}, {"AWS": [ROLE_ARN, SESSION_ARN]}),
    ({"AWS": USER_ID, "Service": SERVICE}, {"AWS": USER_ID, "Service": SERVICE}, {"AWS": USER_ARN, "Service": SERVICE}),
    ({"Service": [SERVICE]}, {"Service": [SERVICE]}, {"Service": [SERVICE]}),
)  # fmt: skip


@pytest.mark.parametrize(("written", "stored", "shown"), SHOWN)
def test_a_policy_is_stored_with_ids_and_shown_with_arns(written: Any, stored: Any, shown: Any) -> None:
    pinned = pin(parse(key_policy(written), Kind.RESOURCE), KNOWN.get)
    assert pinned.tree["Statement"][0]["Principal"] == stored
    reread = parse(pinned.text(), Kind.RESOURCE)
    assert show(reread, ARNS.get).tree["Statement"][0]["Principal"] == shown


def test_not_principal_is_pinned_too_and_one_statement_stays_one() -> None:
    alone = document(statement("Deny", NotPrincipal={"AWS": USER_ARN}))
    single = alone.replace("[{", "{", 1).replace("}]", "}", 1)
    pinned = pin(parse(single, Kind.RESOURCE), KNOWN.get)
    assert pinned.tree["Statement"]["NotPrincipal"] == {"AWS": USER_ID}


@pytest.mark.parametrize("name", [USER_ARN, ROLE_ARN, SESSION_ARN, ROOT_ARN, HOME, USER_ID])
def test_principals_must_exist(name: str) -> None:
    with pytest.raises(MalformedPolicy, match="does not exist"):
        pin(parse(key_policy({"AWS": name}), Kind.RESOURCE), lambda _name: None)


@pytest.mark.parametrize("stored", [USER_ID, SESSION_ID])
def test_a_deleted_principal_shows_as_its_id(stored: str) -> None:
    assert show_principal(stored, lambda _id: None) == stored


def test_a_recreated_name_gets_nothing() -> None:
    stored = pin_principal(USER_ARN, KNOWN.get)
    again = Caller(HOME, USER_ARN, "AIDAEXAMPLEALICE00002", "user")
    assert matcher(stored).strength(user()) is DIRECT
    assert matcher(stored).strength(again) is NONE
    session = pin_principal(SESSION_ARN, KNOWN.get)
    recreated = Caller(
        HOME, SESSION_ARN, "AROAEXAMPLEAPP0000002:one", "role", ROLE_ARN, "AROAEXAMPLEAPP0000002"
    )
    assert matcher(session).strength(role()) is DIRECT
    assert matcher(session).strength(recreated) is NONE


def test_a_role_in_a_path_shows_its_sessions_without_the_path() -> None:
    in_path = {ROLE_ID: f"arn:aws:iam::{HOME}:role/team/app"}
    assert show_principal(SESSION_ID, in_path.get) == SESSION_ARN


def test_the_root_of_another_account_is_not_this_one() -> None:
    assert matcher(ROOT_ARN).strength(root(AWAY)) is NONE
