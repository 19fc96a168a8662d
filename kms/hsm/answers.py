"""What the core's operations give their callers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kms.hsm.labels import KeyLabel
from kms.hsm.specs import SYMMETRIC


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """token: the sealed private or secret key, for the caller's database. public_key: SPKI DER, b"" if symmetric.

    material_id: 64 hexadecimal digits, of account, key id and material: the same in every Region and at every import.
    """

    token: bytes
    public_key: bytes
    material_id: str = ""


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """What an import made of wrapped material. version: that of a known material, else the label's."""

    token: bytes
    public_key: bytes
    material_id: str
    version: int


@dataclass(frozen=True, slots=True)
class ImportParameters:
    """token: KMS's ImportToken (at most 6144 bytes). public_key: of the wrapping key, SPKI DER."""

    token: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class DataKey:
    """plaintext: the random data key (b"" when it was not to leave, the CMS for a recipient). ciphertext: it, sealed."""

    plaintext: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class DataKeyPair:
    """public_key: SPKI DER. private_key: PKCS#8 DER (b"" or the CMS, as in DataKey). ciphertext: it, sealed."""

    public_key: bytes
    private_key: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Encapsulated:
    """shared_secret: 32 bytes. ciphertext: its encapsulated form."""

    shared_secret: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two keys of a re-encryption."""

    token: bytes
    label: KeyLabel
    context: Mapping[str, str] = field(default_factory=dict)
    algorithm: str = SYMMETRIC
