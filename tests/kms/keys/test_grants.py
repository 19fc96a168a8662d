"""Grants below the wire: what suits a key, quotas, races, workers that lag behind, rows that were tampered with."""

import time
from typing import Any

import pytest
from botocore.session import get_session
from sqlalchemy import text

from foundation.wire import AccessDenied
from kms.keys import KmsSettings
from kms.keys.errors import Disabled, KmsInternal, LimitExceeded, NotFound, UnsuitableOperations
from kms.keys.found import FoundKey
from kms.keys.grant_rows import CALLERS, GrantRows, KeyGrants
from kms.keys.grant_rules import CRYPTOGRAPHIC, MANAGEMENT, GrantOrder, judge_suits
from kms.keys.specs import KEY_SPECS
from tests.kms.keys.acting import acting, arn_of, do, may, service_acting
from tests.kms.keys.conftest import new_key
from tests.kms.keys.test_cache import statements
from tests.kms.keys.world import HERE, Process

SOURCE = "arn:aws:s3:eu-central-1:111122223333:bucket/one"
SUITS = {
    # operation: the usages that it is for, and the kinds of key (those of the model's own operations)
    "Encrypt": ("ENCRYPT_DECRYPT", {"symmetric", "asymmetric"}),
    "Decrypt": ("ENCRYPT_DECRYPT", {"symmetric", "asymmetric"}),
    "ReEncryptFrom": ("ENCRYPT_DECRYPT", {"symmetric", "asymmetric"}),
    "ReEncryptTo": ("ENCRYPT_DECRYPT", {"symmetric", "asymmetric"}),
    "GenerateDataKey": ("ENCRYPT_DECRYPT", {"symmetric"}),
    "GenerateDataKeyWithoutPlaintext": ("ENCRYPT_DECRYPT", {"symmetric"}),
    "GenerateDataKeyPair": ("ENCRYPT_DECRYPT", {"symmetric"}),
    "GenerateDataKeyPairWithoutPlaintext": ("ENCRYPT_DECRYPT", {"symmetric"}),
    "Sign": ("SIGN_VERIFY", {"asymmetric"}),
    "Verify": ("SIGN_VERIFY", {"asymmetric"}),
    "GetPublicKey": (None, {"asymmetric"}),
    "GenerateMac": ("GENERATE_VERIFY_MAC", {"hmac"}),
    "VerifyMac": ("GENERATE_VERIFY_MAC", {"hmac"}),
    "DeriveSharedSecret": ("KEY_AGREEMENT", {"asymmetric"}),
    "Encapsulate": ("ENCAPSULATE_DECAPSULATE", {"asymmetric"}),
    "Decapsulate": ("ENCAPSULATE_DECAPSULATE", {"asymmetric"}),
    "CreateGrant": (None, {"symmetric", "asymmetric", "hmac"}),
    "RetireGrant": (None, {"symmetric", "asymmetric", "hmac"}),
    "DescribeKey": (None, {"symmetric", "asymmetric", "hmac"}),
}


def order(*operations: str) -> GrantOrder:
    return GrantOrder(arn_of("ann"), None, operations, None, None, None, None)


def granted(process: Process, key: FoundKey, name: str = "ann", **more: Any) -> dict[str, Any]:
    params = {"KeyId": key.arn, "GranteePrincipal": arn_of(name), "Operations": ["Encrypt"], **more}
    return do(process.service(), "CreateGrant", **params)


def test_the_table_of_grant_operations_has_all_that_the_model_has_and_every_key() -> None:
    model: Any = get_session().get_service_model("kms").shape_for("GrantOperation")
    assert frozenset(model.enum) == MANAGEMENT.union(*CRYPTOGRAPHIC.values()) == frozenset(SUITS)
    assert {(spec.kind, usage) for spec in KEY_SPECS.values() for usage in spec.usages} == set(CRYPTOGRAPHIC)


@pytest.mark.parametrize("operation", SUITS)
@pytest.mark.parametrize(
    ("spec", "usage"), [(spec.name, usage) for spec in KEY_SPECS.values() for usage in spec.usages]
)
def test_trap_10_each_grant_operation_suits_the_keys_that_can_do_it(
    spec: str, usage: str, operation: str
) -> None:
    wanted, kinds = SUITS[operation]
    found: Any = FoundKeyOf(KEY_SPECS[spec], usage)
    if wanted in {None, usage} and KEY_SPECS[spec].kind in kinds:
        judge_suits(order(operation), found)
    else:
        with pytest.raises(UnsuitableOperations):
            judge_suits(order(operation), found)


class FoundKeyOf:
    """As much of a FoundKey as the rules look at."""

    arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    def __init__(self, spec: Any, usage: str) -> None:
        self.spec = spec
        self.usage = usage


def test_a_service_uses_a_grant_on_behalf_of_the_resource_that_it_names(process: Process) -> None:
    key, name = new_key(process), "acm.eu-central-1.amazonaws.com"
    do(
        process.service(), "CreateGrant",
        KeyId=key.id, GranteeServicePrincipal=name, RetiringServicePrincipal=name,
        Operations=["Encrypt"], Constraints={"SourceArn": SOURCE},
    )  # fmt: skip
    may(service_acting(process, name, SOURCE), key)
    for service, source in ((name, None), (name, f"{SOURCE}2"), ("s3.amazonaws.com", SOURCE)):
        with pytest.raises(AccessDenied):
            may(service_acting(process, service, source), key)
    keys = service_acting(process, name, None)
    (mine,) = do(process.service(), "ListGrants", KeyId=key.id)["Grants"]
    keys.grants.page(key.arn, grant_id=None, grantee=name, limit=10, marker=None)
    rows, marker = keys.grants.retirable(name, limit=10, marker=None)
    assert ([row.id for row in rows], marker) == ([mine["GrantId"]], None)
    do(keys, "RetireGrant", KeyId=key.arn, GrantId=mine["GrantId"])
    assert do(process.service(), "ListGrants", KeyId=key.id)["Grants"] == []


def test_grants_are_asked_about_without_the_database_while_nothing_changes(process: Process) -> None:
    key = new_key(process)
    token = granted(process, key)["GrantToken"]
    ann, bob = acting(process, "ann"), acting(process, "bob")
    may(ann, key)
    with pytest.raises(AccessDenied):
        may(bob, key)
    seen = statements(process)
    for _ in range(10):
        may(acting(process, "ann"), key)
        may(acting(process, "ann"), key, tokens=(token,))
        with pytest.raises(AccessDenied):
            may(acting(process, "bob"), key)
    assert seen == []


def test_a_revoked_grant_is_over_for_every_worker_at_once(process: Process) -> None:
    key, other = new_key(process), process.other()
    for _ in range(10):
        made = granted(process, key)
        may(acting(other, "ann"), key, tokens=(made["GrantToken"],))
        do(process.service(), "RevokeGrant", KeyId=key.id, GrantId=made["GrantId"])
        for worker in (process, other):
            with pytest.raises(AccessDenied):
                may(acting(worker, "ann"), key, tokens=(made["GrantToken"],))


def test_a_worker_that_has_not_heard_of_a_grant_knows_it_by_its_token(
    any_process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, other = new_key(any_process), any_process.other()
    with pytest.raises(AccessDenied):
        may(acting(other, "ann"), key)
    heard = any_process.store.generation("kms")
    monkeypatch.setattr(type(any_process.store), "generation", lambda _store, _name: heard)
    token = granted(any_process, key)["GrantToken"]
    with pytest.raises(AccessDenied):
        may(acting(other, "ann"), key)
    may(acting(other, "ann"), key, tokens=(token,))
    with pytest.raises(AccessDenied):
        may(acting(other, "bob"), key, tokens=(token,))
    monkeypatch.undo()
    any_process.rooms.settle()
    may(acting(other, "ann"), key)


@pytest.mark.parametrize("change", ["DisableKey", "UpdateKeyDescription"])
def test_a_grant_is_made_on_the_key_as_it_is_when_the_grant_is_written(
    any_process: Process, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    key = new_key(any_process)
    granted(any_process, key)
    heard = any_process.store.generation("kms")
    given = {"Description": "new"} if change == "UpdateKeyDescription" else {}
    do(any_process.other().service(), change, KeyId=key.id, **given)
    monkeypatch.setattr(type(any_process.store), "generation", lambda _store, _name: heard)
    if change == "DisableKey":
        with pytest.raises(Disabled):
            granted(any_process, key)
    else:
        granted(any_process, key)
    assert len(do(any_process.service(), "ListGrants", KeyId=key.id)["Grants"]) == (
        1 if change == "DisableKey" else 2
    )


def test_a_key_has_at_most_its_quota_of_grants(any_process: Process) -> None:
    key = new_key(any_process)
    any_process.rooms = _with(any_process, KmsSettings(grants_per_key=2))
    first = granted(any_process, key, "ann", Name="one")
    granted(any_process, key, "bob")
    for name in ("ann", "carl"):
        with pytest.raises(LimitExceeded, match="2 grants on a KMS key"):
            granted(any_process, key, name)
        with pytest.raises(LimitExceeded):
            granted(any_process, key, name, DryRun=True)
    assert granted(any_process, key, "ann", Name="one")["GrantId"] == first["GrantId"]
    do(any_process.service(), "RevokeGrant", KeyId=key.id, GrantId=first["GrantId"])
    granted(any_process, key, "carl")


def test_a_grantee_has_at_most_its_quota_of_grants_on_a_key(process: Process) -> None:
    key = new_key(process)
    process.rooms = _with(process, KmsSettings(grants_per_grantee=2))
    granted(process, key)
    granted(process, key)
    with pytest.raises(LimitExceeded, match="2 grants for one grantee"):
        granted(process, key)
    granted(process, key, "bob")
    granted(process, new_key(process))


def _with(process: Process, settings: KmsSettings) -> Any:
    return Process(process.store, process.core, settings).rooms


def test_two_calls_that_make_the_same_grant_at_once_make_one(
    any_process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key(any_process)
    first: list[dict[str, Any]] = []
    named = GrantRows.named

    def between(self: GrantRows, *asked: Any) -> Any:
        monkeypatch.setattr(GrantRows, "named", named)
        found = named(self, *asked)
        first.append(granted(any_process, key, Name="one"))  # another call, between the look and the write
        return found

    monkeypatch.setattr(GrantRows, "named", between)
    assert granted(any_process, key, Name="one")["GrantId"] == first[0]["GrantId"]
    assert len(do(any_process.service(), "ListGrants", KeyId=key.id)["Grants"]) == 1


def test_a_grant_that_ends_twice_is_not_found_the_second_time(any_process: Process) -> None:
    key = new_key(any_process)
    made = granted(any_process, key, RetiringPrincipal=arn_of("bob"))
    do(acting(any_process, "bob"), "RetireGrant", GrantToken=made["GrantToken"])
    with pytest.raises(NotFound, match=made["GrantId"]):
        do(any_process.service(), "RevokeGrant", KeyId=key.id, GrantId=made["GrantId"])


def test_retirable_grants_are_paged_over_accounts_on_either_database(any_process: Process) -> None:
    keys = [new_key(any_process) for _ in range(3)]
    made = {
        granted(any_process, key, RetiringPrincipal=arn_of("eve"))["GrantId"]
        for key in keys
        for _ in range(2)
    }
    asker, found, marker = acting(any_process, "eve", admin=True), [], None
    for _ in range(3):
        more: dict[str, Any] = {} if marker is None else {"Marker": marker}
        page = do(asker, "ListRetirableGrants", RetiringPrincipal=arn_of("eve"), Limit=2, **more)
        found += [entry["GrantId"] for entry in page["Grants"]]
        marker = page.get("NextMarker")
    assert marker is None
    assert (len(found), set(found)) == (6, made)


COLUMNS = [
    ("grantee", arn_of("bob")),
    ("retiring", arn_of("bob")),
    ("operations", '["Encrypt", "Decrypt"]'),
    ("context_equals", None),
    ("context_subset", "{}"),
    ("source_arn", SOURCE),
    ("issuing_account", "444455556666"),
    ("name", "another"),
    ("fingerprint", None),
    ("id", "0" * 64),
    ("row_version", 7),
    ("mac", b""),
]


@pytest.mark.parametrize(("column", "value"), COLUMNS)
def test_a_grant_that_was_changed_behind_keysteads_back_is_refused_with_an_alarm(
    process: Process, column: str, value: Any
) -> None:
    key = new_key(process)
    constraints = {"EncryptionContextEquals": {"a": "b"}, "EncryptionContextSubset": {"a": "b"}}
    granted(process, key, Name="one", Constraints=constraints)
    grantee = "bob" if column == "grantee" else "ann"
    with process.store._write_engine.begin() as connection:
        connection.execute(text(f"UPDATE kms_grant SET {column} = :value"), {"value": value})
    with pytest.raises(KmsInternal, match="changed outside of keystead"):
        may(acting(process, grantee), key, context={"a": "b"})
    with pytest.raises(KmsInternal):
        do(process.service(), "ListGrants", KeyId=key.id)
    assert {name for name, _ in process.alarms} == {"ALARM RowTampered"}


def test_the_callers_that_are_remembered_of_a_key_are_bounded(process: Process) -> None:
    key = new_key(process)
    granted(process, key)
    grants = KeyGrants(process.store.unit(HERE), GrantRows(process.rows.verified), key.id)
    for number in range(CALLERS + 1):
        grants._known[str(number),] = ()
    may(acting(process, "ann"), key)
    (fact,) = grants.of(acting(process, "ann").context.call.principal)
    assert fact.grantee == arn_of("ann")
    assert len(grants._known) == 1


def test_a_grant_to_one_principal_leaves_what_is_known_of_the_others(process: Process) -> None:
    key, worker = new_key(process), process.other()
    admin = acting(process, "admin", admin=True)

    def give(who: str) -> None:
        do(admin, "CreateGrant", KeyId=key.arn, GranteePrincipal=arn_of(who), Operations=["Encrypt"])

    give("ann")
    may(acting(worker, "ann"), key)
    with pytest.raises(AccessDenied):
        may(acting(worker, "bob"), key)
    give("bob")
    time.sleep(process.store.staleness)
    seen = statements(worker)
    may(acting(worker, "ann"), key)
    assert [each for each in seen if "FROM kms_" in each and "kms_change" not in each] == []
    may(acting(worker, "bob"), key)
    assert any("FROM kms_grant" in each for each in seen)
