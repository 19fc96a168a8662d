"""Sign, Verify and GetPublicKey: what each algorithm signs is one table (TRAPS 20)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kms.keys.context import Context
from kms.keys.errors import InvalidState, UnsupportedOperation, ValidationError
from kms.keys.found import FoundKey
from kms.keys.keys import Lookup
from kms.keys.specs import SIGN_VERIFY
from kms.keys.using import PLAIN_WORDS, Using, current, refuse_dry_run

MessageType = Literal["RAW", "DIGEST", "EXTERNAL_MU"]

MU_BYTES: Final = 64
"""Of the message representative of ML-DSA (FIPS 204, 6.2)."""


def _hashed(size: int) -> dict[MessageType, int | None]:
    return {"RAW": None, "DIGEST": size}


MESSAGES: Final[Mapping[str, Mapping[MessageType, int | None]]] = {
    **{f"{scheme}_SHA_{bits}": _hashed(bits // 8)
       for scheme in ("RSASSA_PSS", "RSASSA_PKCS1_V1_5", "ECDSA") for bits in (256, 384, 512)},
    "ED25519_SHA_512": {"RAW": None},
    "ED25519_PH_SHA_512": {"DIGEST": 64},
    "ML_DSA_SHAKE_256": {"RAW": None, "EXTERNAL_MU": MU_BYTES},
}  # fmt: skip
"""Signing algorithm → the message types that it takes → the exact octets of each; None: up to 4096."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed, judged by `judge_message`."""

    octets: bytes
    kind: MessageType
    algorithm: str


def judge_message(message: Message) -> None:
    """Raise ValidationError for a type or a length that the algorithm does not take.

    An algorithm that no key of keystead has (SM2DSA) is refused later, with the key.
    """
    lengths = MESSAGES.get(message.algorithm)
    if lengths is None:
        return
    if message.kind not in lengths:
        raise ValidationError(
            f"The message type {message.kind} is not valid for the signing algorithm {message.algorithm}."
        )
    length = lengths[message.kind]
    if length is not None and len(message.octets) != length:
        what = "Digest" if message.kind == "DIGEST" else "External mu"
        raise ValidationError(f"{what} is invalid length for algorithm {message.algorithm}.")


class Signing:
    """For one call."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._lookup = lookup
        self._using = Using(context, lookup)

    def sign(self, key_id: str, message: Message, *, dry_run: bool) -> tuple[FoundKey, bytes]:
        """The key and the signature: DER for ECDSA, the bare octets otherwise."""
        found = self._using.key(key_id, "Sign", SIGN_VERIFY, message.algorithm)
        held = current(found)
        refuse_dry_run(dry_run)
        asker = self._using.asker(dry_run=False)
        with PLAIN_WORDS:
            signature = self._using.core.sign(
                *held, asker, message.algorithm, message.octets, message_type=message.kind
            )
        return found, signature

    def verify(self, key_id: str, message: Message, signature: bytes, *, dry_run: bool) -> FoundKey:
        """The key, whose signature it is; raises InvalidSignature otherwise, and never says so in a flag."""
        found = self._using.key(key_id, "Verify", SIGN_VERIFY, message.algorithm)
        held = current(found)
        asker = self._using.asker(dry_run=dry_run)
        with PLAIN_WORDS:
            self._using.core.verify(
                *held, asker, message.algorithm, message.octets, signature, message_type=message.kind
            )
        refuse_dry_run(dry_run)
        return found

    def public_key(self, key_id: str) -> tuple[FoundKey, bytes]:
        """The key and its public half, SPKI DER. Raises UnsupportedOperation for secret keys."""
        found = self._lookup.usable(key_id, "GetPublicKey")
        if found.spec.kind != "asymmetric":
            raise UnsupportedOperation(
                f"{found.arn} key spec is {found.spec.name} which is not valid for GetPublicKey."
            )
        material = found.current
        if material is None or not material.public_key:
            raise InvalidState(f"{found.arn} has no key material.")
        return found, material.public_key
