"""DryRun on every operation that has it: what would succeed says so, nothing changes, and what is refused is refused alike."""

from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session

from tests.api.authorization.stage import KMS, Stage
from tests.api.kms.support import answer
from tests.support.world import Caller, World

MODEL: Any = Session().get_service_model("kms")
DRY = [
    name
    for name in MODEL.operation_names
    if name in KMS and "DryRun" in MODEL.operation_model(name).input_shape.members
]
# What the stage's parameters cannot be true of: a ciphertext, a signature, a MAC and material that are made up.
MADE_UP = {"Decapsulate", "Verify", "VerifyMac", "ImportKeyMaterial"}


@pytest.fixture(scope="module")
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def test_the_model_has_dry_runs() -> None:
    assert len(DRY) > 15


@pytest.mark.parametrize("name", [name for name in DRY if name not in MADE_UP])
def test_a_dry_run_of_what_would_succeed_says_so_twice_alike(caller: Caller, name: str) -> None:
    params = KMS[name](Stage(caller, f"dry-{name}"))
    call = getattr(caller.client("kms"), xform_name(name))
    assert [answer(lambda: call(**params, DryRun=True)) for _ in range(2)] == ["DryRunOperationException"] * 2
    assert answer(lambda: call(**params)) == ""


@pytest.mark.parametrize("name", DRY)
def test_a_dry_run_under_a_disabled_key_is_refused_as_the_call_is(caller: Caller, name: str) -> None:
    kms = caller.client("kms")
    params = KMS[name](Stage(caller, f"off-{name}"))
    key = params.get("KeyId") or params.get("DestinationKeyId")
    kms.disable_key(KeyId=key)
    call = getattr(kms, xform_name(name))
    dry, real = answer(lambda: call(**params, DryRun=True)), answer(lambda: call(**params))
    assert dry in {real, "DryRunOperationException"}
    assert dry == (real or "DryRunOperationException")
