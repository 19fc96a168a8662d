"""Grant tokens: they name a grant, sealed by the core; all tokens of one grant do the same, and none is a secret."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from foundation.store import Scope
from foundation.wire import BadToken, TokenSeal
from kms.keys.arns import key_arn
from kms.keys.errors import InvalidGrantToken

PURPOSE: Final = "grant"
_payload = msgspec.msgpack.Decoder(tuple[str, str, str, str])


@dataclass(frozen=True, slots=True)
class GrantName:
    """What a token says: a grant of a key."""

    scope: Scope
    key_id: str
    grant_id: str

    @property
    def key_arn(self) -> str:
        return key_arn(self.scope, self.key_id)


class GrantTokens:
    """Makes and reads tokens. Thread-safe."""

    def __init__(self, seal: TokenSeal) -> None:
        self._seal = seal

    def make(self, name: GrantName) -> str:
        """A new token, different each time, of some 250 characters (the model takes up to 8192)."""
        parts = (name.scope.account, name.scope.region, name.key_id, name.grant_id)
        return self._seal.seal(PURPOSE, msgspec.msgpack.encode(parts))

    def read(self, token: str) -> GrantName:
        """What the token names, though it may be gone. Raises InvalidGrantToken for one that was not made here."""
        try:
            account, region, key_id, grant_id = _payload.decode(self._seal.open(PURPOSE, token))
        except BadToken as altered:
            raise InvalidGrantToken("The grant token is not valid.") from altered
        return GrantName(Scope(account, region), key_id, grant_id)

    def presented(self, scope: Scope, key_id: str, tokens: Iterable[str]) -> frozenset[str]:
        """The ids of this key's grants among the tokens of a call. Other keys' tokens add nothing.

        Raises InvalidGrantToken.
        """
        read = [self.read(token) for token in tokens]
        return frozenset(name.grant_id for name in read if (name.scope, name.key_id) == (scope, key_id))
