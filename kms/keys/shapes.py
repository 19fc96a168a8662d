"""Keys, aliases, materials and grants as the wire's shapes; each member is there only when it is true."""

import json
from typing import Any

from foundation.identity.policy import show_principal
from foundation.store import Scope
from foundation.wire import Params
from kms.keys.arns import alias_arn, key_arn
from kms.keys.found import ORIGIN_EXTERNAL, FoundKey, Material
from kms.keys.grant_rules import is_service
from kms.keys.policies import Principals
from kms.keys.regions import configuration
from kms.keys.specs import MEMBERS
from kms.keys.states import KeyState
from kms.keys.tables import Alias, Grant


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


def grant_entry(row: Grant, principals: Principals) -> Params:
    """GrantListEntry; a principal that is gone shows as its id."""
    shape: Params = {
        "KeyId": key_arn(Scope(row.account, row.region), row.key_id),
        "GrantId": row.id,
        "CreationDate": row.created_at,
        "IssuingAccount": f"arn:aws:iam::{row.issuing_account}:root",
        "Operations": json.loads(row.operations),
    }
    for part, stored in (("Grantee", row.grantee), ("Retiring", row.retiring)):
        if stored is not None:
            kind = "ServicePrincipal" if is_service(stored) else "Principal"
            shape[part + kind] = show_principal(stored, principals.arn_of)
    if row.name is not None:
        shape["Name"] = row.name
    constraints: Params = {
        member: json.loads(pairs)
        for member, pairs in (
            ("EncryptionContextSubset", row.context_subset),
            ("EncryptionContextEquals", row.context_equals),
        )
        if pairs is not None
    }
    if row.source_arn is not None:
        constraints["SourceArn"] = row.source_arn
    if constraints:
        shape["Constraints"] = constraints
    return shape


def tag_list(tags: dict[str, str]) -> list[Params]:
    """Tags as KMS lists them."""
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
