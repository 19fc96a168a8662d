"""What IAM's tests have in common: policies in a line, users with keys, and the codes of refusals."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.world import REGION, Caller, World


def document(*statements: dict[str, Any]) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> str:
    """A policy that allows actions."""
    return document({"Effect": "Allow", "Action": list(actions), "Resource": resource, **more})


def deny(*actions: str, resource: str = "*") -> str:
    """A policy that denies actions."""
    return document({"Effect": "Deny", "Action": list(actions), "Resource": resource})


def trust(*principals: str, **more: Any) -> str:
    """A trust policy for these ARNs."""
    return document(
        {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole", **more}
    )


def refused(call: Callable[[], Any]) -> tuple[str, int]:
    """The code and status of a call that must fail."""
    with pytest.raises(ClientError) as refusal:
        call()
    answer: Any = refusal.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def words(call: Callable[[], Any]) -> str:
    """The message of a call that must fail."""
    with pytest.raises(ClientError) as refusal:
        call()
    message: str = refusal.value.response["Error"]["Message"]
    return message


@dataclass(frozen=True)
class Key:
    """Credentials of anyone in a world."""

    world: World
    access_key: str
    secret_key: str
    session_token: str | None = None

    def client(self, service: str, *, region: str = REGION) -> Any:
        from tests.support.botocore_client import client

        return client(
            service,
            self.world.app,
            region=region,
            access_key=self.access_key,
            secret_key=self.secret_key,
            session_token=self.session_token,
        )


def user(caller: Caller, name: str, *policies: str, **options: Any) -> Key:
    """A new user with inline policies and an access key."""
    iam = caller.client("iam")
    iam.create_user(UserName=name, **options)
    for number, policy in enumerate(policies):
        iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=policy)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Key(caller.world, made["AccessKeyId"], made["SecretAccessKey"])


def session(caller: Caller, credentials: dict[str, str]) -> Key:
    """The holder of temporary credentials."""
    return Key(
        caller.world,
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
    )
