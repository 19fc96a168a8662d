"""Sign, Verify, GetPublicKey, GenerateMac, VerifyMac."""

from foundation.identity import Resource
from foundation.wire import Params
from kms.keys.found import Question
from kms.keys.operations.registry import operations, the_key
from kms.keys.questions import asked
from kms.keys.service import KeyService
from kms.keys.signing import Message, judge_message
from kms.keys.specs import MEMBERS


def _message(params: Params) -> Message:
    message = Message(params["Message"], params.get("MessageType", "RAW"), params["SigningAlgorithm"])
    judge_message(message)
    return message


def _signed(keys: KeyService, params: Params, operation: str) -> Resource:
    message = _message(params)
    question = asked(params, "SigningAlgorithm", more={"kms:messagetype": message.kind})
    return keys.resource(params["KeyId"], operation, question)


@operations.operation("Sign", on=lambda keys, params: _signed(keys, params, "Sign"), mutates=False)
def sign(keys: KeyService, params: Params) -> Params:
    message = _message(params)
    found, signature = keys.signing.sign(params["KeyId"], message, dry_run=params.get("DryRun", False))
    return {"KeyId": found.arn, "Signature": signature, "SigningAlgorithm": message.algorithm}


@operations.operation("Verify", on=lambda keys, params: _signed(keys, params, "Verify"), mutates=False)
def verify(keys: KeyService, params: Params) -> Params:
    message = _message(params)
    found = keys.signing.verify(
        params["KeyId"], message, params["Signature"], dry_run=params.get("DryRun", False)
    )
    return {"KeyId": found.arn, "SignatureValid": True, "SigningAlgorithm": message.algorithm}


@operations.operation("GetPublicKey", on=the_key("GetPublicKey", asked=asked))
def get_public_key(keys: KeyService, params: Params) -> Params:
    found, spki = keys.signing.public_key(params["KeyId"])
    shape: Params = {
        "KeyId": found.arn,
        "PublicKey": spki,
        "KeySpec": found.spec.name,
        "KeyUsage": found.usage,
        MEMBERS[found.usage]: list(found.algorithms),
    }
    return {**shape, "CustomerMasterKeySpec": found.spec.name} if found.spec.legacy else shape


def _maced(params: Params) -> Question:
    return asked(params, "MacAlgorithm")


@operations.operation("GenerateMac", on=the_key("GenerateMac", asked=_maced), mutates=False)
def generate_mac(keys: KeyService, params: Params) -> Params:
    algorithm = params["MacAlgorithm"]
    found, mac = keys.macs.generate(
        params["KeyId"], params["Message"], algorithm, dry_run=params.get("DryRun", False)
    )
    return {"KeyId": found.arn, "Mac": mac, "MacAlgorithm": algorithm}


@operations.operation("VerifyMac", on=the_key("VerifyMac", asked=_maced), mutates=False)
def verify_mac(keys: KeyService, params: Params) -> Params:
    algorithm = params["MacAlgorithm"]
    found = keys.macs.verify(
        params["KeyId"], params["Message"], algorithm, params["Mac"], dry_run=params.get("DryRun", False)
    )
    return {"KeyId": found.arn, "MacValid": True, "MacAlgorithm": algorithm}
