"""Key material brought in as KMS's callers bring it: wrapped by the public key that the core gave out."""

import functools
import os

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kms.hsm import frames, rsa_oaep
from kms.hsm.calls import raise_refusal
from kms.hsm.labels import KeyLabel
from kms.hsm.service import KeyService
from kms.hsm.specs import SPECS
from tests.kms.hsm import inside

NOTE = b"valid until some day"


def external(spec: str, **changes: object) -> KeyLabel:
    return inside.label("kms", spec, origin="EXTERNAL", **changes)


def usual_wrapping(spec: str) -> str:
    return "RSA_AES_KEY_WRAP_SHA_256" if SPECS[spec].family in {"rsa", "ec"} else "RSAES_OAEP_SHA_256"


def wrap(public_key: bytes, algorithm: str, material: bytes, aes_bytes: int = 32) -> bytes:
    """As GetParametersForImport's guide tells callers to."""
    public = load_der_public_key(public_key)
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = "RSAES_OAEP_SHA_1" if algorithm.endswith("_1") else "RSAES_OAEP_SHA_256"
    if algorithm.startswith("RSAES"):
        return public.encrypt(material, rsa_oaep.padding_of(oaep))
    key = os.urandom(aes_bytes)
    return public.encrypt(key, rsa_oaep.padding_of(oaep)) + aes_key_wrap_with_padding(key, material)


class Importer:
    """Imports material under labels, with one wrapping key for each label."""

    def __init__(self, keys: KeyService) -> None:
        self.keys = keys
        self.parameters = functools.lru_cache(maxsize=None)(self._parameters)
        self.token = functools.lru_cache(maxsize=None)(self._token)

    def _parameters(self, label: KeyLabel, algorithm: str) -> frames.Result:
        body = frames.ImportParameters(label, algorithm, "RSA_2048", NOTE)
        return inside.result(self.keys, body)

    def _token(self, label: KeyLabel, material: bytes) -> bytes:
        return self.take(label, material).first

    def take(self, label: KeyLabel, material: bytes, algorithm: str = "") -> frames.Result:
        algorithm = algorithm or usual_wrapping(label.spec)
        given = self.parameters(label, algorithm)
        wrapped = wrap(given.second, algorithm, material)
        answer = inside.perform(self.keys, frames.ImportMaterial(given.first, label, wrapped, {})).answer
        return succeed(answer)


def succeed(answer: frames.Result | frames.Refusal) -> frames.Result:
    """The result; the exception that a client would raise for a refusal."""
    if isinstance(answer, frames.Refusal):
        raise_refusal(answer)
    return answer
