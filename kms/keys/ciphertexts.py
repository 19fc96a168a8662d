"""Which key a ciphertext is for: symmetric ones say so themselves, others need to be told (TRAPS 7)."""

import re
from functools import lru_cache
from typing import Final

import msgspec

from foundation.identity import Resource
from foundation.store import Scope
from kms.hsm import BadSeal, CipherHeader, describe
from kms.keys.arns import key_arn
from kms.keys.errors import IncorrectKey, InvalidCiphertext, NotFound, ValidationError
from kms.keys.found import FoundKey, Material, Question
from kms.keys.keys import Lookup
from kms.keys.specs import SYMMETRIC_DEFAULT
from kms.keys.using import NOT_VALID, Held, current, held

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION: Final = re.compile(r"[a-z0-9-]*")


class Source(msgspec.Struct, frozen=True):
    """A ciphertext to be opened, and what its caller says of it. `blob` is None when only permissions are tried."""

    blob: bytes | None
    key_id: str | None = None
    algorithm: str = SYMMETRIC_DEFAULT
    context: dict[str, str] = {}  # each instance gets its own

    @property
    def symmetric(self) -> bool:
        return self.algorithm == SYMMETRIC_DEFAULT


def name_of(source: Source, here: Scope) -> str:
    """The KeyId to look up: the caller's, or the one in the ciphertext.

    A short id that the ciphertext names means the ciphertext's key, in whatever account (TRAPS 11). Raises
    InvalidCiphertext for a blob that names no key, ValidationError when nothing names one.
    """
    if source.key_id is None:
        if source.blob is None or not source.symmetric:
            raise ValidationError("KeyId is required for this request: nothing else names the KMS key.")
        return _arn(header_of(source.blob), here)
    if source.blob is not None and source.symmetric and source.key_id[:4] != "arn:":
        try:
            header = header_of(source.blob)
        except InvalidCiphertext:
            return source.key_id  # what is wrong with the blob is said after the key's own checks
        if header.key_id == source.key_id:
            return _arn(header, here)
    return source.key_id


def resource_of(lookup: Lookup, source: Source, here: Scope, operation: str, question: Question) -> Resource:
    """What opening it is asked about. A key that only the ciphertext names is denied, never "not found"."""
    name = name_of(source, here)
    if source.key_id is not None:
        return lookup.resource(name, operation, question)
    try:
        return lookup.resource(name, operation, question)
    except NotFound:
        return Resource(arn=name, account=name.split(":")[4], delegates=True)


def material_of(found: FoundKey, source: Source) -> tuple[Material, Held]:
    """The material that the ciphertext was made with.

    Raises IncorrectKey for one of another key, InvalidCiphertext for one that no material of the key has made.
    """
    if not source.symmetric or source.blob is None:
        material = found.current
        token = current(found)
        assert material is not None
        return material, token
    header = header_of(source.blob)
    region = "" if found.multi_region else found.scope.region
    if (header.account, header.region, header.key_id) != (found.scope.account, region, found.id):
        raise IncorrectKey(
            "The key ID in the request does not identify a KMS key that can perform this operation."
        )
    material = found.material(header.version)
    if material is None:
        raise InvalidCiphertext(NOT_VALID)
    return material, held(found, material)


@lru_cache(maxsize=64)
def header_of(blob: bytes) -> CipherHeader:
    """What the ciphertext says of its key: one call asks for it three times. Raises InvalidCiphertext for what is none of ours."""
    try:
        header = describe(blob)
    except BadSeal as foreign:
        raise InvalidCiphertext(NOT_VALID) from foreign
    if not _ACCOUNT.fullmatch(header.account) or not _REGION.fullmatch(header.region):
        raise InvalidCiphertext(NOT_VALID)
    return header


def _arn(header: CipherHeader, here: Scope) -> str:
    return key_arn(Scope(header.account, header.region or here.region), header.key_id)
