"""What keys do when they are asked: one method for each cryptographic operation of KMS."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import rsa

from kms.hsm import (
    agreement,
    ciphertext,
    frames,
    keypairs,
    outline,
    primitives,
    recipient,
    repeatable,
    rsa_oaep,
    signatures,
    usage,
)
from kms.hsm.algorithms import algorithm_for, check_message, issuing_algorithm
from kms.hsm.checkpoints import Checkpoints
from kms.hsm.errors import KeyRefused
from kms.hsm.material import Backing, OpenedKey
from kms.hsm.specs import SYMMETRIC, spec_named


class KeyUses:
    """Each method opens the key, checks in the one table that it may do this, and does it."""

    def __init__(self, backing: Backing, entropy: Callable[[int], bytes]) -> None:
        self._backing = backing
        self._entropy = entropy
        self.checkpoints = Checkpoints()

    def sign(self, body: frames.Sign) -> frames.Result:
        usage.check_use(body.label, f"sign {body.kind}")
        if body.kind == "checkpoint":
            return self._checkpoint(body)
        if body.kind != "raw":
            return self._certify(body)
        algorithm = algorithm_for(body.algorithm, body.label.spec)
        if len(body.message) > frames.PLAINTEXT_LIMIT:
            raise KeyRefused(f"a raw message has at most {frames.PLAINTEXT_LIMIT} bytes")
        check_message(algorithm, body.message, body.message_type)
        key = self._backing.open(body.token, body.label)
        return frames.Result(signatures.sign(key.private, algorithm, body.message, body.message_type))

    def _certify(self, body: frames.Sign) -> frames.Result:
        algorithm, identifier = issuing_algorithm(body.algorithm, body.label.spec)
        limit = frames.CRL_LIMIT if body.kind == "crl" else frames.SMALL
        if len(body.message) > limit:
            raise KeyRefused(f"a {body.kind} message has at most {limit} bytes")
        if body.message_type != "RAW":
            raise KeyRefused("a message of another kind than raw is signed whole")
        key = self._backing.open(body.token, body.label)
        outline.judge(body.kind, body.message, identifier, key.spki)
        return frames.Result(repeatable.sign(key.private, algorithm, body.message))

    def _checkpoint(self, body: frames.Sign) -> frames.Result:
        algorithm = algorithm_for(body.algorithm, body.label.spec)
        if len(body.message) > frames.PLAINTEXT_LIMIT * 2 or body.message_type != "RAW":
            raise KeyRefused("a checkpoint is short, and signed whole")
        key = self._backing.open(body.token, body.label)
        wish = self.checkpoints.judge(body.label, body.message)
        signature = signatures.sign(key.private, algorithm, wish.text, body.message_type)
        self.checkpoints.signed(body.label.key_id, wish.tree)
        return frames.Result(signature)

    def verify(self, body: frames.Verify) -> frames.Result:
        usage.check_use(body.label, "verify")
        algorithm = algorithm_for(body.algorithm, body.label.spec)
        check_message(algorithm, body.message, body.message_type)
        public = keypairs.read_public(self._backing.open(body.token, body.label).spki)
        signatures.verify(public, algorithm, body.message, body.signature, body.message_type)
        return frames.Result()

    def encrypt(self, body: frames.Encrypt) -> frames.Result:
        usage.check_use(body.label, "encrypt")
        key = self._backing.open(body.token, body.label)
        return frames.Result(self._seal(key, body.plaintext, body.context, body.algorithm))

    def decrypt(self, body: frames.Decrypt) -> frames.Result:
        usage.check_use(body.label, "decrypt")
        key = self._backing.open(body.token, body.label)
        return self._out(_open(key, body.ciphertext, body.context, body.algorithm), body.recipient)

    def re_encrypt(self, body: frames.ReEncrypt) -> frames.Result:
        usage.check_use(body.label, "decrypt")
        usage.check_use(body.target_label, "encrypt")
        source = self._backing.open(body.token, body.label)
        target = self._backing.open(body.target_token, body.target_label)
        plaintext = _open(source, body.ciphertext, body.context, body.algorithm)
        return frames.Result(self._seal(target, plaintext, body.target_context, body.target_algorithm))

    def generate_data_key(self, body: frames.GenerateDataKey) -> frames.Result:
        usage.check_use(body.label, "data-key")
        key = self._backing.open(body.token, body.label)
        data_key = self._entropy(body.size)
        blob = self._seal(key, data_key, body.context, SYMMETRIC)
        return self._out(data_key, body.recipient, blob, plaintext=body.plaintext)

    def generate_data_key_pair(self, body: frames.GenerateDataKeyPair) -> frames.Result:
        usage.check_use(body.label, "data-key-pair")
        spec = spec_named(body.spec)
        if spec.family not in usage.DATA_KEY_PAIRS:
            raise KeyRefused(f"there are no data key pairs of spec {body.spec}")
        key = self._backing.open(body.token, body.label)
        private = keypairs.generate(spec, self._entropy)
        der = keypairs.private_der(private)
        blob = self._seal(key, der, body.context, SYMMETRIC)
        return self._out(der, body.recipient, blob, keypairs.spki(private), plaintext=body.plaintext)

    def generate_random(self, body: frames.GenerateRandom) -> frames.Result:
        return self._out(self._entropy(body.size), body.recipient)

    def generate_mac(self, body: frames.GenerateMac) -> frames.Result:
        usage.check_use(body.label, "generate-mac")
        key = self._hmac_key(body)
        return frames.Result(primitives.hmac(body.algorithm, key.secret, body.message))

    def verify_mac(self, body: frames.VerifyMac) -> frames.Result:
        usage.check_use(body.label, "verify-mac")
        key = self._hmac_key(body)
        primitives.check_hmac(body.algorithm, key.secret, body.message, body.mac)
        return frames.Result()

    def derive_shared_secret(self, body: frames.DeriveSharedSecret) -> frames.Result:
        usage.check_use(body.label, "derive")
        key = self._backing.open(body.token, body.label)
        return self._out(agreement.derive(key.private, body.public_key), body.recipient)

    def encapsulate(self, body: frames.Encapsulate) -> frames.Result:
        usage.check_use(body.label, "encapsulate")
        return frames.Result(*agreement.encapsulate(self._backing.open(body.token, body.label).private))

    def decapsulate(self, body: frames.Decapsulate) -> frames.Result:
        usage.check_use(body.label, "decapsulate")
        key = self._backing.open(body.token, body.label)
        return frames.Result(agreement.decapsulate(key.private, key.spec, body.ciphertext))

    def _hmac_key(self, body: frames.GenerateMac | frames.VerifyMac) -> OpenedKey:
        key = self._backing.open(body.token, body.label)
        if body.algorithm != key.spec.name.replace("HMAC_", "HMAC_SHA_"):
            raise KeyRefused(f"a key of spec {key.spec.name} makes no MAC with {body.algorithm}")
        return key

    def _seal(self, key: OpenedKey, plaintext: bytes, context: dict[str, str], algorithm: str) -> bytes:
        _check_context(key, context, algorithm)
        if key.private is None:
            return ciphertext.encrypt(key.secret, key.names, plaintext, context, self._entropy)
        return rsa_oaep.encrypt(_rsa(key).public_key(), algorithm, plaintext)

    def _out(
        self, secret: bytes, spki: bytes, second: bytes = b"", third: bytes = b"", *, plaintext: bool = True
    ) -> frames.Result:
        """A secret on its way out: in clear, for a recipient's eyes only, or not at all."""
        if spki:
            return frames.Result(recipient.envelope(spki, secret, self._entropy), second, third)
        return frames.Result(secret if plaintext else b"", second, third)


def _open(key: OpenedKey, blob: bytes, context: dict[str, str], algorithm: str) -> bytes:
    _check_context(key, context, algorithm)
    if key.private is None:
        return ciphertext.decrypt(key.secret, key.names, blob, context)
    return rsa_oaep.decrypt(_rsa(key), algorithm, blob)


def _rsa(key: OpenedKey) -> rsa.RSAPrivateKey:
    if not isinstance(key.private, rsa.RSAPrivateKey):
        raise KeyRefused(f"a key of spec {key.spec.name} does not encrypt")
    return key.private


def _check_context(key: OpenedKey, context: dict[str, str], algorithm: str) -> None:
    """An encryption context is bounded, and for symmetric keys only (TRAPS 8); so is their one algorithm."""
    if key.private is None:
        if algorithm != SYMMETRIC:
            raise KeyRefused(f"a symmetric key does not encrypt with {algorithm}")
        if frames.oversize(context):
            raise KeyRefused(f"an encryption context has at most {frames.CONTEXT_LIMIT} characters")
    elif context:
        raise KeyRefused("an encryption context is for symmetric keys only")
