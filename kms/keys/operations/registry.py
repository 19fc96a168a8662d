"""The registry of KMS's operations, and the resolvers that say what each is asked about."""

from collections.abc import Callable
from typing import Any, Final

from foundation.identity import Resource
from foundation.wire import Operations, Params
from kms.keys.found import PLAIN, Question
from kms.keys.service import KeyService

operations: Final = Operations("kms")

Judge = Callable[[Params], Any]
Asked = Callable[[Params], Question]


def the_account(keys: KeyService, params: Params) -> Resource:  # noqa: ARG001 -- a resolver is handed the parameters
    """Creations and lists are asked about the account."""
    return keys.account_resource()


def the_key(
    operation: str, *judges: Judge, asked: Asked | None = None, member: str = "KeyId"
) -> Callable[[KeyService, Params], Resource]:
    """The resolver of an operation about one key.

    `judges` refuse parameters before the key is looked up (TRAPS 14); `asked` adds the operation's condition keys.
    """

    def on(keys: KeyService, params: Params) -> Resource:
        for judge in judges:
            judge(params)
        return keys.resource(params[member], operation, asked(params) if asked else PLAIN)

    return on
