"""Sealed text tokens (the wire's TokenSeal) over the core."""

import base64
import binascii
from collections.abc import Callable

from kms.hsm.client import CoreClient
from kms.hsm.errors import BadSeal

LONGEST = 8192


class SealOverCore:
    """Implements `foundation.wire.TokenSeal`: URL-safe ASCII tokens that only this deployment opens.

    bad_token: builds the wire's error for anything that `seal` did not make (pass `foundation.wire.BadToken`).
    under: the core's purpose, "paging" or "session"; a token of the one never opens as one of the other.
    """

    def __init__(
        self, client: CoreClient, bad_token: Callable[[str], Exception], *, under: str = "paging"
    ) -> None:
        self._client = client
        self._bad_token = bad_token
        self._under = under

    def seal(self, purpose: str, payload: bytes) -> str:
        sealed = self._client.seal(self._under, (purpose,), payload)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, purpose: str, token: str) -> bytes:
        if len(token) > LONGEST:
            raise self._bad_token("The token is not valid.")
        try:
            text = token.encode("ascii")
            sealed = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return self._client.open(self._under, (purpose,), sealed)
        except (BadSeal, UnicodeEncodeError, binascii.Error) as altered:
            raise self._bad_token("The token is not valid.") from altered
