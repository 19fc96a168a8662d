"""AWS's evaluation logic row by row: one account, two accounts, resources that delegate, and explicit denies."""

from typing import NamedTuple

import pytest

from foundation.identity.policy import (
    Caller,
    GrantFact,
    Kind,
    Layer,
    Policies,
    Policy,
    Request,
    Verdict,
    compile_policy,
    evaluate,
)
from tests.foundation.identity.policy.samples import (
    ACTION,
    AWAY,
    HOME,
    KEY,
    ROLE_ARN,
    ROLE_ID,
    ROOT_ARN,
    SERVICE,
    SESSION_ARN,
    USER_ARN,
    document,
    identity,
    operator,
    resource,
    role,
    root,
    service,
    statement,
    user,
)

ALLOWS = identity(statement())
SILENT = identity(statement(Action="s3:*"))
DENIES = identity(statement("Deny"))


def naming(*names: str, effect: str = "Allow", action: str = ACTION) -> Policy:
    principal = {"Service": list(names)} if SERVICE in names else {"AWS": list(names)}
    return resource(statement(effect, Principal=principal, Action=action))


class Row(NamedTuple):
    """One row: who asks, what each policy says (None: there is none), and what comes of it.

    `decided` is the layer that decides; `named` the principal of the resource's policy.
    """

    text: str
    caller: Caller
    named: str | None
    own: Policy | None
    boundary: Policy | None
    session: Policy | None
    allowed: bool
    decided: Layer


IDENTITY, BOUNDARY, SESSION, RESOURCE, ROOT = (
    Layer.IDENTITY,
    Layer.BOUNDARY,
    Layer.SESSION,
    Layer.RESOURCE,
    Layer.ROOT,
)

# The caller and the resource are of one account; the resource needs no policy of its own.
AT_HOME = (
    # IAM User Guide, "Resource-based policies and implicit denies in other policy types (same account)".
    Row("user named, all else silent", user(), USER_ARN, SILENT, SILENT, None, True, RESOURCE),
    Row("role named, all else silent", role(), ROLE_ARN, SILENT, SILENT, SILENT, False, BOUNDARY),
    Row("role named, boundary silent", role(), ROLE_ARN, None, SILENT, ALLOWS, False, BOUNDARY),
    Row("role named, session silent", role(), ROLE_ARN, None, ALLOWS, SILENT, False, SESSION),
    Row("role named, boundary and session allow", role(), ROLE_ARN, None, ALLOWS, ALLOWS, True, RESOURCE),
    Row("role named, nothing else", role(), ROLE_ARN, None, None, None, True, RESOURCE),
    Row("session named, all else silent", role(), SESSION_ARN, SILENT, SILENT, SILENT, True, RESOURCE),
    Row("root named", root(), ROOT_ARN, None, None, None, True, RESOURCE),
    Row("service named", service(), SERVICE, None, None, None, True, RESOURCE),
    Row("everyone named, user", user(), "*", SILENT, SILENT, None, True, RESOURCE),
    Row("everyone named, role", role(), "*", SILENT, SILENT, SILENT, True, RESOURCE),
    Row("everyone named, service", service(), "*", None, None, None, True, RESOURCE),
    # "Policy evaluation for requests within a single account".
    Row("nothing at all", user(), None, None, None, None, False, IDENTITY),
    Row("identity allows", user(), None, ALLOWS, None, None, True, IDENTITY),
    Row("identity silent", user(), None, SILENT, None, None, False, IDENTITY),
    Row("identity and boundary allow", user(), None, ALLOWS, ALLOWS, None, True, IDENTITY),
    Row("boundary silent", user(), None, ALLOWS, SILENT, None, False, BOUNDARY),
    Row("boundary allows, identity silent", user(), None, SILENT, ALLOWS, None, False, IDENTITY),
    Row("session allows too", role(), None, ALLOWS, None, ALLOWS, True, IDENTITY),
    Row("session silent", role(), None, ALLOWS, None, SILENT, False, SESSION),
    Row("session allows, identity silent", role(), None, SILENT, None, ALLOWS, False, IDENTITY),
    Row("all three allow", role(), None, ALLOWS, ALLOWS, ALLOWS, True, IDENTITY),
    Row("account named, identity silent", user(), ROOT_ARN, SILENT, None, None, False, IDENTITY),
    Row("account named, identity allows", user(), ROOT_ARN, ALLOWS, None, None, True, IDENTITY),
    Row("another user named", user(), f"{USER_ARN}2", SILENT, None, None, False, IDENTITY),
    Row("another user named, identity allows", user(), f"{USER_ARN}2", ALLOWS, None, None, True, IDENTITY),
    Row("root needs no policy", root(), None, None, None, None, True, ROOT),
    Row("service without a policy", service(), None, ALLOWS, None, None, False, RESOURCE),
    Row("operator", operator(), "*", None, None, None, False, IDENTITY),
    # An explicit deny anywhere.
    Row("identity denies a user named", user(), USER_ARN, DENIES, None, None, False, IDENTITY),
    Row("boundary denies a user named", user(), USER_ARN, ALLOWS, DENIES, None, False, BOUNDARY),
    Row("session denies a session named", role(), SESSION_ARN, ALLOWS, ALLOWS, DENIES, False, SESSION),
)

# The caller is of another account than the resource.
AWAY_USER, AWAY_ROLE, AWAY_ROOT = f"arn:aws:iam::{AWAY}:user/alice", f"arn:aws:iam::{AWAY}:role/app", AWAY
BETWEEN = (
    Row("neither side", user(AWAY), None, None, None, None, False, RESOURCE),
    Row("caller's side only", user(AWAY), None, ALLOWS, None, None, False, RESOURCE),
    Row("resource's side only", user(AWAY), AWAY_USER, SILENT, None, None, False, IDENTITY),
    Row("both sides", user(AWAY), AWAY_USER, ALLOWS, None, None, True, IDENTITY),
    Row("account named, identity allows", user(AWAY), AWAY_ROOT, ALLOWS, None, None, True, IDENTITY),
    Row("account named, identity silent", user(AWAY), AWAY_ROOT, SILENT, None, None, False, IDENTITY),
    Row("everyone named, identity silent", user(AWAY), "*", SILENT, None, None, False, IDENTITY),
    Row("everyone named, identity allows", user(AWAY), "*", ALLOWS, None, None, True, IDENTITY),
    Row("the owner's account named", user(AWAY), ROOT_ARN, ALLOWS, None, None, False, RESOURCE),
    Row("boundary silent", user(AWAY), AWAY_USER, ALLOWS, SILENT, None, False, BOUNDARY),
    Row("role named, session silent", role(AWAY), AWAY_ROLE, ALLOWS, None, SILENT, False, SESSION),
    Row("role named, all allow", role(AWAY), AWAY_ROLE, ALLOWS, ALLOWS, ALLOWS, True, IDENTITY),
    Row("session named, session silent", role(AWAY), role(AWAY).arn, ALLOWS, None, SILENT, False, SESSION),
    Row("root of the account named", root(AWAY), AWAY_ROOT, None, None, None, True, ROOT),
    Row("root of an account not named", root(AWAY), None, None, None, None, False, RESOURCE),
    Row("identity denies", user(AWAY), AWAY_USER, DENIES, None, None, False, IDENTITY),
    Row("service of nobody's account", service(), SERVICE, None, None, None, True, RESOURCE),
)

# The resource is a KMS key: its policy allows, or delegates to the account, or IAM counts for nothing.
DELEGATING = (
    Row("key policy silent, identity allows", user(), None, ALLOWS, None, None, False, RESOURCE),
    Row("key policy delegates, identity allows", user(), ROOT_ARN, ALLOWS, None, None, True, IDENTITY),
    Row("key policy delegates, identity silent", user(), ROOT_ARN, SILENT, None, None, False, IDENTITY),
    Row("key policy delegates, boundary silent", user(), ROOT_ARN, ALLOWS, SILENT, None, False, BOUNDARY),
    Row("key policy delegates to a session's role", role(), ROOT_ARN, ALLOWS, None, SILENT, False, SESSION),
    Row("key policy names the user", user(), USER_ARN, None, None, None, True, RESOURCE),
    Row("key policy names another", user(), ROLE_ARN, ALLOWS, None, None, False, RESOURCE),
    Row("key policy names the role", role(), ROLE_ARN, None, None, None, True, RESOURCE),
    Row("root without a key policy for it", root(), USER_ARN, None, None, None, False, RESOURCE),
    Row("root with the key policy", root(), ROOT_ARN, None, None, None, True, RESOURCE),
    Row("another account, key policy only", user(AWAY), AWAY_ROOT, None, None, None, False, IDENTITY),
    Row("another account, both", user(AWAY), AWAY_ROOT, ALLOWS, None, None, True, IDENTITY),
    Row("another account, identity only", user(AWAY), ROOT_ARN, ALLOWS, None, None, False, RESOURCE),
)


def judged(row: Row, *, delegates: bool = False) -> Verdict:
    policies = Policies(
        identity=() if row.own is None else (row.own,),
        boundary=row.boundary,
        session=() if row.session is None else (row.session,),
        resource=() if row.named is None else (naming(row.named),),
        delegates=delegates,
    )
    return evaluate(Request(row.caller, ACTION, KEY, HOME), policies)


@pytest.mark.parametrize("row", AT_HOME, ids=[row.text for row in AT_HOME])
def test_within_one_account(row: Row) -> None:
    verdict = judged(row)
    assert (verdict.allowed, verdict.layer) == (row.allowed, row.decided)


@pytest.mark.parametrize("row", BETWEEN, ids=[row.text for row in BETWEEN])
def test_between_accounts_both_sides_must_allow(row: Row) -> None:
    verdict = judged(row)
    assert (verdict.allowed, verdict.layer) == (row.allowed, row.decided)


@pytest.mark.parametrize("row", DELEGATING, ids=[row.text for row in DELEGATING])
def test_a_key_policy_comes_first(row: Row) -> None:
    verdict = judged(row, delegates=True)
    assert (verdict.allowed, verdict.layer) == (row.allowed, row.decided)


DENIED_NAMES = (
    (ROOT_ARN, user(), True),
    (ROOT_ARN, role(), True),
    (ROOT_ARN, root(), True),
    (USER_ARN, user(), True),
    (USER_ARN, role(), False),
    (ROLE_ARN, role(), True),
    (SESSION_ARN, role(), True),
    ("*", service(), True),
    (SERVICE, service(), True),
    (SERVICE, user(), False),
)


@pytest.mark.parametrize(("name", "caller", "denied"), DENIED_NAMES)
def test_a_resource_policy_denies_all_whom_it_names(name: str, caller: Caller, denied: bool) -> None:
    everyone = resource(statement(Principal="*"))
    policies = Policies(resource=(everyone, naming(name, effect="Deny")), identity=(ALLOWS,))
    verdict = evaluate(Request(caller, ACTION, KEY, HOME), policies)
    assert verdict.allowed is not denied
    assert verdict.explicit is denied


def test_a_deny_whose_condition_is_not_met_denies_nothing() -> None:
    elsewhere = statement("Deny", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})
    policy = identity(statement(), elsewhere)
    policies = Policies(identity=(policy,), boundary=policy, session=(policy,))
    assert evaluate(Request(role(), ACTION, KEY, HOME), policies).allowed
    there = Request(role(), ACTION, KEY, HOME, {"aws:requestedregion": "us-east-1"})
    assert evaluate(there, policies).explicit


def test_of_several_statements_the_strongest_counts() -> None:
    policies = Policies(resource=(naming(ROOT_ARN), naming(USER_ARN), naming(ROOT_ARN)), delegates=True)
    verdict = evaluate(Request(user(), ACTION, KEY, HOME), policies)
    assert verdict.allowed
    both = resource(
        statement(Principal={"AWS": ROOT_ARN}, Sid="root"), statement(Principal={"AWS": ROLE_ARN}, Sid="role")
    )
    verdict = evaluate(Request(role(), ACTION, KEY, HOME), Policies(resource=(both,), delegates=True))
    assert [ground.statement for ground in verdict.grounds] == ["role"]


def test_any_identity_policy_and_any_session_policy_may_allow() -> None:
    policies = Policies(identity=(SILENT, ALLOWS), session=(SILENT, ALLOWS))
    assert evaluate(Request(role(), ACTION, KEY, HOME), policies).allowed


ACTIONS = (
    ("kms:Encrypt", True),
    ("KMS:encrypt", True),
    ("kms:Enc*", True),
    ("kms:Enc?ypt", True),
    ("kms:*", True),
    ("*", True),
    ("*:*", True),
    ("kms:Decrypt", False),
    ("kms:Encryp", False),
    ("s3:*", False),
)


@pytest.mark.parametrize(("pattern", "named"), ACTIONS)
def test_actions_have_wildcards_and_no_case(pattern: str, named: bool) -> None:
    request = Request(user(), ACTION, KEY, HOME)
    assert evaluate(request, Policies(identity=(identity(statement(Action=pattern)),))).allowed is named
    assert (
        evaluate(request, Policies(identity=(identity(statement(NotAction=pattern)),))).allowed is not named
    )


RESOURCES = (
    (KEY, True),
    ("arn:aws:kms:*:*:key/*", True),
    ("arn:aws:kms:eu-central-1:111122223333:key/????????-*", True),
    ("arn:aws:kms:eu-central-1:444455556666:key/*", False),
    ("arn:aws:kms:*:key/*", False),
    (KEY.upper().replace("ARN", "arn", 1), False),
)


@pytest.mark.parametrize(("pattern", "named"), RESOURCES)
def test_resources_match_by_component(pattern: str, named: bool) -> None:
    request = Request(user(), ACTION, KEY, HOME)
    assert evaluate(request, Policies(identity=(identity(statement(Resource=[pattern])),))).allowed is named
    assert (
        evaluate(request, Policies(identity=(identity(statement(NotResource=pattern)),))).allowed is not named
    )


def test_an_action_without_a_resource_needs_the_star() -> None:
    request = Request(user(), "kms:CreateKey", "*", HOME)
    star = identity(statement(Action="kms:CreateKey"))
    keys = identity(statement(Action="kms:CreateKey", Resource="arn:aws:kms:*:*:*"))
    assert evaluate(request, Policies(identity=(star,))).allowed
    assert not evaluate(request, Policies(identity=(keys,))).allowed


def test_what_is_remembered_of_actions_stays_bounded() -> None:
    for number in range(3_000):
        assert not ALLOWS.choice(f"kms:Made{number}Up")[1]
    assert len(ALLOWS._remembered) <= 1_024
    assert ALLOWS.choice(ACTION)[1]


WORDS = (
    (Policies(), "because no identity-based policy allows the kms:Encrypt action"),
    (Policies(delegates=True), "because no resource-based policy allows the kms:Encrypt action"),
    (Policies(identity=(ALLOWS,)), "because an identity-based policy allows the kms:Encrypt action"),
    (Policies(identity=(ALLOWS,), boundary=SILENT), "because no permissions boundary allows the kms:Encrypt action"),
    (Policies(identity=(ALLOWS,), session=(SILENT,)), "because no session policy allows the kms:Encrypt action"),
    (Policies(identity=(DENIES,)), "with an explicit deny in an identity-based policy"),
    (Policies(boundary=DENIES), "with an explicit deny in a permissions boundary"),
    (Policies(session=(DENIES,)), "with an explicit deny in a session policy"),
    (Policies(resource=(naming("*", effect="Deny"),)), "with an explicit deny in a resource-based policy"),
    (Policies(resource=(naming(USER_ARN),)), "because a resource-based policy allows the kms:Encrypt action"),
)  # fmt: skip


@pytest.mark.parametrize(("policies", "words"), WORDS, ids=[words for _, words in WORDS])
def test_the_reason_has_aws_words(policies: Policies, words: str) -> None:
    assert evaluate(Request(user(), ACTION, KEY, HOME), policies).because == words


def test_a_trust_policy_has_words_of_its_own() -> None:
    trusting = statement(Action="sts:AssumeRole", Principal={"AWS": USER_ARN})
    del trusting["Resource"]
    trust = compile_policy(document(trusting), "trust", Kind.TRUST)
    denying = compile_policy(document({**trusting, "Effect": "Deny"}), "trust", Kind.TRUST)
    request = Request(user(), "sts:AssumeRole", ROLE_ARN, HOME)
    assert evaluate(request, Policies(resource=(trust,), delegates=True)).allowed
    denied = evaluate(request._replace(caller=role()), Policies(resource=(trust,), delegates=True))
    assert denied.because == "because no role trust policy allows the sts:AssumeRole action"
    denied = evaluate(request, Policies(resource=(denying,), delegates=True))
    assert denied.because == "with an explicit deny in the role trust policy"


def test_a_verdict_explains_itself() -> None:
    key_policy = resource(
        statement(Sid="Enable IAM", Principal={"AWS": ROOT_ARN}, Action="kms:*"),
        statement(Sid="Roles", Principal={"AWS": ROLE_ARN}),
        statement("Deny", Sid="TLS", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
        statement(Sid="Admins", Principal={"AWS": USER_ARN}, Action="kms:PutKeyPolicy"),
    )
    own = identity(
        statement(Sid="Elsewhere", Resource="arn:aws:s3:::b"),
        statement(Condition={"ForAnyValue:StringLikeIfExists": {"kms:ResourceAliases": "alias/app*"}}),
        name="arn:aws:iam::111122223333:policy/use",
    )
    grants = (GrantFact("g1", ROLE_ID, frozenset({"Encrypt"})),)
    policies = Policies((own,), ALLOWS, (ALLOWS,), (key_policy,), grants, delegates=True)
    context = {"kms:resourcealiases": ("alias/other",)}
    verdict = evaluate(Request(user(), ACTION, KEY, HOME, context), policies)
    explained = verdict.explain()
    assert explained["decision"] == "implicitDeny"
    assert explained["because"] == "because no identity-based policy allows the kms:Encrypt action"
    assert explained["grounds"] == []
    assert [
        (one["layer"], one["statement"], one["effect"], one["outcome"]) for one in explained["considered"]
    ] == [
        ("identity", "Elsewhere", "Allow", "resource"),
        ("identity", "#1", "Allow", "condition ForAnyValue:StringLikeIfExists kms:ResourceAliases"),
        ("boundary", "#0", "Allow", "applies"),
        ("session", "#0", "Allow", "applies"),
        ("resource", "TLS", "Deny", "condition Bool aws:SecureTransport"),
        ("resource", "Enable IAM", "Allow", "applies"),
        ("resource", "Roles", "Allow", "principal"),
    ]
    assert explained["considered"][1]["policy"] == "arn:aws:iam::111122223333:policy/use"
    assert explained["grants"] == [{"grant": "g1", "outcome": "principal"}]
    assert own.context_keys == {"kms:ResourceAliases"}

    allowed = evaluate(Request(user(), ACTION, KEY, HOME), policies).explain()
    assert allowed["decision"] == "allowed"
    assert [(ground["layer"], ground["statement"]) for ground in allowed["grounds"]] == [
        ("identity", "#1"),
        ("resource", "Enable IAM"),
        ("boundary", "#0"),
        ("session", "#0"),
    ]
    denied = evaluate(
        Request(user(), ACTION, KEY, HOME, {"aws:securetransport": "false"}), policies
    ).explain()
    assert denied["decision"] == "explicitDeny"
    assert denied["grounds"] == [{"layer": "resource", "policy": "default", "statement": "TLS"}]
