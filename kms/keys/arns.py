"""KMS's names: key ids, key ARNs, alias names and alias ARNs, told apart by form alone."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from foundation.store import Scope
from kms.keys.errors import InvalidArn, NotFound

PARTITION: Final = "aws"
ALIAS_PREFIX: Final = "alias/"
MANAGED_PREFIX: Final = "alias/aws/"
MULTI_REGION_PREFIX: Final = "mrk-"

_ARN = re.compile(r"arn:([a-z0-9-]+):([a-z0-9-]+):([a-z0-9-]*):([0-9]*):(key|alias)/(.+)", re.DOTALL)
_KEY_ID = re.compile(r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class KeyName:
    """What a KeyId parameter says. `name` is a key id, or an alias name with its prefix.

    `whole`: it was an ARN, so that it may name another account.
    """

    form: Literal["key", "alias"]
    scope: Scope
    name: str
    whole: bool

    @property
    def arn(self) -> str:
        return key_arn(self.scope, self.name) if self.form == "key" else alias_arn(self.scope, self.name)


def key_arn(scope: Scope, key_id: str) -> str:
    return f"arn:{PARTITION}:kms:{scope.region}:{scope.account}:key/{key_id}"


def alias_arn(scope: Scope, name: str) -> str:
    """`name` with its prefix: the ARN ends in it."""
    return f"arn:{PARTITION}:kms:{scope.region}:{scope.account}:{name}"


@lru_cache(maxsize=4096)
def parse(text: str, here: Scope) -> KeyName:
    """Read a KeyId in any of its four forms, as asked by a caller of `here`.

    Raises InvalidArn for an ARN of anything else, NotFound for an ARN of another Region and for what is no key id.
    """
    if text.startswith("arn:"):
        return _from_arn(text, here)
    if text.startswith(ALIAS_PREFIX):
        return KeyName("alias", here, text, whole=False)
    if not _KEY_ID.fullmatch(text):
        raise NotFound(f"Invalid keyId '{text}'")
    return KeyName("key", here, text, whole=False)


def _from_arn(text: str, here: Scope) -> KeyName:
    found = _ARN.fullmatch(text)
    if found is None:
        raise InvalidArn(f"Invalid arn {text}")
    partition, service, region, account, kind, rest = found.groups()
    if partition != PARTITION or service != "kms" or not region or len(account) != 12:
        raise InvalidArn(f"Invalid arn {text}")
    if region != here.region:
        raise NotFound(f"Invalid arn {region}")
    scope = Scope(account, region)
    if kind == "alias":
        return KeyName("alias", scope, ALIAS_PREFIX + rest, whole=True)
    if not _KEY_ID.fullmatch(rest):
        raise NotFound(f"Invalid keyId '{rest}'")
    return KeyName("key", scope, rest, whole=True)
