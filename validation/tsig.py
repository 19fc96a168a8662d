"""Keys that sign DNS updates (TSIG, RFC 8945), as both the publisher and the test server hold them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

import dns.name
import dns.tsig

from validation.names import normalise_owner

# HMAC-MD5 and HMAC-SHA-1 are left out: RFC 8945 section 6 lets nobody require them any more.
ALGORITHMS: dict[str, dns.name.Name] = {
    "hmac-sha256": dns.tsig.HMAC_SHA256,
    "hmac-sha384": dns.tsig.HMAC_SHA384,
    "hmac-sha512": dns.tsig.HMAC_SHA512,
}


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A shared secret with its name. The secret never shows in `repr`."""

    name: str
    algorithm: str  # a key of ALGORITHMS
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, name: str, algorithm: str, secret: str) -> TsigKey:
        """Read a key as `tsig-keygen` and `keymgr` print it (secret in base64).

        Raises ValueError, which never holds the secret, and BadName.
        """
        if algorithm.lower() not in ALGORITHMS:
            raise ValueError(f"TSIG algorithm {algorithm!r} is none of {', '.join(ALGORITHMS)}")
        try:
            raw = base64.b64decode(secret, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"the secret of the TSIG key {name!r} is not base64") from None
        if not raw:
            raise ValueError(f"the secret of the TSIG key {name!r} is empty")
        return cls(normalise_owner(name), algorithm.lower(), raw)

    def keyring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        """The key in the form that dnspython signs and verifies with."""
        owner = dns.name.from_text(self.name)
        return {owner: dns.tsig.Key(owner, self.secret, ALGORITHMS[self.algorithm])}
