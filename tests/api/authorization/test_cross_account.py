"""KMS keys and who is let in from elsewhere (SECURITY 3.3): another account by policies, anybody by a grant.

Generated from the model: each operation that takes a key says in its documentation whether it can be used across
accounts, and each GrantOperation is granted, with the right encryption context and with a wrong one.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from server.assembly import OPERATIONS
from tests.api.authorization.stage import KMS, Params, Stage
from tests.api.authorization.test_matrix import recorded, stored
from tests.api.kms.grants import Person, user
from tests.api.kms.support import allow, policy, root
from tests.support.world import Caller, World

MODEL = botocore.session.get_session().get_service_model("kms")
KEYS: Final = frozenset({"KeyId", "DestinationKeyId", "TargetKeyId"})
DENIED: Final = "AccessDeniedException"
ALLOWED: Final = {"Verify": "KMSInvalidSignatureException", "VerifyMac": "KMSInvalidMacException"}
"""What is answered to who is allowed, where the matrix's parameters are wrong on purpose."""
RIGHT, WRONG = {"Department": "sales"}, {"Department": "research"}


def across(name: str) -> bool:
    """What the operation's documentation says under "Cross-account use"."""
    text = re.sub("<[^>]+>", "", MODEL.operation_model(name).documentation)
    found = re.search(r"Cross-account use\s*:\s*(Yes|No)\b", text)
    assert found is not None, name
    return found[1] == "Yes"


def members(name: str) -> set[str]:
    """The parameters of an operation."""
    shape = MODEL.operation_model(name).input_shape
    return set() if shape is None else set(shape.members)


TAKE_A_KEY = [name for name in sorted(OPERATIONS["kms"]) if KEYS & members(name)]


class Shared(Stage):
    """Things of an account whose keys have this policy; None for the default one. `clients` are made once for all."""

    def __init__(
        self, caller: Caller, mark: str, clients: dict[str, Any], key_policy: str | None = None
    ) -> None:
        super().__init__(caller, mark)
        self.clients = clients
        self.given = {} if key_policy is None else {"Policy": key_policy}

    def key(self, **options: Any) -> str:
        return super().key(**self.given, **options)


@pytest.fixture(scope="module")
def owner(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    """The owner's clients, as they are made."""
    return {}


@pytest.fixture(scope="module")
def stranger(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.fixture(scope="module")
def power(stranger: Caller) -> Person:
    """A user of the other account whose own policy allows everything."""
    made = user(stranger, "power")
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    stranger.client("iam").put_user_policy(UserName="power", PolicyName="all", PolicyDocument=text)
    return made


@pytest.fixture(scope="module")
def nobody(stranger: Caller) -> Person:
    """A user of the other account without a policy."""
    return user(stranger, "nobody")


@pytest.fixture(scope="module")
def clients(power: Person, nobody: Person) -> Mapping[str, Any]:
    return {"power": power.kms, "nobody": nobody.kms}


@pytest.fixture(scope="module", params=["of the account", "of another account"])
def grantee(request: pytest.FixtureRequest, owner: Caller, power: Person) -> Person:
    """Whom no key policy lets in. One of another account needs that account's consent as well."""
    return user(owner, "grantee") if request.param == "of the account" else power


@dataclass(frozen=True)
class Answer:
    """What came back: the code, "" for none, and the request's id."""

    code: str
    request_id: str


def call(client: Any, name: str, params: Params) -> Answer:
    """Make one call."""
    try:
        answer: Any = getattr(client, xform_name(name))(**params)
    except ClientError as error:
        answer = error.response
    return Answer(answer.get("Error", {}).get("Code", ""), answer["ResponseMetadata"]["RequestId"])


def params_of(stage: Stage, name: str) -> Params:
    """The parameters of the matrix; lists that need no key are asked about one."""
    params = KMS[name](stage)
    return params if KEYS & set(params) else {**params, "KeyId": stage.key()}


@pytest.mark.parametrize("name", TAKE_A_KEY)
def test_another_account_needs_both_policies_and_an_operation_that_goes_across(
    shared_world: World,
    owner: Caller,
    own: dict[str, Any],
    stranger: Caller,
    clients: Mapping[str, Any],
    name: str,
) -> None:
    key_policy = policy(allow(root(owner)), allow(root(stranger)))
    shared = params_of(Shared(owner, f"{name}-shared", own, key_policy), name)
    private = params_of(Shared(owner, f"{name}-private", own), name)
    before = stored(shared_world, owner.account)
    key_policy_only = call(clients["nobody"], name, shared)
    identity_policy_only = call(clients["power"], name, private)
    goes = across(name)
    assert not goes or stored(shared_world, owner.account) == before
    both = call(clients["power"], name, shared)
    assert goes or stored(shared_world, owner.account) == before
    outcome = ALLOWED.get(name, "") if goes else DENIED
    expected = [DENIED, DENIED, outcome]
    answers = [key_policy_only, identity_policy_only, both]
    assert [answer.code for answer in answers] == expected
    shared_world.scheduler.shipper.ship()
    for answer, code in zip(answers, expected, strict=True):
        [event] = recorded(shared_world, answer.request_id)
        assert (event["eventName"], event.get("errorCode", "")) == (name, code)


_OPERATION: Any = MODEL.shape_for(
    "GrantOperation"
)  # typed as a shape of any kind, of which not all have values
GRANTED: Final[list[str]] = _OPERATION.enum
SYMMETRIC: Final = ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "CreateGrant")
CONSTRAINED = [name for name in GRANTED if name.startswith(SYMMETRIC)]
"""Those whose calls have an encryption context that a grant may be bound to."""


OTHER_SIDE: Final = {
    "ReEncryptFrom": ("ReEncryptTo", "DestinationKeyId"),
    "ReEncryptTo": ("ReEncryptFrom", "SourceKeyId"),
}
"""What ReEncrypt needs besides the operation that is looked at, and on which key."""


def in_context(stage: Stage, name: str, context: dict[str, str], grantee: str) -> Params:
    """A call of the granted operation in an encryption context, if it has one."""
    if name in {"Decrypt", "ReEncryptFrom"}:
        key = stage.key()
        made = stage.client("kms").encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=context)
        blob = {"CiphertextBlob": made["CiphertextBlob"]}
        if name == "Decrypt":
            return {"KeyId": key, **blob, "EncryptionContext": context}
        return {
            **blob,
            "SourceKeyId": key,
            "DestinationKeyId": stage.key(),
            "SourceEncryptionContext": context,
        }
    if name == "ReEncryptTo":
        source = stage.ciphertext
        return {
            "CiphertextBlob": source["CiphertextBlob"],
            "SourceKeyId": source["KeyId"],
            "DestinationKeyId": stage.key(),
            "DestinationEncryptionContext": context,
        }
    if name == "CreateGrant":
        constraint = {"EncryptionContextSubset": context}
        child = {"GranteePrincipal": grantee, "Operations": ["Encrypt"], "Constraints": constraint}
        return {"KeyId": stage.key(), **child}
    params = KMS[name](stage)
    return {**params, "EncryptionContext": context} if name in CONSTRAINED else params


def allowed_by_grant(stage: Stage, name: str, params: Params, grantee: Person) -> Params:
    """Grant the operation, in the right context where it has one; the call's parameters thereafter."""
    kms = stage.client("kms")
    operations = [name, "Encrypt"] if name == "CreateGrant" else [name]
    constraints = {"Constraints": {"EncryptionContextSubset": RIGHT}} if name in CONSTRAINED else {}
    asked = {"ReEncryptTo": "DestinationKeyId", "ReEncryptFrom": "SourceKeyId"}.get(name, "KeyId")
    if name in OTHER_SIDE:
        side, key = OTHER_SIDE[name]
        kms.create_grant(KeyId=params[key], GranteePrincipal=grantee.arn, Operations=[side])
    made = kms.create_grant(
        KeyId=params[asked], GranteePrincipal=grantee.arn, Operations=operations, **constraints
    )
    return {**params, "GrantId": made["GrantId"]} if name == "RetireGrant" else params


@pytest.mark.parametrize("name", GRANTED)
def test_a_grant_lets_its_grantee_do_what_it_names_in_its_context_and_nothing_else(
    shared_world: World, owner: Caller, own: dict[str, Any], grantee: Person, name: str
) -> None:
    stage = Shared(owner, f"grant-{name}", own)
    operation = "ReEncrypt" if name.startswith("ReEncrypt") else name
    params = in_context(stage, name, RIGHT, grantee.arn)
    refused = [call(grantee.kms, operation, params)]
    params = allowed_by_grant(stage, name, params, grantee)
    unnamed = "GetPublicKey" if name == "DescribeKey" else "DescribeKey"
    refused.append(call(grantee.kms, unnamed, {"KeyId": params.get("KeyId", params.get("SourceKeyId"))}))
    if name in CONSTRAINED:
        wrong = in_context(stage, name, WRONG, grantee.arn)
        allowed_by_grant(stage, name, wrong, grantee)
        refused.append(call(grantee.kms, operation, wrong))
    allowed = call(grantee.kms, operation, params)
    assert {answer.code for answer in refused} == {DENIED}
    assert allowed.code == ALLOWED.get(name, "")
    shared_world.scheduler.shipper.ship()
    for answer in (*refused, allowed):
        [event] = recorded(shared_world, answer.request_id)
        assert event.get("errorCode", "") == answer.code
