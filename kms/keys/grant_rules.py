"""What may be granted: CreateGrant's parameters and the rules that the model states in words (TRAPS 9, 10)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from foundation.identity.policy import GrantFact, MalformedPolicy, Value, is_service_name, pin_principal
from foundation.wire import Params
from kms.keys.errors import InvalidArn, UnsuitableOperations, ValidationError
from kms.keys.found import FoundKey
from kms.keys.policies import Principals
from kms.keys.specs import (
    ENCAPSULATE_DECAPSULATE,
    ENCRYPT_DECRYPT,
    GENERATE_VERIFY_MAC,
    KEY_AGREEMENT,
    SIGN_VERIFY,
    Kind,
)

MOST_PAIRS: Final = 8
MOST_CHARACTERS: Final = 384
"""Of one constraint's encryption context: its pairs, and the characters of all its keys and values."""

MANAGEMENT: Final = frozenset({"CreateGrant", "RetireGrant", "DescribeKey"})
"""Operations that suit every key. Constraints on the context bind CreateGrant's children only, the others never."""

CRYPTOGRAPHIC: Final[Mapping[tuple[Kind, str], frozenset[str]]] = {
    ("symmetric", ENCRYPT_DECRYPT): frozenset({
        "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
    }),
    ("asymmetric", ENCRYPT_DECRYPT): frozenset({
        "Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey",
    }),
    ("asymmetric", SIGN_VERIFY): frozenset({"Sign", "Verify", "GetPublicKey"}),
    ("asymmetric", KEY_AGREEMENT): frozenset({"DeriveSharedSecret", "GetPublicKey"}),
    ("asymmetric", ENCAPSULATE_DECAPSULATE): frozenset({"Encapsulate", "Decapsulate", "GetPublicKey"}),
    ("hmac", GENERATE_VERIFY_MAC): frozenset({"GenerateMac", "VerifyMac"}),
}  # fmt: skip
"""Kind of key and usage → the other operations that a grant on such a key may have (KMS guide, "Grant operations")."""


@dataclass(frozen=True, slots=True)
class GrantOrder:
    """A grant that is asked for. Principals as they were given: ARNs, or names of services."""

    grantee: str
    retiring: str | None
    operations: tuple[str, ...]
    equals: Mapping[str, str] | None
    subset: Mapping[str, str] | None
    source_arn: str | None
    name: str | None

    @property
    def child(self) -> GrantFact:
        """The grant as the one that its maker may act by is compared with it."""
        return GrantFact(
            grant_id="",
            grantee=self.grantee,
            operations=frozenset(self.operations),
            context_equals=self.equals,
            context_subset=self.subset,
            source_arn=self.source_arn,
        )

    @property
    def context(self) -> dict[str, str]:
        """The pairs of both constraints, as conditions on kms:EncryptionContext see them."""
        return {**(self.subset or {}), **(self.equals or {})}

    @property
    def conditions(self) -> dict[str, Value]:
        """CreateGrant's own condition keys."""
        facts: dict[str, Value] = {"kms:grantoperations": self.operations}
        kinds = [
            name
            for name, pairs in (
                ("EncryptionContextEquals", self.equals),
                ("EncryptionContextSubset", self.subset),
            )
            if pairs is not None
        ]
        if kinds:
            facts["kms:grantconstrainttype"] = kinds[0] if len(kinds) == 1 else tuple(kinds)
        if not is_service(self.grantee):
            facts["kms:granteeprincipal"] = self.grantee
        if self.retiring is not None and not is_service(self.retiring):
            facts["kms:retiringprincipal"] = self.retiring
        return facts


def is_service(principal: str) -> bool:
    """Tell a service's name from ARNs and unique ids, given or pinned: it has dots and no colon."""
    return "." in principal and ":" not in principal


def judge_order(params: Params) -> GrantOrder:
    """CreateGrant's parameters, without a look at the key. Raises ValidationError."""
    grantee = one_of(params, "GranteePrincipal", "GranteeServicePrincipal", needed=True)
    retiring = one_of(params, "RetiringPrincipal", "RetiringServicePrincipal", needed=False)
    constraints = params.get("Constraints", {})
    order = GrantOrder(
        grantee=grantee or "",
        retiring=retiring,
        operations=tuple(dict.fromkeys(params["Operations"])),
        equals=constraints.get("EncryptionContextEquals"),
        subset=constraints.get("EncryptionContextSubset"),
        source_arn=constraints.get("SourceArn"),
        name=params.get("Name"),
    )
    if not order.operations:
        raise ValidationError("A grant must permit at least one operation.")
    if "GranteeServicePrincipal" in params and (order.source_arn is None or retiring is None):
        raise ValidationError(
            "When you specify a GranteeServicePrincipal, you must also specify a SourceArn grant constraint and "
            "either a RetiringPrincipal or a RetiringServicePrincipal."
        )
    for pairs in (order.equals, order.subset):
        _judge_pairs(pairs or {})
    return order


def one_of(params: Params, first: str, second: str, *, needed: bool) -> str | None:
    """The value of one of two members that exclude each other. Raises ValidationError."""
    given: list[str] = [params[name] for name in (first, second) if name in params]
    if len(given) > 1 or (needed and not given):
        wanted = "must" if needed else "can"
        raise ValidationError(f"You {wanted} specify either {first} or {second}, but not both.")
    return given[0] if given else None


def _judge_pairs(pairs: Mapping[str, str]) -> None:
    if len(pairs) > MOST_PAIRS:
        raise ValidationError(f"A grant constraint can include up to {MOST_PAIRS} encryption context pairs.")
    if sum(len(key) + len(value) for key, value in pairs.items()) > MOST_CHARACTERS:
        raise ValidationError(
            f"The encryption context of a grant constraint cannot exceed {MOST_CHARACTERS} characters."
        )


def judge_suits(order: GrantOrder, found: FoundKey) -> None:
    """Raise UnsuitableOperations for what the key cannot do, ValidationError for a context that it never has."""
    suitable = CRYPTOGRAPHIC[found.spec.kind, found.usage]
    unfit = [name for name in order.operations if name not in suitable | MANAGEMENT]
    if unfit:
        raise UnsuitableOperations(
            f"Grant operation {', '.join(unfit)} is not supported for {found.arn}, whose key spec is "
            f"{found.spec.name} and whose key usage is {found.usage}."
        )
    constrained = order.equals is not None or order.subset is not None
    if constrained and not found.spec.symmetric and set(order.operations) - MANAGEMENT:
        raise ValidationError(
            "Encryption context grant constraints cannot be used for cryptographic operations with asymmetric or "
            "HMAC KMS keys."
        )


def pinned(principal: str, principals: Principals) -> str:
    """A principal as it is stored: its unique id, its root's ARN, or a service's name. Raises InvalidArn for nobody."""
    refusal = InvalidArn(f"ARN does not refer to a valid principal: {principal}")
    if is_service(principal):
        if not is_service_name(principal):
            raise refusal
        return principal
    if not principal.startswith("arn:"):
        raise refusal
    try:
        return pin_principal(principal, principals.id_of)
    except MalformedPolicy as nobody:
        raise refusal from nobody


def values_of(order: GrantOrder, grantee: str, retiring: str | None, issuing_account: str) -> dict[str, Any]:
    """The columns that say what is granted; principals pinned. A grant with a name gets its fingerprint."""
    values: dict[str, Any] = {
        "name": order.name,
        "grantee": grantee,
        "retiring": retiring,
        "operations": json.dumps(order.operations),
        "context_equals": _stored(order.equals),
        "context_subset": _stored(order.subset),
        "source_arn": order.source_arn,
        "issuing_account": issuing_account,
    }
    if order.name is not None:
        same = {**values, "operations": sorted(order.operations)}
        values["fingerprint"] = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
    return values


def _stored(pairs: Mapping[str, str] | None) -> str | None:
    return None if pairs is None else json.dumps(pairs, sort_keys=True, ensure_ascii=False)
