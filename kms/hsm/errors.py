"""What can go wrong between a caller and the key core: one class for each thing a caller handles differently."""


class CoreError(Exception):
    """The core did not do what was asked; the subclass says whose turn it is now."""


class CoreUnavailable(CoreError):
    """No answer in time: the core is restarting, stopped, or was lost in mid-call. Retryable."""


class CoreBusy(CoreError):
    """A bound of the core (queue, requests in flight) is reached. The caller slows down: ThrottlingException."""


class KeyRefused(CoreError):
    """The core will not do this with this key: wrong usage, kind, role, size or outline. Never retryable."""


class CheckpointUnproven(CoreError):
    """The consistency proof is to start at another size: that of the last checkpoint signed, which is the message."""

    @property
    def size(self) -> int:
        return int(str(self))


class BadSeal(CoreError):
    """A token, sealed value or ciphertext does not open here: altered, foreign, or bound to another place."""


class InvalidSignature(CoreError):
    """The signature is not this key's over this message with this algorithm (KMS: KMSInvalidSignatureException)."""


class InvalidMac(CoreError):
    """The MAC is not this key's over this message (KMS: KMSInvalidMacException)."""


class BadPublicKey(CoreError):
    """A public key that the caller brought (a peer's, a recipient's) is none, or not of the kind that is needed."""


class BadImportToken(CoreError):
    """The import token is not of this key, was altered, or is none at all (KMS: InvalidImportTokenException)."""


class BadMaterial(CoreError):
    """What was unwrapped is no key material of the key's spec (KMS: IncorrectKeyMaterialException)."""


class WrongUnsealSecret(CoreError):
    """The unseal secret does not belong to this deployment. Nothing was written."""


class CustodyError(CoreError):
    """The unseal secret cannot be read: the message says what to do about it."""
