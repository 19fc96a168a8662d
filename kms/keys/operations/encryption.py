"""Encrypt, Decrypt, ReEncrypt."""

from msgspec.structs import replace

from foundation.identity import Resource
from foundation.wire import Params
from kms.keys.ciphertexts import Source, resource_of
from kms.keys.encryption import Destination
from kms.keys.errors import ValidationError
from kms.keys.operations.registry import operations
from kms.keys.questions import asked, judge_context
from kms.keys.recipients import CALLER
from kms.keys.service import KeyService
from kms.keys.specs import SYMMETRIC_DEFAULT

IGNORED = "IGNORE_CIPHERTEXT"


def _algorithm(params: Params, member: str = "EncryptionAlgorithm") -> str:
    algorithm: str = params.get(member, SYMMETRIC_DEFAULT)
    return algorithm


def _context(params: Params, member: str = "EncryptionContext") -> dict[str, str]:
    context: dict[str, str] = params.get(member, {})
    return context


def _encrypted(keys: KeyService, params: Params) -> Resource:
    context, algorithm = _context(params), _algorithm(params)
    judge_context(context, algorithm)
    more = {"kms:encryptionalgorithm": algorithm}
    return keys.resource(params["KeyId"], "Encrypt", asked(params, more=more, context=context))


@operations.operation("Encrypt", on=_encrypted, mutates=False)
def encrypt(keys: KeyService, params: Params) -> Params:
    algorithm = _algorithm(params)
    found, blob = keys.encryption.encrypt(
        params["KeyId"], params["Plaintext"], _context(params), algorithm, dry_run=params.get("DryRun", False)
    )
    return {"CiphertextBlob": blob, "KeyId": found.arn, "EncryptionAlgorithm": algorithm}


def _source(params: Params, prefix: str = "") -> Source:
    """The ciphertext of Decrypt and ReEncrypt. Raises ValidationError for one that is missing or not allowed."""
    dry_run = params.get("DryRun", False)
    ignored = IGNORED in params.get("DryRunModifiers", ())
    if ignored and not dry_run:
        raise ValidationError("DryRunModifiers can only be specified when DryRun is true.")
    blob = None if ignored else params.get("CiphertextBlob")
    if blob is None and not ignored:
        raise ValidationError("CiphertextBlob is required unless DryRunModifiers has IGNORE_CIPHERTEXT.")
    key_id = params.get(f"{prefix}KeyId")
    source = Source(
        blob,
        key_id,
        _algorithm(params, f"{prefix}EncryptionAlgorithm"),
        _context(params, f"{prefix}EncryptionContext"),
    )
    judge_context(source.context, source.algorithm)
    return source


def _decrypted(keys: KeyService, params: Params) -> Resource:
    source = _source(params)
    recipient = keys.recipients.read(params.get("Recipient"))
    more = {"kms:encryptionalgorithm": source.algorithm, **recipient.conditions}
    question = asked(params, more=more, context=source.context)
    return resource_of(keys.lookup, source, keys.context.here, "Decrypt", question)


@operations.operation("Decrypt", on=_decrypted, mutates=False)
def decrypt(keys: KeyService, params: Params) -> Params:
    source, recipient = _source(params), keys.recipients.read(params.get("Recipient"))
    opened = keys.encryption.decrypt(
        source, recipient=recipient.public_key, dry_run=params.get("DryRun", False)
    )
    shape = {
        "KeyId": opened.key.arn,
        recipient.member("Plaintext"): opened.plaintext,
        "EncryptionAlgorithm": source.algorithm,
    }
    told = opened.material_id is not None and recipient is CALLER  # TRAPS 17
    return {**shape, "KeyMaterialId": opened.material_id} if told else shape


def _destination(params: Params) -> Destination:
    destination = Destination(
        params["DestinationKeyId"],
        _algorithm(params, "DestinationEncryptionAlgorithm"),
        _context(params, "DestinationEncryptionContext"),
    )
    judge_context(destination.context, destination.algorithm)
    return destination


def _re_encrypted(keys: KeyService, params: Params) -> tuple[Resource, ...]:
    """What ReEncrypt is asked about: the old key for kms:ReEncryptFrom, the new one for kms:ReEncryptTo."""
    source, destination = _source(params, "Source"), _destination(params)
    here = keys.context.here
    old = resource_of(
        keys.lookup, source, here, "ReEncrypt",
        asked(params, more={"kms:encryptionalgorithm": source.algorithm}, context=source.context),
    )  # fmt: skip
    new = keys.resource(
        destination.key_id, "ReEncrypt",
        asked(params, more={"kms:encryptionalgorithm": destination.algorithm}, context=destination.context),
    )  # fmt: skip
    same = {"kms:reencryptonsamekey": "true" if old.arn == new.arn else "false"}
    return tuple(replace(key, conditions={**key.conditions, **same}) for key in (old, new))


def _from(keys: KeyService, params: Params) -> Resource:
    return _re_encrypted(keys, params)[0]


@operations.operation("ReEncrypt", on=_from, action="kms:ReEncryptFrom", mutates=False)
def re_encrypt(keys: KeyService, params: Params) -> Params:
    keys.context.also_allowed("kms:ReEncryptTo", _re_encrypted(keys, params)[1])
    source, destination = _source(params, "Source"), _destination(params)
    moved = keys.encryption.re_encrypt(source, destination, dry_run=params.get("DryRun", False))
    return {
        "CiphertextBlob": moved.blob,
        "SourceKeyId": moved.source.arn,
        "KeyId": moved.destination.arn,
        "SourceEncryptionAlgorithm": source.algorithm,
        "DestinationEncryptionAlgorithm": destination.algorithm,
        "SourceKeyMaterialId": moved.source_material_id,
        "DestinationKeyMaterialId": moved.destination_material_id,
    }
