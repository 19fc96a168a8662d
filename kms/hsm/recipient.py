"""CiphertextForRecipient: a CMS EnvelopedData (RFC 5652 6) for an RSA key, RSAES-OAEP with SHA-256 and AES-256-CBC.

One recipient, named by its subject key identifier, so both versions are 2; DER throughout. That is what the AWS Nitro
Enclaves SDK reads.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.x509 import SubjectKeyIdentifier

from kms.hsm import rsa_oaep
from kms.hsm.der import CONTEXT_0, IMPLICIT_0, INTEGER, OCTET_STRING, SEQUENCE, SET, tlv
from kms.hsm.errors import BadPublicKey
from kms.hsm.keypairs import read_public

MODULUS_BITS = range(2048, 8193)

_ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
_DATA = bytes.fromhex("06092a864886f70d010701")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
_VERSION_2 = tlv(INTEGER, b"\x02")
_SHA_256 = bytes.fromhex("300d06096086480165030402010500")
# RSAES-OAEP-params (RFC 4055 4.1): the hash, and MGF1 with the same hash.
_OAEP_SHA_256 = tlv(
    SEQUENCE,
    bytes.fromhex("06092a864886f70d010107")
    + tlv(
        SEQUENCE,
        tlv(0xA0, _SHA_256) + tlv(0xA1, tlv(SEQUENCE, bytes.fromhex("06092a864886f70d010108") + _SHA_256)),
    ),
)


def envelope(spki: bytes, plaintext: bytes, entropy: Callable[[int], bytes]) -> bytes:
    """The plaintext for the holder of an RSA key. Raises BadPublicKey when the key (SPKI DER) is not fit for it."""
    public = read_public(spki)
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size not in MODULUS_BITS:
        raise BadPublicKey("the recipient's public key is not an RSA key of 2048 to 8192 bits")
    key, iv = entropy(32), entropy(16)
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES256(key), CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    recipient = tlv(
        SEQUENCE,
        _VERSION_2
        + tlv(IMPLICIT_0, SubjectKeyIdentifier.from_public_key(public).digest)
        + _OAEP_SHA_256
        + tlv(OCTET_STRING, rsa_oaep.encrypt(public, "RSAES_OAEP_SHA_256", key)),
    )
    content = tlv(
        SEQUENCE,
        _DATA + tlv(SEQUENCE, _AES_256_CBC + tlv(OCTET_STRING, iv)) + tlv(IMPLICIT_0, sealed),
    )
    enveloped = tlv(SEQUENCE, _VERSION_2 + tlv(SET, recipient) + content)
    return tlv(SEQUENCE, _ENVELOPED_DATA + tlv(CONTEXT_0, enveloped))
