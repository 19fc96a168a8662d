"""What the tests of grants share: users without policies, whom grants alone let in."""

from dataclasses import dataclass
from typing import Any

from tests.support.world import REGION, Caller


@dataclass(frozen=True)
class Person:
    """An IAM user, or a role's session, with a KMS client of its own."""

    arn: str
    caller: Caller
    credentials: dict[str, str]

    def client(self, service: str = "kms", *, region: str = REGION) -> Any:
        return self.caller.client(service, region=region, **self.credentials)

    @property
    def kms(self) -> Any:
        return self.client()


def user(caller: Caller, name: str) -> Person:
    """A new user without any policy."""
    iam = caller.client("iam", region="us-east-1")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Person(arn, caller, {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]})


def grant(kms: Any, key: dict[str, Any], grantee: str, *operations: str, **more: Any) -> dict[str, str]:
    """CreateGrant on a key by its ARN: the answer's GrantId and GrantToken."""
    made = kms.create_grant(KeyId=key["Arn"], GranteePrincipal=grantee, Operations=list(operations), **more)
    return {name: made[name] for name in ("GrantId", "GrantToken")}


def listed(kms: Any, key: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """All grants of a key, over all pages."""
    pages = kms.get_paginator("list_grants").paginate(KeyId=key["Arn"], **more)
    return [entry for page in pages for entry in page["Grants"]]


def encrypt(kms: Any, key: dict[str, Any], context: dict[str, str] | None = None, **more: Any) -> bytes:
    made = kms.encrypt(KeyId=key["Arn"], Plaintext=b"a secret", EncryptionContext=context or {}, **more)
    blob: bytes = made["CiphertextBlob"]
    return blob
