"""Key policies and tags through the front door (TRAPS 12)."""

import json
from typing import Any

import pytest

from tests.api.kms.support import NOBODY, allow, create, describe, policy, refused, root
from tests.support.world import World


def stored(kms: Any, key_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(kms.get_key_policy(KeyId=key_id)["Policy"])
    return document


def test_a_key_without_a_policy_gets_the_one_that_lets_iam_decide(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    (statement,) = stored(kms, create(kms)["KeyId"])["Statement"]
    assert statement["Principal"] == {"AWS": root(caller)}
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Allow", "kms:*", "*")


def test_a_policy_names_principals_and_is_shown_with_their_arns(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms, Policy=policy(allow(root(caller)), allow(caller.made.admin_arn, "kms:DescribeKey")))
    assert stored(kms, made["KeyId"])["Statement"][1]["Principal"] == {"AWS": caller.made.admin_arn}
    rows = shared_world.worker.keys.cache.key(_scope(made), made["KeyId"])
    assert rows is not None
    assert "AIDA" in rows.policy


def _scope(made: dict[str, Any]) -> Any:
    from foundation.store import Scope

    return Scope(made["AWSAccountId"], made["Arn"].split(":")[3])


def test_trap_12_a_policy_that_locks_its_author_out_is_refused_unless_bypassed(shared_world: World) -> None:
    caller, other = shared_world.account(), shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    elsewhere = policy(allow(root(other)))
    with refused("MalformedPolicyDocumentException", "will not allow you to update the key policy"):
        kms.put_key_policy(KeyId=made["KeyId"], Policy=elsewhere)
    with refused("MalformedPolicyDocumentException"):
        create(kms, Policy=elsewhere)
    kms.put_key_policy(KeyId=made["KeyId"], Policy=elsewhere, BypassPolicyLockoutSafetyCheck=True)
    with refused("AccessDeniedException"):
        kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller))))


def test_trap_12_the_last_policy_decides_at_once(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    denied = {**allow("*", "kms:DescribeKey"), "Effect": "Deny"}
    kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller)), denied))
    with refused("AccessDeniedException", "explicit deny"):
        describe(kms, made["KeyId"])
    kms.put_key_policy(KeyId=made["KeyId"], PolicyName="default", Policy=policy(allow(root(caller))))
    assert describe(kms, made["KeyId"])["KeyId"] == made["KeyId"]


def test_trap_12_statements_without_resource_or_action_are_accepted_and_void(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    void = {"Effect": "Deny", "Principal": "*", "Resource": "*"}
    empty = {"Effect": "Deny", "Principal": "*", "Action": "kms:*"}
    kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller)), void, empty))
    assert describe(kms, made["KeyId"])["Enabled"] is True


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "not json",
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}',
        policy(allow("arn:aws:iam::111122223333:user/nobody")),
        policy(allow("arn:aws:iam::999999999999:root")),
        policy({**allow("*"), "Condition": {"NoSuchOperator": {"a": "b"}}}),
        policy({**allow("*"), "Principal": {"Service": "logs.example.com"}}),
        policy({**allow("*"), "Principal": {"Service": ["logs.amazonaws.com", "logs"]}}),
        policy({**allow("*"), "Principal": {"Service": "amazonaws.com"}}),
    ],
)
def test_trap_12_a_malformed_policy_is_refused(shared_world: World, text: str) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms)
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=made["KeyId"], Policy=text, BypassPolicyLockoutSafetyCheck=True)


def test_a_service_is_a_principal_when_its_name_is_one_of_awss(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    services = ["logs.eu-west-1.amazonaws.com", "delivery.logs.amazonaws.com"]
    text = policy({**allow("*"), "Principal": {"Service": services}}, allow(root(caller)))
    kms.put_key_policy(KeyId=made["KeyId"], Policy=text)
    shown = json.loads(kms.get_key_policy(KeyId=made["KeyId"])["Policy"])
    assert shown["Statement"][0]["Principal"] == {"Service": services}


def test_trap_12_a_policy_over_32_kilobytes_is_over_the_limit(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    text = policy(
        *[allow(root(caller), "kms:DescribeKey", Sid=f"S{number}" + "x" * 200) for number in range(120)]
    )
    assert len(text) > 32_768
    with refused("LimitExceededException"):
        kms.put_key_policy(KeyId=made["KeyId"], Policy=text)


def test_trap_12_characters_beyond_latin_1_are_refused(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms", checked=False)
    made = create(kms)
    with refused("ValidationException"):
        kms.put_key_policy(KeyId=made["KeyId"], Policy=json.dumps({"Id": "→"}, ensure_ascii=False))


@pytest.mark.parametrize(
    ("name", "get", "put"),
    [
        ("AWS_RAM", "NotFoundException", "ValidationException"),
        ("other", "NotFoundException", "ValidationException"),
    ],
)
def test_trap_12_the_one_policy_that_is_put_is_called_default(
    shared_world: World, name: str, get: str, put: str
) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms)
    assert kms.list_key_policies(KeyId=made["KeyId"])["PolicyNames"] == ["default"]
    assert kms.get_key_policy(KeyId=made["KeyId"], PolicyName="default")["PolicyName"] == "default"
    with refused(get):
        kms.get_key_policy(KeyId=made["KeyId"], PolicyName=name)
    with refused(put):
        kms.put_key_policy(KeyId=made["KeyId"], PolicyName=name, Policy="{}")


def test_tags_are_added_changed_and_removed(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms, Tags=[{"TagKey": "team", "TagValue": "a"}, {"TagKey": "Team", "TagValue": ""}])
    kms.tag_resource(
        KeyId=made["KeyId"], Tags=[{"TagKey": "team", "TagValue": "b"}, {"TagKey": "x", "TagValue": "1"}]
    )
    kms.untag_resource(KeyId=made["Arn"], TagKeys=["Team", "never there"])
    pages = kms.get_paginator("list_resource_tags").paginate(
        KeyId=made["KeyId"], PaginationConfig={"PageSize": 1}
    )
    tags = [(tag["TagKey"], tag["TagValue"]) for page in pages for tag in page["Tags"]]
    assert tags == [("team", "b"), ("x", "1")]


def test_a_key_has_at_most_fifty_tags(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    fifty = [{"TagKey": str(number), "TagValue": ""} for number in range(50)]
    made = create(kms, Tags=fifty)
    with refused("LimitExceededException"):
        kms.tag_resource(KeyId=made["KeyId"], Tags=[{"TagKey": "one more", "TagValue": ""}])
    kms.tag_resource(KeyId=made["KeyId"], Tags=[{"TagKey": "0", "TagValue": "changed"}])
    with refused("TagException", "Duplicate"):
        kms.tag_resource(KeyId=made["KeyId"], Tags=[fifty[0], fifty[0]])
    with refused("TagException", "aws:"):
        kms.tag_resource(KeyId=made["KeyId"], Tags=[{"TagKey": "AWS:x", "TagValue": ""}])
    assert len(kms.list_resource_tags(KeyId=made["KeyId"])["Tags"]) == 50
    with refused("NotFoundException"):
        kms.tag_resource(KeyId=NOBODY, Tags=fifty[:1])


def test_a_description_is_changed_and_may_be_empty(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms, Description="first")
    for text in ("second ü→", ""):
        kms.update_key_description(KeyId=made["KeyId"], Description=text)
        assert describe(kms, made["KeyId"])["Description"] == text
