"""GenerateMac and VerifyMac."""

from kms.keys.context import Context
from kms.keys.found import FoundKey
from kms.keys.keys import Lookup
from kms.keys.specs import GENERATE_VERIFY_MAC
from kms.keys.using import PLAIN_WORDS, Using, current, refuse_dry_run


class Macs:
    """For one call."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._using = Using(context, lookup)

    def generate(
        self, key_id: str, message: bytes, algorithm: str, *, dry_run: bool
    ) -> tuple[FoundKey, bytes]:
        """The key and the whole HMAC (RFC 2104)."""
        found = self._using.key(key_id, "GenerateMac", GENERATE_VERIFY_MAC, algorithm)
        held = current(found)
        refuse_dry_run(dry_run)
        asker = self._using.asker(dry_run=False)
        with PLAIN_WORDS:
            return found, self._using.core.generate_mac(*held, asker, algorithm, message)

    def verify(self, key_id: str, message: bytes, algorithm: str, mac: bytes, *, dry_run: bool) -> FoundKey:
        """The key, whose HMAC it is; raises InvalidMac otherwise, and never says so in a flag (TRAPS 20)."""
        found = self._using.key(key_id, "VerifyMac", GENERATE_VERIFY_MAC, algorithm)
        held = current(found)
        asker = self._using.asker(dry_run=dry_run)
        with PLAIN_WORDS:
            self._using.core.verify_mac(*held, asker, algorithm, message, mac)
        refuse_dry_run(dry_run)
        return found
