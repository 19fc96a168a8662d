"""GenerateDataKey and GenerateDataKeyPair, each with and without plaintext, and GenerateRandom."""

from msgspec.structs import replace

from foundation.identity import Resource
from foundation.wire import Params
from kms.keys.data_keys import judge_pair, judge_size
from kms.keys.errors import CustomKeyStoreNotFound, ValidationError
from kms.keys.found import FoundKey
from kms.keys.operations.registry import operations
from kms.keys.questions import asked, judge_context
from kms.keys.recipients import CALLER
from kms.keys.service import KeyService
from kms.keys.specs import SYMMETRIC_DEFAULT


def _context(params: Params) -> dict[str, str]:
    context: dict[str, str] = params.get("EncryptionContext", {})
    judge_context(context, SYMMETRIC_DEFAULT)
    return context


def _size(params: Params) -> int:
    return judge_size(params.get("KeySpec"), params.get("NumberOfBytes"))


def _asked(keys: KeyService, params: Params, operation: str) -> Resource:
    context, recipient = _context(params), keys.recipients.read(params.get("Recipient"))
    more = {"kms:encryptionalgorithm": SYMMETRIC_DEFAULT, **recipient.conditions}
    return keys.resource(params["KeyId"], operation, asked(params, "KeyPairSpec", more=more, context=context))


def _data_key(keys: KeyService, params: Params, operation: str) -> Resource:
    _size(params)
    return _asked(keys, params, operation)


def _data_key_pair(keys: KeyService, params: Params, operation: str) -> Resource:
    judge_pair(params["KeyPairSpec"])
    return _asked(keys, params, operation)


def _key(keys: KeyService, params: Params, operation: str, *, plaintext: bool) -> Params:
    recipient = keys.recipients.read(params.get("Recipient"))
    found, made = keys.data_keys.key(
        params["KeyId"], operation, _size(params), _context(params),
        plaintext=plaintext, recipient=recipient.public_key, dry_run=params.get("DryRun", False),
    )  # fmt: skip
    shape: Params = {"KeyId": found.arn, "CiphertextBlob": made.ciphertext}
    if plaintext:
        shape[recipient.member("Plaintext")] = made.plaintext
    return _with_material(shape, found, told=recipient is CALLER)


def _pair(keys: KeyService, params: Params, operation: str, *, plaintext: bool) -> Params:
    recipient, spec = keys.recipients.read(params.get("Recipient")), params["KeyPairSpec"]
    found, made = keys.data_keys.pair(
        params["KeyId"], operation, spec, _context(params),
        plaintext=plaintext, recipient=recipient.public_key, dry_run=params.get("DryRun", False),
    )  # fmt: skip
    shape: Params = {
        "KeyId": found.arn,
        "KeyPairSpec": spec,
        "PublicKey": made.public_key,
        "PrivateKeyCiphertextBlob": made.ciphertext,
    }
    if plaintext:
        shape[recipient.member("PrivateKeyPlaintext")] = made.private_key
    return _with_material(shape, found, told=recipient is CALLER)


def _with_material(shape: Params, found: FoundKey, *, told: bool) -> Params:
    """The material's id is left out of answers for a recipient (TRAPS 17)."""
    current = found.current
    return {**shape, "KeyMaterialId": current.id} if told and current is not None else shape


@operations.operation(
    "GenerateDataKey", on=lambda keys, params: _data_key(keys, params, "GenerateDataKey"), mutates=False
)
def generate_data_key(keys: KeyService, params: Params) -> Params:
    return _key(keys, params, "GenerateDataKey", plaintext=True)


@operations.operation(
    "GenerateDataKeyWithoutPlaintext",
    on=lambda keys, params: _data_key(keys, params, "GenerateDataKeyWithoutPlaintext"),
    mutates=False,
)
def generate_data_key_without_plaintext(keys: KeyService, params: Params) -> Params:
    return _key(keys, params, "GenerateDataKeyWithoutPlaintext", plaintext=False)


@operations.operation(
    "GenerateDataKeyPair",
    on=lambda keys, params: _data_key_pair(keys, params, "GenerateDataKeyPair"),
    mutates=False,
)
def generate_data_key_pair(keys: KeyService, params: Params) -> Params:
    return _pair(keys, params, "GenerateDataKeyPair", plaintext=True)


@operations.operation(
    "GenerateDataKeyPairWithoutPlaintext",
    on=lambda keys, params: _data_key_pair(keys, params, "GenerateDataKeyPairWithoutPlaintext"),
    mutates=False,
)
def generate_data_key_pair_without_plaintext(keys: KeyService, params: Params) -> Params:
    return _pair(keys, params, "GenerateDataKeyPairWithoutPlaintext", plaintext=False)


def _random(keys: KeyService, params: Params) -> Resource:
    if "NumberOfBytes" not in params:
        raise ValidationError("Please specify number of bytes.")
    recipient = keys.recipients.read(params.get("Recipient"))
    if "CustomKeyStoreId" in params:
        raise CustomKeyStoreNotFound(f"Custom key store {params['CustomKeyStoreId']} does not exist.")
    return replace(keys.account_resource(), conditions=recipient.conditions)


@operations.operation("GenerateRandom", on=_random, mutates=False)
def generate_random(keys: KeyService, params: Params) -> Params:
    recipient = keys.recipients.read(params.get("Recipient"))
    made = keys.data_keys.random(params["NumberOfBytes"], recipient=recipient.public_key)
    return {recipient.member("Plaintext"): made}
