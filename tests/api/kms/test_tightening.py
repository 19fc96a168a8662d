"""What is taken away is gone on every worker once the answer is out (ARCHITECTURE 4): two workers, on both databases."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from server.doors import make_wsgi
from tests.api.kms.grants import Person, grant, user
from tests.api.kms.support import allow, create, policy, root
from tests.support.botocore_client import App, client, wsgi
from tests.support.world import REGION, Caller, World

Tighten = Callable[["Stage"], Any]
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@dataclass
class Stage:
    """A user of a key at one worker, and whoever administers both at another."""

    caller: Caller
    person: Person
    key: dict[str, Any]
    granted: dict[str, str]

    @property
    def kms(self) -> Any:
        return self.caller.client("kms")

    @property
    def iam(self) -> Any:
        return self.caller.client("iam", region="us-east-1")


@dataclass
class Use:
    """Calls that go on until they are refused: when those that succeeded began, and what refused the last."""

    began: list[float] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def run(self, kms: Any, key_id: str, stop: threading.Event) -> None:
        while not stop.is_set():
            at = time.monotonic()
            try:
                kms.encrypt(KeyId=key_id, Plaintext=b"x")
            except ClientError as error:
                self.refusals.append(error.response["Error"]["Code"])
                return
            self.began.append(at)


@pytest.fixture
def elsewhere(any_world: World) -> Iterator[App]:
    """Another worker of the same deployment: its store, its caches and its clock are its own."""
    other = any_world._open("worker")
    yield wsgi(make_wsgi(other))
    other.close()


def deny(stage: Stage) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "kms:*", "Resource": "*"}],
    }
    stage.iam.put_user_policy(UserName="ann", PolicyName="no", PolicyDocument=json.dumps(document))


def disown(stage: Stage) -> None:
    stage.kms.put_key_policy(KeyId=stage.key["KeyId"], Policy=policy(allow(stage.caller.made.admin_arn)))


def deactivate(stage: Stage) -> None:
    key_id = stage.person.credentials["access_key"]
    stage.iam.update_access_key(UserName="ann", AccessKeyId=key_id, Status="Inactive")


def delete_key(stage: Stage) -> None:
    stage.iam.delete_access_key(UserName="ann", AccessKeyId=stage.person.credentials["access_key"])


BY_POLICY: dict[str, tuple[Tighten, str]] = {
    "DisableKey": (lambda stage: stage.kms.disable_key(KeyId=stage.key["KeyId"]), "DisabledException"),
    "ScheduleKeyDeletion": (
        lambda stage: stage.kms.schedule_key_deletion(KeyId=stage.key["KeyId"]), "KMSInvalidStateException"
    ),
    "PutKeyPolicy": (disown, "AccessDeniedException"),
    "a denying policy": (deny, "AccessDeniedException"),
    "DetachUserPolicy": (
        lambda stage: stage.iam.detach_user_policy(UserName="ann", PolicyArn=ADMINISTRATOR), "AccessDeniedException"
    ),
    "an inactive access key": (deactivate, "UnrecognizedClientException"),
    "a deleted access key": (delete_key, "UnrecognizedClientException"),
}  # fmt: skip
BY_GRANT: dict[str, tuple[Tighten, str]] = {
    "RevokeGrant": (
        lambda stage: stage.kms.revoke_grant(KeyId=stage.key["KeyId"], GrantId=stage.granted["GrantId"]),
        "AccessDeniedException",
    ),
    "RetireGrant": (
        lambda stage: stage.kms.retire_grant(GrantToken=stage.granted["GrantToken"]), "AccessDeniedException"
    ),
}  # fmt: skip


QUICK = ("DisableKey", "an inactive access key")
CHANGES = [
    pytest.param(each, marks=() if each in QUICK else pytest.mark.slow) for each in (*BY_POLICY, *BY_GRANT)
]


@pytest.mark.parametrize("change", CHANGES)
def test_no_call_that_begins_after_the_answer_succeeds_at_another_worker(
    any_world: World, elsewhere: App, change: str
) -> None:
    caller = any_world.account()
    person = user(caller, "ann")
    key = create(caller.client("kms"), Policy=policy(allow(root(caller))))
    granted: dict[str, str] = {}
    if change in BY_GRANT:
        retiring = {"RetiringPrincipal": caller.made.admin_arn}
        granted = grant(caller.client("kms"), key, person.arn, "Encrypt", **retiring)
    else:
        caller.client("iam", region="us-east-1").attach_user_policy(UserName="ann", PolicyArn=ADMINISTRATOR)
    tighten, refusal = (BY_POLICY | BY_GRANT)[change]
    access, secret = person.credentials["access_key"], person.credentials["secret_key"]
    kms = client("kms", elsewhere, region=REGION, access_key=access, secret_key=secret)
    use, stop = Use(), threading.Event()
    thread = threading.Thread(target=use.run, args=(kms, key["Arn"], stop))
    thread.start()
    try:
        while len(use.began) < 5 and thread.is_alive():
            time.sleep(0.005)
        kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")  # and looks at what is new just before the change
        tighten(Stage(caller, person, key, granted))
        answered = time.monotonic()
        thread.join(2)
    finally:
        stop.set()
        thread.join(10)
    assert use.refusals == [refusal]
    assert [at for at in use.began if at > answered] == []
