"""Keys, aliases and materials as the wire's shapes; each member is there only when it is true."""

from typing import Any

from foundation.store import Scope
from foundation.wire import Params
from kms.keys.arns import alias_arn
from kms.keys.found import ORIGIN_EXTERNAL, FoundKey, Material
from kms.keys.regions import configuration
from kms.keys.specs import MEMBERS
from kms.keys.states import KeyState
from kms.keys.tables import Alias


def key_metadata(found: FoundKey) -> Params:
    """KeyMetadata of CreateKey, DescribeKey and ReplicateKey."""
    shape: Params = {
        "AWSAccountId": found.scope.account,
        "KeyId": found.id,
        "Arn": found.arn,
        "CreationDate": found.created_at,
        "Enabled": found.state == KeyState.ENABLED,
        "Description": found.description,
        "KeyUsage": found.usage,
        "KeyState": str(found.state),
        "Origin": found.origin,
        "KeyManager": found.manager,
        "KeySpec": found.spec.name,
        MEMBERS[found.usage]: list(found.algorithms),
        "MultiRegion": found.multi_region,
    }
    if found.spec.legacy:
        shape["CustomerMasterKeySpec"] = found.spec.name
    if found.deletion_at is not None:
        shape["DeletionDate"] = found.deletion_at
    if found.state == KeyState.PENDING_REPLICA_DELETION:
        shape["PendingDeletionWindowInDays"] = found.window_days
    if found.multi_region:
        shape["MultiRegionConfiguration"] = configuration(found)
    if found.spec.symmetric and found.current is not None:
        shape["CurrentKeyMaterialId"] = found.current.id
    if found.origin == ORIGIN_EXTERNAL:
        shape.update(_expiration(found))
    return shape


def _expiration(found: FoundKey) -> Params:
    held = [material for material in found.materials if material.token is not None]
    if not held:
        return {}
    ends = [material.valid_to for material in held if material.valid_to is not None]
    if not ends:
        return {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    return {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": min(ends)}


def alias_entry(scope: Scope, row: Alias) -> Params:
    """AliasListEntry; a predefined alias that nobody used yet has neither key nor dates."""
    shape: Params = {"AliasName": row.name, "AliasArn": alias_arn(scope, row.name)}
    if row.key_id:
        shape |= {
            "TargetKeyId": row.key_id,
            "CreationDate": row.created_at,
            "LastUpdatedDate": row.updated_at,
        }
    return shape


def rotation_entry(found: FoundKey, material: Material) -> Params:
    """RotationsListEntry."""
    shape: dict[str, Any] = {
        "KeyId": found.arn,
        "KeyMaterialId": material.id,
        "KeyMaterialState": material.state,
    }
    if material.rotated_at is not None:
        shape |= {"RotationDate": material.rotated_at, "RotationType": material.rotation_type}
    if found.origin == ORIGIN_EXTERNAL:
        shape["ImportState"] = "PENDING_IMPORT" if material.token is None else "IMPORTED"
        expires = material.valid_to is not None
        shape["ExpirationModel"] = "KEY_MATERIAL_EXPIRES" if expires else "KEY_MATERIAL_DOES_NOT_EXPIRE"
        if expires:
            shape["ValidTo"] = material.valid_to
        if material.description is not None:
            shape["KeyMaterialDescription"] = material.description
    return shape


def tag_list(tags: dict[str, str]) -> list[Params]:
    """Tags as KMS lists them."""
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
