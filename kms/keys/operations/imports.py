"""GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial."""

from datetime import UTC

from foundation.identity import Resource
from foundation.wire import Params
from kms.keys.found import Question
from kms.keys.imports import EXPIRES, Import, judge_import, judge_wrapping
from kms.keys.operations.registry import operations, the_key
from kms.keys.questions import asked
from kms.keys.service import KeyService


def _wrapping(params: Params) -> None:
    judge_wrapping(params["WrappingAlgorithm"], params["WrappingKeySpec"])


def _wrapped(params: Params) -> Question:
    return asked(params, "WrappingAlgorithm", "WrappingKeySpec")


@operations.operation(
    "GetParametersForImport", on=the_key("GetParametersForImport", _wrapping, asked=_wrapped)
)
def get_parameters_for_import(keys: KeyService, params: Params) -> Params:
    found, made, until = keys.imports.parameters(
        params["KeyId"], params["WrappingAlgorithm"], params["WrappingKeySpec"]
    )
    return {
        "KeyId": found.arn,
        "ImportToken": made.token,
        "PublicKey": made.public_key,
        "ParametersValidTo": until,
    }


def _import(keys: KeyService, params: Params) -> Import:
    wanted = Import(
        params["ImportToken"],
        params["EncryptedKeyMaterial"],
        params.get("ValidTo"),
        params.get("ImportType"),
        params.get("KeyMaterialDescription"),
        params.get("KeyMaterialId"),
    )
    judge_import(wanted, params.get("ExpirationModel", EXPIRES), keys.context.rooms.now())
    return wanted


def _imported(keys: KeyService, params: Params) -> Resource:
    wanted = _import(keys, params)
    more = {"kms:expirationmodel": params.get("ExpirationModel", EXPIRES)}
    if wanted.valid_to is not None:
        more["kms:validto"] = wanted.valid_to.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return keys.resource(params["KeyId"], "ImportKeyMaterial", asked(params, more=more))


@operations.operation("ImportKeyMaterial", on=_imported)
def import_key_material(keys: KeyService, params: Params) -> Params:
    found, material_id = keys.imports.take(params["KeyId"], _import(keys, params))
    return {"KeyId": found.arn, "KeyMaterialId": material_id}


@operations.operation("DeleteImportedKeyMaterial", on=the_key("DeleteImportedKeyMaterial"))
def delete_imported_key_material(keys: KeyService, params: Params) -> Params:
    found, material_id = keys.imports.delete(params["KeyId"], params.get("KeyMaterialId"))
    return {"KeyId": found.arn, "KeyMaterialId": material_id}
