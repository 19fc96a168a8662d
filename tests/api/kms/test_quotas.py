"""KMS's quotas: AWS's by default, the operator's where settings say so, each refused by AWS's code when it is reached."""

from collections.abc import Iterator
from typing import Any

import pytest

from kms.keys import KmsSettings
from server.assembly import kms_settings
from tests.api.kms.support import create, describe, refused, root
from tests.support.core import RunningCore
from tests.support.world import ELSEWHERE, Caller, World, linked

QUOTAS = {
    "kms.keys": "3",
    "kms.aliases_per_key": "2",
    "kms.grants_per_key": "3",
    "kms.grants_per_grantee": "2",
    "kms.on_demand_rotations": "1",
    "kms.tags_per_key": "2",
}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, running_core: RunningCore) -> Iterator[World]:
    """A deployment whose operator set every quota."""
    data = linked(tmp_path_factory.mktemp("narrow") / "data", running_core)
    made = World(data, running_core, QUOTAS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def caller(narrow: World) -> Caller:
    return narrow.account()


@pytest.fixture(scope="module")
def kms(caller: Caller) -> Any:
    return caller.client("kms")


@pytest.fixture(scope="module")
def key(kms: Any) -> str:
    made: str = create(kms)["KeyId"]
    return made


def test_without_settings_the_quotas_are_awss(shared_world: World) -> None:
    aws = KmsSettings(regions=kms_settings(shared_world.settings).regions)
    assert kms_settings(shared_world.settings) == aws


def test_keys_are_counted_by_account_and_region(narrow: World) -> None:
    caller = narrow.account()
    kms = caller.client("kms")
    for _ in range(3):
        create(kms)
    with refused("LimitExceededException", "quota of 3 KMS keys"):
        create(kms)
    create(caller.client("kms", region=ELSEWHERE))
    create(narrow.account().client("kms"))


def test_aliases_are_counted_by_key(kms: Any, key: str) -> None:
    for name in ("alias/one", "alias/two"):
        kms.create_alias(AliasName=name, TargetKeyId=key)
    with refused("LimitExceededException", "quota of 2 aliases"):
        kms.create_alias(AliasName="alias/three", TargetKeyId=key)
    kms.delete_alias(AliasName="alias/two")
    kms.create_alias(AliasName="alias/three", TargetKeyId=key)


def test_grants_are_counted_by_key_and_by_grantee_on_it(
    narrow: World, kms: Any, caller: Caller, key: str
) -> None:
    others = [root(narrow.account()) for _ in range(2)]

    def grant(grantee: str, **more: Any) -> str:
        made: str = kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"], **more)[
            "GrantId"
        ]
        return made

    grant(root(caller))
    named = grant(root(caller), Name="named")
    for dry in ({}, {"DryRun": True}):
        with refused("LimitExceededException", "2 grants for one grantee"):
            grant(root(caller), **dry)
    assert grant(root(caller), Name="named") == named  # it makes none
    grant(others[0])
    for dry in ({}, {"DryRun": True}):
        with refused("LimitExceededException", "3 grants on a KMS key"):
            grant(others[1], **dry)
    kms.revoke_grant(KeyId=key, GrantId=named)
    grant(others[1])


def test_on_demand_rotations_are_counted_for_ever(narrow: World, kms: Any, key: str) -> None:
    kms.rotate_key_on_demand(KeyId=key)
    narrow.run_due()
    with refused("LimitExceededException", "1 on-demand rotations"):
        kms.rotate_key_on_demand(KeyId=key)


def test_tags_are_counted_by_key(kms: Any, key: str) -> None:
    tags = [{"TagKey": name, "TagValue": ""} for name in ("a", "b", "c")]
    kms.tag_resource(KeyId=key, Tags=tags[:2])
    with refused("LimitExceededException"):
        kms.tag_resource(KeyId=key, Tags=tags[2:])
    with refused("LimitExceededException"):
        kms.create_key(Tags=tags)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "new"}])
    assert describe(kms, key)["KeyState"] == "Enabled"
