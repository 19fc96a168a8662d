"""Key specs by KMS's names: the one table of usages, algorithms and sizes. Operations and docs are made from it.

Source: botocore's `kms` model (CreateKey's KeySpec, Encrypt's Plaintext, TRAPS 20 to 22).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kms.keys.errors import UnsupportedOperation, ValidationError

Kind = Literal["symmetric", "asymmetric", "hmac"]
"""The class within which an alias may move (TRAPS 19)."""

ENCRYPT_DECRYPT: Final = "ENCRYPT_DECRYPT"
SIGN_VERIFY: Final = "SIGN_VERIFY"
GENERATE_VERIFY_MAC: Final = "GENERATE_VERIFY_MAC"
KEY_AGREEMENT: Final = "KEY_AGREEMENT"
ENCAPSULATE_DECAPSULATE: Final = "ENCAPSULATE_DECAPSULATE"

SYMMETRIC_DEFAULT: Final = "SYMMETRIC_DEFAULT"
MESSAGE_LIMIT: Final = 4096
"""Octets of a RAW message, and of what a symmetric key encrypts."""

MEMBERS: Final[Mapping[str, str]] = {
    ENCRYPT_DECRYPT: "EncryptionAlgorithms",
    SIGN_VERIFY: "SigningAlgorithms",
    GENERATE_VERIFY_MAC: "MacAlgorithms",
    KEY_AGREEMENT: "KeyAgreementAlgorithms",
    ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
}
"""In which member of KeyMetadata the algorithms of a usage are listed."""


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One key spec.

    `core` is the spec's name in `kms.hsm`. `usages` gives each usage's algorithms in the model's order, the first
    usage being the usual one. `plaintext` is the most octets that each encryption algorithm takes; `ciphertext` the
    exact length of an encapsulated secret. `legacy`: CustomerMasterKeySpec has the name too.
    """

    name: str
    kind: Kind
    core: str
    usages: Mapping[str, tuple[str, ...]]
    plaintext: Mapping[str, int]
    ciphertext: int
    legacy: bool

    @property
    def symmetric(self) -> bool:
        """Whether it is SYMMETRIC_DEFAULT: the one spec that rotates and carries its key in the ciphertext."""
        return self.name == SYMMETRIC_DEFAULT

    def algorithms(self, usage: str) -> tuple[str, ...]:
        """The algorithms of a usage; empty when the spec lacks it."""
        return self.usages.get(usage, ())


def _spec(
    name: str,
    kind: Kind,
    core: str,
    usages: Mapping[str, tuple[str, ...]],
    *,
    plaintext: Mapping[str, int] | None = None,
    ciphertext: int = 0,
    legacy: bool = True,
) -> KeySpec:
    return KeySpec(name, kind, core, usages, plaintext or {}, ciphertext, legacy)


def _oaep(sha1: int, sha256: int) -> dict[str, int]:
    return {"RSAES_OAEP_SHA_1": sha1, "RSAES_OAEP_SHA_256": sha256}


_RSA: Final = {
    ENCRYPT_DECRYPT: ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
    SIGN_VERIFY: (
        "RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
        "RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
    ),
}  # fmt: skip
_MLDSA: Final = {SIGN_VERIFY: ("ML_DSA_SHAKE_256",)}
_MLKEM: Final = {ENCAPSULATE_DECAPSULATE: ("ML_KEM",)}


def _curve(algorithm: str) -> dict[str, tuple[str, ...]]:
    return {SIGN_VERIFY: (algorithm,), KEY_AGREEMENT: ("ECDH",)}


def _mac(bits: int) -> dict[str, tuple[str, ...]]:
    return {GENERATE_VERIFY_MAC: (f"HMAC_SHA_{bits}",)}


KEY_SPECS: Final[Mapping[str, KeySpec]] = {spec.name: spec for spec in (
    _spec(SYMMETRIC_DEFAULT, "symmetric", "SYMMETRIC_DEFAULT", {ENCRYPT_DECRYPT: (SYMMETRIC_DEFAULT,)},
          plaintext={SYMMETRIC_DEFAULT: MESSAGE_LIMIT}),
    _spec("RSA_2048", "asymmetric", "RSA_2048", _RSA, plaintext=_oaep(214, 190)),
    _spec("RSA_3072", "asymmetric", "RSA_3072", _RSA, plaintext=_oaep(342, 318)),
    _spec("RSA_4096", "asymmetric", "RSA_4096", _RSA, plaintext=_oaep(470, 446)),
    _spec("ECC_NIST_P256", "asymmetric", "EC_prime256v1", _curve("ECDSA_SHA_256")),
    _spec("ECC_NIST_P384", "asymmetric", "EC_secp384r1", _curve("ECDSA_SHA_384")),
    _spec("ECC_NIST_P521", "asymmetric", "EC_secp521r1", _curve("ECDSA_SHA_512")),
    _spec("ECC_SECG_P256K1", "asymmetric", "EC_secp256k1", {SIGN_VERIFY: ("ECDSA_SHA_256",)}),
    _spec("ECC_NIST_EDWARDS25519", "asymmetric", "ED25519",
          {SIGN_VERIFY: ("ED25519_SHA_512", "ED25519_PH_SHA_512")}, legacy=False),
    _spec("HMAC_224", "hmac", "HMAC_224", _mac(224)),
    _spec("HMAC_256", "hmac", "HMAC_256", _mac(256)),
    _spec("HMAC_384", "hmac", "HMAC_384", _mac(384)),
    _spec("HMAC_512", "hmac", "HMAC_512", _mac(512)),
    _spec("ML_DSA_44", "asymmetric", "ML_DSA_44", _MLDSA, legacy=False),
    _spec("ML_DSA_65", "asymmetric", "ML_DSA_65", _MLDSA, legacy=False),
    _spec("ML_DSA_87", "asymmetric", "ML_DSA_87", _MLDSA, legacy=False),
    _spec("ML_KEM_512", "asymmetric", "ML_KEM_512", _MLKEM, ciphertext=768, legacy=False),
    _spec("ML_KEM_768", "asymmetric", "ML_KEM_768", _MLKEM, ciphertext=1088, legacy=False),
    _spec("ML_KEM_1024", "asymmetric", "ML_KEM_1024", _MLKEM, ciphertext=1568, legacy=False),
)}  # fmt: skip

UNSUPPORTED: Final = frozenset({"SM2"})
"""Specs that the model has and keystead does not: SM2 exists in AWS's China Regions only."""


def judge_spec(name: str, usage: str | None) -> tuple[KeySpec, str]:
    """The spec and usage of a new key. Raises UnsupportedOperation (SM2) and ValidationError, as CreateKey does.

    The usage may be left out for SYMMETRIC_DEFAULT only.
    """
    if name in UNSUPPORTED:
        raise UnsupportedOperation(f"The key spec {name} is not supported in this Region.")
    spec = KEY_SPECS[name]
    if usage is None:
        if not spec.symmetric:
            raise ValidationError(f"You must specify a KeyUsage value for a KMS key with key spec {name}.")
        return spec, ENCRYPT_DECRYPT
    if usage not in spec.usages:
        raise ValidationError(f"KeyUsage {usage} is not compatible with KeySpec {name}")
    return spec, usage
