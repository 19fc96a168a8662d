"""How imported key material comes wrapped: which algorithm for which material, and its undoing."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

from kms.hsm import rsa_oaep
from kms.hsm.errors import BadSeal, KeyRefused
from kms.hsm.specs import Family, Spec

AES_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Wrapping:
    """oaep: the RSA encryption. aes: whether it carries an AES key, under which the material is wrapped (RFC 5649)."""

    oaep: str
    aes: bool
    families: frozenset[Family]


_DIRECT: frozenset[Family] = frozenset({"symmetric", "hmac", "ec", "koblitz", "ed25519", "ml-dsa", "ml-kem"})
_BY_AES: frozenset[Family] = frozenset({"rsa", "ec", "koblitz", "ed25519"})
# GetParametersForImport's WrappingAlgorithm: RSA material needs the RSA_AES wrappers, which are "for RSA and ECC".
WRAPPINGS: Mapping[str, Wrapping] = {
    "RSAES_OAEP_SHA_1": Wrapping("RSAES_OAEP_SHA_1", aes=False, families=_DIRECT),
    "RSAES_OAEP_SHA_256": Wrapping("RSAES_OAEP_SHA_256", aes=False, families=_DIRECT),
    "RSA_AES_KEY_WRAP_SHA_1": Wrapping("RSAES_OAEP_SHA_1", aes=True, families=_BY_AES),
    "RSA_AES_KEY_WRAP_SHA_256": Wrapping("RSAES_OAEP_SHA_256", aes=True, families=_BY_AES),
}


def wrapping_for(algorithm: str, wrapping: Spec, material: Spec) -> Wrapping:
    """How material of one spec is wrapped. KeyRefused for a combination that KMS does not have (TRAPS 18)."""
    found = WRAPPINGS.get(algorithm)
    if found is None:
        raise KeyRefused(f"{algorithm} is not a wrapping algorithm of this core")
    if wrapping.family != "rsa":
        raise KeyRefused(f"a wrapping key is an RSA key, not {wrapping.name}")
    if material.family not in found.families:
        raise KeyRefused(f"material of spec {material.name} is not imported with {algorithm}")
    if material.name == "EC_secp521r1" and wrapping.size == 2048 and not found.aes:
        raise KeyRefused(
            "a P-521 key does not fit under RSA_2048: use an RSA_AES wrapping algorithm or a longer key"
        )
    return found


def unwrap(private: rsa.RSAPrivateKey, how: Wrapping, wrapped: bytes) -> bytes:
    """The material; BadSeal when it does not unwrap."""
    if not how.aes:
        return rsa_oaep.decrypt(private, how.oaep, wrapped)
    size = private.key_size // 8
    key = rsa_oaep.decrypt(private, how.oaep, wrapped[:size])
    if len(key) != AES_KEY_BYTES:
        raise BadSeal("the wrapped AES key is not one of 256 bits")
    return unwrap_aes(key, wrapped[size:])


def unwrap_aes(key: bytes, wrapped: bytes) -> bytes:
    """AES key wrap with padding (RFC 5649); BadSeal when it does not unwrap."""
    try:
        return aes_key_unwrap_with_padding(key, wrapped)
    except (InvalidUnwrap, ValueError) as wrong:
        raise BadSeal("the key material does not unwrap") from wrong
