"""Key specs: the one table of what keys there are in this core. KMS's names and the core's own older ones both work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kms.hsm.errors import KeyRefused

Family = Literal["symmetric", "rsa", "ec", "koblitz", "ed25519", "hmac", "ml-dsa", "ml-kem"]
"""koblitz: secp256k1, which signs and does nothing else."""

SYMMETRIC = "SYMMETRIC_DEFAULT"


@dataclass(frozen=True, slots=True)
class Spec:
    """name: what tokens are bound to. kms: KMS's name.

    size: bits of an RSA modulus; bytes of a secret key, of a curve's field, of an ML-KEM ciphertext; ML-DSA's number.
    slow: whether private operations take more than about 0.2 ms, and so are done by a helper process.
    """

    name: str
    family: Family
    size: int
    kms: str = ""
    slow: bool = False


_TABLE = (
    Spec(SYMMETRIC, "symmetric", 32),
    Spec("RSA_2048", "rsa", 2048, slow=True),
    Spec("RSA_3072", "rsa", 3072, slow=True),
    Spec("RSA_4096", "rsa", 4096, slow=True),
    Spec("EC_prime256v1", "ec", 32, "ECC_NIST_P256"),
    Spec("EC_secp384r1", "ec", 48, "ECC_NIST_P384", slow=True),
    Spec("EC_secp521r1", "ec", 66, "ECC_NIST_P521", slow=True),
    Spec("EC_secp256k1", "koblitz", 32, "ECC_SECG_P256K1", slow=True),
    Spec("ED25519", "ed25519", 32, "ECC_NIST_EDWARDS25519"),
    Spec("HMAC_224", "hmac", 28),
    Spec("HMAC_256", "hmac", 32),
    Spec("HMAC_384", "hmac", 48),
    Spec("HMAC_512", "hmac", 64),
    Spec("ML_DSA_44", "ml-dsa", 44, slow=True),
    Spec("ML_DSA_65", "ml-dsa", 65, slow=True),
    Spec("ML_DSA_87", "ml-dsa", 87, slow=True),
    Spec("ML_KEM_512", "ml-kem", 768),
    Spec("ML_KEM_768", "ml-kem", 1088),
    Spec("ML_KEM_1024", "ml-kem", 1568),
)

SPECS: Mapping[str, Spec] = {spec.name: spec for spec in _TABLE}
_BY_NAME: Mapping[str, Spec] = {**SPECS, **{spec.kms: spec for spec in _TABLE if spec.kms}}


def found_spec(name: str) -> Spec | None:
    """The spec by either name, if there is one."""
    return _BY_NAME.get(name)


def spec_named(name: str) -> Spec:
    """The spec by either name. Raises KeyRefused: SM2 among others is not there."""
    spec = _BY_NAME.get(name)
    if spec is None:
        raise KeyRefused(f"{name} is not a key spec of this core")
    return spec


def usual_usage(name: str) -> str:
    """The usage that a label means when it says none."""
    spec = spec_named(name)
    return {
        "symmetric": "ENCRYPT_DECRYPT", "hmac": "GENERATE_VERIFY_MAC", "ml-kem": "ENCAPSULATE_DECAPSULATE",
    }.get(spec.family, "SIGN_VERIFY")  # fmt: skip
