"""KMS's errors by the model's own names; each operation raises only what its list in the model has."""

from foundation.wire import AwsError, ValidationFailure


class ValidationError(ValidationFailure):
    """Parameters that break a rule which the model states in words only: ValidationException."""


class NotFound(AwsError, code="NotFoundException"):
    """No such key, alias, policy or grant here."""


class InvalidArn(AwsError, code="InvalidArnException"):
    """The ARN is none of a KMS key or alias."""


class InvalidAliasName(AwsError, code="InvalidAliasNameException"):
    """The alias has no prefix `alias/`, or the one that is reserved."""


class AlreadyExists(AwsError, code="AlreadyExistsException"):
    """The alias exists, or the Region has a replica already."""


class Disabled(AwsError, code="DisabledException"):
    """The key is disabled."""


class InvalidState(AwsError, code="KMSInvalidStateException"):
    """The key's state does not allow the operation."""


class InvalidKeyUsage(AwsError, code="InvalidKeyUsageException"):
    """The key's usage, spec or algorithms do not fit the operation."""


class KeyUnavailable(AwsError, code="KeyUnavailableException", status=500):
    """The key cannot be used now; retryable."""


class DependencyTimeout(AwsError, code="DependencyTimeoutException", status=500):
    """What KMS needs did not answer in time; retryable."""


class KmsInternal(AwsError, code="KMSInternalException", status=500):
    """A fault of ours, such as a row whose MAC does not hold."""


class LimitExceeded(AwsError, code="LimitExceededException"):
    """A quota is reached."""


class MalformedPolicyDocument(AwsError, code="MalformedPolicyDocumentException"):
    """The key policy is not one, names principals that do not exist, or locks its author out."""


class UnsupportedOperation(AwsError, code="UnsupportedOperationException"):
    """The operation does not exist for this key, or not in keystead."""


class Tagging(AwsError, code="TagException"):
    """Tags that are reserved, repeated or malformed."""


class Conflicting(AwsError, code="ConflictException"):
    """The operation is refused because of one that was made before it."""


class DryRun(AwsError, code="DryRunOperationException"):
    """The call would have succeeded, and was asked not to do anything."""


class InvalidCiphertext(AwsError, code="InvalidCiphertextException"):
    """The ciphertext is damaged, foreign, or was made under another encryption context."""


class IncorrectKey(AwsError, code="IncorrectKeyException"):
    """The ciphertext was made by another key than the one that is named."""


class CustomKeyStoreNotFound(AwsError, code="CustomKeyStoreNotFoundException"):
    """There is no such custom key store; there are none yet."""


class InvalidSignature(AwsError, code="KMSInvalidSignatureException"):
    """The signature is not one of this message by this key."""


class InvalidMac(AwsError, code="KMSInvalidMacException"):
    """The MAC is not one of this message by this key."""


class UnsuitableOperations(AwsError, code="ValidationError"):
    """A grant's operations are not those of its key. The model names this code, unlike that of other parameters."""


class InvalidGrantToken(AwsError, code="InvalidGrantTokenException"):
    """The grant token was not made by this deployment."""


class InvalidGrantId(AwsError, code="InvalidGrantIdException"):
    """What is no grant id. (A grant that does not exist is NotFound.)"""


class InvalidImportToken(AwsError, code="InvalidImportTokenException"):
    """The import token was not made for this key."""


class ExpiredImportToken(AwsError, code="ExpiredImportTokenException"):
    """The import token is older than a day."""


class IncorrectKeyMaterial(AwsError, code="IncorrectKeyMaterialException"):
    """The material differs from what was imported before, or does not fit the key."""
