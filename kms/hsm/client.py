"""The caller's side of the key core: one method for each thing that can be asked."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from kms.hsm import frames
from kms.hsm.answers import (
    DataKey,
    DataKeyPair,
    Encapsulated,
    GeneratedKey,
    ImportedKey,
    ImportParameters,
    Side,
)
from kms.hsm.calls import Caller
from kms.hsm.labels import NOBODY, Asker, KeyLabel, Kind, MessageType
from kms.hsm.specs import SYMMETRIC


class CoreClient(Caller):
    """Asks the core.

    `before_call` runs before each request (the store's assertion that no transaction is open). Every method raises
    CoreUnavailable (no answer in time, after one repeat where a connection was lost: every operation here is safe to
    repeat), CoreBusy (slow down), KeyRefused (never retry) and, where something is opened, BadSeal. `recipient`, where
    it is given, is the SPKI DER of an RSA public key: the plaintext then leaves the core only as a CMS EnvelopedData
    for it (KMS's CiphertextForRecipient), in the plaintext's place; BadPublicKey when it cannot be used.
    """

    def generate_key(self, label: KeyLabel, asker: Asker) -> GeneratedKey:
        """Make a key in the core; only its token and public half come out."""
        result = self._call(frames.GenerateKey(label), asker, self._slow_deadline)
        return GeneratedKey(result.first, result.second, result.third.decode())

    def reseal(self, token: bytes, label: KeyLabel, asker: Asker, *, region: str | None = None) -> bytes:
        """The same key's token under the newest domain key; for `mrk-` keys also bound to another Region."""
        return self._call(frames.Reseal(token, label, region or label.region), asker).first

    def lock(self, token: bytes, label: KeyLabel, asker: Asker) -> bytes:
        """A CA key's token as one that no use opens, until `unlock`. The old token must be overwritten with it."""
        return self._call(frames.Lock(token, label), asker).first

    def unlock(self, token: bytes, label: KeyLabel, asker: Asker, until: datetime) -> bytes:
        """A token that opens a locked key until then (wall clock, 24 hours at most) and no longer.

        KeyRefused for a key that is not locked and for a window that is over or too long.
        """
        return self._call(frames.Unlock(token, label, int(until.timestamp())), asker).first

    def sign(
        self,
        token: bytes,
        label: KeyLabel,
        asker: Asker,
        algorithm: str,
        message: bytes,
        *,
        kind: Kind = "raw",
        message_type: MessageType = "RAW",
    ) -> bytes:
        """Sign `message` (at most 4096 bytes when raw, else the whole to-be-signed DER, which the core judges).

        kind: "raw" | "certificate" (no CA flag allowed) | "ca-certificate" (CA flag required) | "rollover" (of the same
        CA, for another key of it; no worker may) | "crl" | "ocsp" | "csr".
        algorithm: KMS's names, see `kms.hsm.algorithms`. message_type: KMS's, of kind "raw" only. Deterministic but for
        RSASSA-PSS and ML-DSA: the same bytes give the same signature.
        """
        deadline = self._slow_deadline if len(message) > frames.SMALL else None
        return self._call(
            frames.Sign(token, label, algorithm, message, kind, message_type), asker, deadline
        ).first

    def verify(  # noqa: PLR0917 - as `sign`
        self,
        token: bytes,
        label: KeyLabel,
        asker: Asker,
        algorithm: str,
        message: bytes,
        signature: bytes,
        *,
        message_type: MessageType = "RAW",
    ) -> None:
        """Raises InvalidSignature unless `signature` is the key's; recorded as a use of the key, as signing is."""
        self._call(frames.Verify(token, label, algorithm, message, signature, message_type), asker)

    def encrypt(
        self,
        token: bytes,
        label: KeyLabel,
        asker: Asker,
        plaintext: bytes,
        context: Mapping[str, str],
        *,
        algorithm: str = SYMMETRIC,
    ) -> bytes:
        """Symmetric: a ciphertext that names its key and material (`kms.hsm.describe` reads it). RSA: the bare OAEP."""
        return self._call(frames.Encrypt(token, label, plaintext, dict(context), algorithm), asker).first

    def decrypt(
        self,
        token: bytes,
        label: KeyLabel,
        asker: Asker,
        ciphertext: bytes,
        context: Mapping[str, str],
        *,
        algorithm: str = SYMMETRIC,
        recipient: bytes = b"",
    ) -> bytes:
        """The plaintext; BadSeal when altered, of another key or material, or under another context."""
        body = frames.Decrypt(token, label, ciphertext, dict(context), algorithm, recipient)
        return self._call(body, asker).first

    def re_encrypt(self, source: Side, destination: Side, asker: Asker, ciphertext: bytes) -> bytes:
        """Decrypt with one key and encrypt with the other, in one step inside the core; one record for each key."""
        body = frames.ReEncrypt(
            source.token, source.label, ciphertext, dict(source.context), source.algorithm,
            destination.token, destination.label, dict(destination.context), destination.algorithm,
        )  # fmt: skip
        return self._call(body, asker).first

    def generate_data_key(
        self,
        token: bytes,
        label: KeyLabel,
        asker: Asker,
        size: int,
        context: Mapping[str, str],
        *,
        plaintext: bool = True,
        recipient: bytes = b"",
    ) -> DataKey:
        """`size` random bytes (1 to 1024), as a ciphertext and, if `plaintext` is asked for, in clear."""
        body = frames.GenerateDataKey(token, label, size, dict(context), plaintext, recipient)
        result = self._call(body, asker)
        return DataKey(result.first, result.second)

    def generate_data_key_pair(
        self,
        token: bytes,
        label: KeyLabel,
        asker: Asker,
        spec: str,
        context: Mapping[str, str],
        *,
        plaintext: bool = True,
        recipient: bytes = b"",
    ) -> DataKeyPair:
        """A key pair for use elsewhere. spec: KMS's DataKeyPairSpec, SM2 refused. ML-KEM keys are in seed format."""
        body = frames.GenerateDataKeyPair(token, label, spec, dict(context), plaintext, recipient)
        result = self._call(body, asker, self._slow_deadline)
        return DataKeyPair(result.third, result.first, result.second)

    def generate_random(self, asker: Asker, size: int, *, recipient: bytes = b"") -> bytes:
        """`size` random bytes (1 to 1024). Uses no key, so the core records nothing."""
        return self._call(frames.GenerateRandom(size, recipient), asker).first

    def generate_mac(
        self, token: bytes, label: KeyLabel, asker: Asker, algorithm: str, message: bytes
    ) -> bytes:
        """The whole HMAC (RFC 2104) of up to 4096 bytes. algorithm: HMAC_SHA_224 ... HMAC_SHA_512, the key's own."""
        return self._call(frames.GenerateMac(token, label, algorithm, message), asker).first

    def verify_mac(  # noqa: PLR0917 - as `sign`
        self, token: bytes, label: KeyLabel, asker: Asker, algorithm: str, message: bytes, mac: bytes
    ) -> None:
        """Raises InvalidMac unless `mac` is the whole HMAC of the message."""
        self._call(frames.VerifyMac(token, label, algorithm, message, mac), asker)

    def derive_shared_secret(
        self, token: bytes, label: KeyLabel, asker: Asker, public_key: bytes, *, recipient: bytes = b""
    ) -> bytes:
        """The raw ECDH secret: the x coordinate, as long as the curve's field.

        public_key: the peer's, SPKI DER; BadPublicKey unless it is a point of the key's own curve.
        """
        return self._call(frames.DeriveSharedSecret(token, label, public_key, recipient), asker).first

    def encapsulate(self, token: bytes, label: KeyLabel, asker: Asker) -> Encapsulated:
        """A new shared secret for the key's holder (ML-KEM, FIPS 203)."""
        result = self._call(frames.Encapsulate(token, label), asker)
        return Encapsulated(result.first, result.second)

    def decapsulate(self, token: bytes, label: KeyLabel, asker: Asker, ciphertext: bytes) -> bytes:
        """The 32-byte secret; a pseudo-random one for a ciphertext that was altered (FIPS 203, implicit rejection).

        BadSeal when its length is not that of the key's spec.
        """
        return self._call(frames.Decapsulate(token, label, ciphertext), asker).first

    def import_parameters(
        self, label: KeyLabel, asker: Asker, algorithm: str, wrapping_spec: str, *, note: bytes = b""
    ) -> ImportParameters:
        """A new wrapping key for material of this label (its version does not matter), of origin EXTERNAL.

        algorithm: RSAES_OAEP_SHA_1 | RSAES_OAEP_SHA_256 | RSA_AES_KEY_WRAP_SHA_1 | RSA_AES_KEY_WRAP_SHA_256; KeyRefused
        for a pair that AWS does not allow. wrapping_spec: RSA_2048 | RSA_3072 | RSA_4096. note: at most 1024 bytes,
        readable from the token by `kms.hsm.import_note` and authenticated by `import_material` (the token's expiry).
        """
        body = frames.ImportParameters(label, algorithm, wrapping_spec, note)
        result = self._call(body, asker, self._slow_deadline)
        return ImportParameters(result.first, result.second)

    def import_material(
        self,
        import_token: bytes,
        label: KeyLabel,
        asker: Asker,
        wrapped: bytes,
        *,
        known: Mapping[str, int] | None = None,
    ) -> ImportedKey:
        """Unwrap material, judge it against the label's spec and seal it as a token.

        known: version by material id of what the key has had before: such material is sealed as that version, anything
        else as the label's. Raises BadImportToken (not this key's), BadSeal (it does not unwrap), BadMaterial (it is
        not what the spec needs).
        """
        body = frames.ImportMaterial(import_token, label, wrapped, dict(known or {}))
        result = self._call(body, asker)
        return ImportedKey(result.first, result.second, result.third.decode(), result.number)

    def seal(self, purpose: str, place: Sequence[str], plaintext: bytes, asker: Asker = NOBODY) -> bytes:
        """Seal something small to a place (table, row, column ...). Purposes: `kms.hsm.usage.PURPOSES`."""
        return self._call(frames.Seal(purpose, list(place), plaintext), asker).first

    def open(self, purpose: str, place: Sequence[str], sealed: bytes, asker: Asker = NOBODY) -> bytes:
        """What was sealed for this purpose and place; BadSeal otherwise."""
        return self._call(frames.Open(purpose, list(place), sealed), asker).first

    def mac(self, purpose: str, data: bytes) -> bytes:
        """HMAC-SHA-256 under the purpose's own key, 32 bytes: token look-ups, row MACs, digests."""
        return self._call(frames.Mac(purpose, data), NOBODY).first

    def macs(self, purpose: str, data: Sequence[bytes]) -> list[bytes]:
        """`mac` of each, in their order; in as few round trips as the frames allow."""
        found: list[bytes] = []
        for some in _in_frames(data):
            joined = self._call(frames.Macs(purpose, some), NOBODY).first
            found += (joined[at : at + 32] for at in range(0, len(joined), 32))
        return found

    def new_access_key(
        self, account: str, access_key_id: str, secret: str | None, asker: Asker = NOBODY
    ) -> tuple[bytes, str]:
        """(sealed secret, secret): the secret is made in the core when None, 40 characters as AWS's are."""
        result = self._call(frames.NewAccessKey(account, access_key_id, secret), asker)
        return result.first, result.second.decode()

    def signing_key(  # noqa: PLR0917 - the parts of a SigV4 scope in their order, as AWS writes it
        self, sealed: bytes, account: str, access_key_id: str, date: str, region: str, service: str
    ) -> bytes:
        """The derived SigV4 signing key of one scope-day (YYYYMMDD), 32 bytes; the secret stays in the core."""
        return self._call(
            frames.SigningKey(sealed, account, access_key_id, date, region, service), NOBODY
        ).first

    def append(self, events: Sequence[bytes]) -> None:
        """Trail events (JSON objects with a string "eventID", no newline): durable on return, repeats dropped."""
        if events:
            self._call(frames.Append(list(events)), NOBODY)


def _in_frames(data: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The data in lists that one frame may carry."""
    some: list[bytes] = []
    size = 0
    for each in data:
        if some and (len(some) == frames.MOST_MACS or size + len(each) > frames.SEAL_LIMIT):
            yield some
            some, size = [], 0
        some.append(each)
        size += len(each)
    if some:
        yield some
