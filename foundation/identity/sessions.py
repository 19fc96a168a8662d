"""Temporary credentials: an access key whose row is a sealed token that the caller carries (STS).

The token holds who the session is, what narrows it and when it is over, and the sealed secret access key: workers learn
the former, the key core alone the latter. Nothing is stored, so nothing has to be swept; a session ends with its
expiry, its principal, or a policy that denies by `aws:TokenIssueTime`.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from foundation.identity.calls import Session
from foundation.identity.errors import PackedPolicyTooLarge
from foundation.identity.keys import KeyMaker
from foundation.identity.names import SESSION_KEY, unique_id
from foundation.wire import BadToken, TokenSeal

__all__ = ["Claims", "Credentials", "Sessions"]

MOST_PACKED: Final = 4_096
"""Octets of compressed claims; PackedPolicySize is the share of it that is used."""


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """What a token says. `principal_id` is the user's, role's or root's; `name` the session's, "" without a role.

    Times are seconds since 1970 on the wall clock. `sealed` is the core's token of the secret access key.
    """

    account: str
    principal_id: str
    sealed: bytes
    issued_at: float
    expires_at: float
    name: str = ""
    role_id: str = ""
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    transitive: tuple[str, ...] = ()
    source_identity: str = ""
    chained: bool = False

    @property
    def facts(self) -> Session:
        """The session as the principal carries it; `role_arn` is filled in from the role."""
        return Session(
            issued_at=datetime.fromtimestamp(self.issued_at, UTC),
            role_id=self.role_id,
            source_identity=self.source_identity,
            transitive=self.transitive,
        )

    def over(self, now: datetime) -> bool:
        """Tell whether the session has expired."""
        return now.timestamp() >= self.expires_at


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What is shown once. Has no repr: it holds the secret. `packed` is in percent."""

    access_key_id: str
    secret_access_key: str
    token: str
    expires_at: datetime
    packed: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Claims).decode


class Sessions:
    """Issues and opens session tokens, on the wall clock. Never inside a transaction."""

    def __init__(
        self,
        core: KeyMaker,
        seal: TokenSeal,
        entropy: Callable[[int], bytes],
        wall: Callable[[], datetime],
    ) -> None:
        self._core = core
        self._seal = seal
        self._entropy = entropy
        self._wall = wall

    def issue(self, claims: Claims, duration: timedelta) -> Credentials:
        """Make credentials for a session of `claims`; their times and secret are filled in here.

        Raises PackedPolicyTooLarge when policies and tags together are too long.
        """
        key_id = unique_id(SESSION_KEY, claims.account, self._entropy, length=20)
        issued_at = self._wall()
        expires_at = (issued_at + duration).replace(microsecond=0)
        sealed, secret = self._core.new_access_key(claims.account, key_id, None)
        whole = msgspec.structs.replace(
            claims, sealed=sealed, issued_at=issued_at.timestamp(), expires_at=expires_at.timestamp()
        )
        packed = zlib.compress(_encode(whole))
        used = -(-100 * (len(packed) - len(sealed)) // MOST_PACKED)
        if used > 100:
            raise PackedPolicyTooLarge(
                f"Packed size of session tags consumes {used}% of allotted space.", retry_after=None
            )
        return Credentials(key_id, secret, self._seal.seal(key_id, packed), expires_at, used)

    def open(self, token: str, access_key_id: str) -> Claims:
        """Give what the token of this access key says, expired or not. Raises BadToken for all others."""
        try:
            return _decode(zlib.decompress(self._seal.open(access_key_id, token)))
        except (msgspec.DecodeError, zlib.error) as error:  # a token of another version of keystead
            raise BadToken("The token is not valid.") from error
