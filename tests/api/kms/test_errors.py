"""How KMS says no: codes and statuses, each operation's own list, and what waits for custom key stores (TRAPS 4, 5, 23)."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import Session

from kms.hsm import CoreClient, CoreUnavailable
from tests.api.kms.support import create, refused
from tests.support.botocore_client import COMMON_ERRORS
from tests.support.world import World

NO_STORE = "cks-1234567890abcdef0"
STORES: dict[str, dict[str, str]] = {
    "CreateCustomKeyStore": {"CustomKeyStoreName": "store"},
    "DescribeCustomKeyStores": {},
    "UpdateCustomKeyStore": {"CustomKeyStoreId": NO_STORE},
    "DeleteCustomKeyStore": {"CustomKeyStoreId": NO_STORE},
    "ConnectCustomKeyStore": {"CustomKeyStoreId": NO_STORE},
    "DisconnectCustomKeyStore": {"CustomKeyStoreId": NO_STORE},
}


@pytest.fixture
def kms(shared_world: World) -> Any:
    return shared_world.account().client("kms")


def error(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call()
    return {**raised.value.response}


def test_trap_4_client_faults_are_400_and_name_the_shape_in_body_and_header(kms: Any) -> None:
    answer = error(lambda: kms.describe_key(KeyId="alias/nobody"))
    meta = answer["ResponseMetadata"]
    assert (answer["Error"]["Code"], meta["HTTPStatusCode"]) == ("NotFoundException", 400)
    assert meta["HTTPHeaders"]["x-amzn-errortype"] == "NotFoundException"
    assert issubclass(kms.exceptions.NotFoundException, ClientError)


def test_trap_4_a_dry_run_is_an_error_and_never_a_success(kms: Any) -> None:
    key = create(kms)["KeyId"]
    answer = error(lambda: kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True))
    assert answer["Error"]["Code"] == "DryRunOperationException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "CiphertextBlob" not in answer


def test_trap_4_a_key_core_that_is_away_is_a_fault_of_ours_that_clients_repeat(kms: Any) -> None:
    key = create(kms)["KeyId"]
    gone = CoreUnavailable("the key core does not answer")
    with mock.patch.object(CoreClient, "encrypt", side_effect=gone):
        answer = error(lambda: kms.encrypt(KeyId=key, Plaintext=b"x"))
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (
        "KeyUnavailableException", 500,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda kms, key: kms.encrypt(KeyId=key, Plaintext=b"x" * 4097), "ValidationException"),
        (lambda kms, key: kms.list_keys(Limit=1001), "ValidationException"),
        (lambda kms, key: kms.list_aliases(Marker="x"), "InvalidMarkerException"),
        (
            lambda kms, key: kms.create_grant(
                KeyId=key, GranteePrincipal=kms.owner, Operations=["Sign"], Name="unsuitable"
            ),
            "ValidationError",
        ),
    ],
    ids=["a value past its limit", "a number past its limit", "a marker", "a grant's operations"],
)
def test_trap_5_what_breaks_a_constraint_has_kmss_own_words_for_it(
    shared_world: World, call: Callable[[Any, str], Any], code: str
) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    kms.owner = caller.made.admin_arn
    with refused(code):
        call(kms, create(kms)["KeyId"])


def test_trap_5_every_error_that_a_client_was_answered_is_in_its_operations_own_list(kms: Any) -> None:
    """`tests.support.botocore_client` holds each answer of every test to the model; here it catches one that is not."""
    listed = {
        shape.name for shape in Session().get_service_model("kms").operation_model("ListKeys").error_shapes
    }
    assert "DisabledException" not in listed | COMMON_ERRORS
    events = kms.meta.events
    model = kms.meta.service_model.operation_model("ListKeys")
    wrong = {"Error": {"Code": "DisabledException", "Message": ""}}
    with pytest.raises(AssertionError, match="which its list does not have"):
        events.emit("after-call.kms.ListKeys", parsed=wrong, model=model, http_response=None, context={})


@pytest.mark.parametrize(
    "options",
    [
        {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": NO_STORE},
        {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": NO_STORE, "XksKeyId": "x"},
        {"CustomKeyStoreId": NO_STORE},
        {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": NO_STORE, "MultiRegion": True},
    ],
    ids=["CloudHSM", "external", "no origin", "multi-Region"],
)
def test_trap_23_no_key_pretends_to_be_in_a_custom_key_store(kms: Any, options: dict[str, Any]) -> None:
    before = kms.list_keys()["Keys"]
    with refused("UnsupportedOperationException", "custom key stores"):
        create(kms, **options)
    assert kms.list_keys()["Keys"] == before


def test_trap_23_random_bytes_of_a_custom_key_store_are_not_ours_to_give(kms: Any) -> None:
    with refused("CustomKeyStoreNotFoundException"):
        kms.generate_random(NumberOfBytes=32, CustomKeyStoreId=NO_STORE)


@pytest.mark.parametrize("operation", STORES)
def test_trap_23_operations_of_custom_key_stores_say_that_they_are_not_here(kms: Any, operation: str) -> None:
    with refused("NotImplementedException", operation):
        getattr(kms, xform_name(operation))(**STORES[operation])
