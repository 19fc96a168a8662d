"""DeriveSharedSecret, Encapsulate, Decapsulate."""

from foundation.identity import Resource
from foundation.wire import Params
from kms.keys.operations.registry import operations, the_key
from kms.keys.questions import asked
from kms.keys.service import KeyService


def _derived(keys: KeyService, params: Params) -> Resource:
    recipient = keys.recipients.read(params.get("Recipient"))
    question = asked(params, "KeyAgreementAlgorithm", more=recipient.conditions)
    return keys.resource(params["KeyId"], "DeriveSharedSecret", question)


@operations.operation("DeriveSharedSecret", on=_derived, mutates=False)
def derive_shared_secret(keys: KeyService, params: Params) -> Params:
    recipient, algorithm = keys.recipients.read(params.get("Recipient")), params["KeyAgreementAlgorithm"]
    found, secret = keys.agreement.derive(
        params["KeyId"], algorithm, params["PublicKey"],
        recipient=recipient.public_key, dry_run=params.get("DryRun", False),
    )  # fmt: skip
    return {
        "KeyId": found.arn,
        recipient.member("SharedSecret"): secret,
        "KeyAgreementAlgorithm": algorithm,
        "KeyOrigin": found.origin,
    }


@operations.operation("Encapsulate", on=the_key("Encapsulate", asked=asked), mutates=False)
def encapsulate(keys: KeyService, params: Params) -> Params:
    algorithm = params["EncapsulationAlgorithm"]
    found, made = keys.agreement.encapsulate(params["KeyId"], algorithm, dry_run=params.get("DryRun", False))
    return {
        "KeyId": found.arn,
        "SharedSecret": made.shared_secret,
        "SharedSecretCiphertextBlob": made.ciphertext,
        "EncapsulationAlgorithm": algorithm,
    }


@operations.operation("Decapsulate", on=the_key("Decapsulate", asked=asked), mutates=False)
def decapsulate(keys: KeyService, params: Params) -> Params:
    algorithm = params["EncapsulationAlgorithm"]
    found, secret = keys.agreement.decapsulate(
        params["KeyId"], algorithm, params["SharedSecretCiphertextBlob"], dry_run=params.get("DryRun", False)
    )
    return {"KeyId": found.arn, "SharedSecret": secret, "EncapsulationAlgorithm": algorithm}
