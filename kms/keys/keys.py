"""Finding the key that a call names, in the order of checks that AWS has: name, key, permission, state, usage (TRAPS 14)."""

from typing import Final

from foundation.identity import Resource
from foundation.store import Scope
from foundation.wire import AccessDenied
from kms.keys.arns import KeyName, parse
from kms.keys.context import Context
from kms.keys.errors import InvalidGrantToken, InvalidKeyUsage, NotFound
from kms.keys.found import ENDING, PLAIN, FoundKey, Question
from kms.keys.grant_tokens import GrantTokens
from kms.keys.managed import Managed
from kms.keys.states import check_state

CROSS_ACCOUNT: Final = frozenset({
    "CreateGrant", "Decapsulate", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encapsulate", "Encrypt",
    "GenerateDataKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GetKeyRotationStatus", "GetPublicKey", "ListGrants",
    "ReEncrypt", "RetireGrant", "RevokeGrant", "Sign", "Verify", "VerifyMac",
})  # fmt: skip
"""Operations whose model documentation says "Cross-account use: Yes" (TRAPS 11)."""

BY_ALIAS: Final = frozenset({
    "Decapsulate", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encapsulate", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext",
    "GenerateMac", "GetPublicKey", "ReEncrypt", "Sign", "Verify", "VerifyMac",
})  # fmt: skip
"""Operations whose KeyId may be an alias name or alias ARN; the others take a key id or key ARN only."""


class Lookup:
    """One call's view of keys. What a KeyId means is decided once per call."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rooms = context.rooms
        self._seen: dict[tuple[str, str], tuple[KeyName, FoundKey | None]] = {}

    def find(self, key_id: str, operation: str) -> FoundKey:
        """The key by any form that the operation takes. Raises NotFound, InvalidArn, AccessDenied, Tampered.

        A key that is missing in another account is denied, never "not found": whether it exists is not the caller's
        to know.
        """
        name, found = self._look(key_id, operation)
        if found is not None:
            return found
        if name.scope.account != self._context.here.account:
            raise denied(self._context, operation, name.arn)
        if name.form == "alias":
            raise NotFound(f"Alias {name.arn} is not found.")
        raise NotFound(f"Key '{name.arn}' does not exist")

    def usable(self, key_id: str, operation: str, usage: str | None = None) -> FoundKey:
        """The key, whose state allows the operation and whose usage is `usage`. Call it after authorisation.

        Raises what `find` raises, the state's refusal, and InvalidKeyUsage. The use of a key that is pending deletion
        raises an alarm.
        """
        found = self.find(key_id, operation)
        self.check(found, operation, usage)
        return found

    def check(self, found: FoundKey, operation: str, usage: str | None = None) -> None:
        """State, then usage, of a key that was found in another way (by the ciphertext's header)."""
        if usage is not None and found.state in ENDING:
            self._rooms.journal.alarm(
                found.scope,
                "KeyUsedWhilePendingDeletion",
                {"keyId": found.arn, "operation": operation, "principal": self._context.call.principal.arn},
                (Resource(arn=found.arn, account=found.scope.account),),
            )
        check_state(operation, found.state, found.arn)
        if usage is not None and found.usage != usage:
            raise InvalidKeyUsage(
                f"{found.arn} key usage is {found.usage} which is not valid for {operation}."
            )

    def resource(self, key_id: str, operation: str, question: Question = PLAIN) -> Resource:
        """The key as `operation` is asked about it: for the `on=` resolvers.

        A key that is missing in another account is a resource without policies: it is denied in the same words as
        one that gives the caller nothing.
        """
        name, found = self._look(key_id, operation)
        if found is None and name.scope.account != self._context.here.account:
            return Resource(arn=name.arn, account=name.scope.account, delegates=True)
        found = self.find(key_id, operation)
        alias = name.name if name.form == "alias" else None
        return self.asked(found, operation, question, request_alias=alias)

    def asked(
        self, found: FoundKey, operation: str, question: Question = PLAIN, *, request_alias: str | None = None
    ) -> Resource:
        """A key that was found in any way, as `operation` is asked about it, with the grants of the call's tokens.

        Raises InvalidGrantToken, but for DescribeKey, whose list in the model does not have it: there a token that
        was not made here adds nothing.
        """
        if not question.tokens:
            return found.resource(self._context.call, question, request_alias=request_alias)
        tokens = GrantTokens(self._rooms.seal)
        try:
            presented = tokens.presented(found.scope, found.id, question.tokens)
        except InvalidGrantToken:
            if operation != "DescribeKey":
                raise
            presented = frozenset()
        return found.resource(self._context.call, question, request_alias=request_alias, presented=presented)

    def _look(self, key_id: str, operation: str) -> tuple[KeyName, FoundKey | None]:
        known = self._seen.get((key_id, operation))
        if known is None:
            known = self._seen[key_id, operation] = self._look_up(key_id, operation)
        return known

    def _look_up(self, key_id: str, operation: str) -> tuple[KeyName, FoundKey | None]:
        name = parse(key_id, self._context.here)
        if name.form == "alias" and operation not in BY_ALIAS:
            raise NotFound(f"Invalid keyId '{key_id}'")
        foreign = name.scope.account != self._context.here.account
        if foreign and operation not in CROSS_ACCOUNT:
            raise denied(self._context, operation, name.arn)
        if name.form == "key":
            return name, self._now(name.scope, name.name)
        target = self._rooms.cache.alias(name.scope, name.name)
        if target is None and not foreign and (operation == "DescribeKey" or self._context.call.via_service):
            target = Managed(self._context).key_for(name.name)
        return name, None if target is None else self._now(name.scope, target)

    def _now(self, scope: Scope, key_id: str) -> FoundKey | None:
        found = self._rooms.cache.key(scope, key_id)
        if found is None or found.expires_at is None:
            return found
        return found.as_of(self._rooms.now())


def denied(context: Context, operation: str, arn: str) -> AccessDenied:
    """AWS's words for a resource of another account that gives the caller nothing."""
    action = f"kms:{operation}"
    return AccessDenied(
        f"User: {context.call.principal.arn} is not authorized to perform: {action} on resource: {arn} "
        f"because no resource-based policy allows the {action} action"
    )
