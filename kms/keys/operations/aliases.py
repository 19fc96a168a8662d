"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases. Each is asked about the alias here, and about keys on the way."""

from foundation.identity import Resource
from foundation.wire import Params
from kms.keys.aliases import judge_name, judge_target
from kms.keys.errors import InvalidAliasName
from kms.keys.operations.registry import operations, the_account
from kms.keys.pages import answer, judge_limit
from kms.keys.service import KeyService
from kms.keys.shapes import alias_entry


def _new_alias(keys: KeyService, params: Params) -> Resource:
    judge_name(params["AliasName"], InvalidAliasName)
    judge_target(params["TargetKeyId"])
    return keys.aliases.resource(params["AliasName"])


def _moved_alias(keys: KeyService, params: Params) -> Resource:
    judge_target(params["TargetKeyId"])
    return _the_alias(keys, params)


def _the_alias(keys: KeyService, params: Params) -> Resource:
    judge_name(params["AliasName"])
    return keys.aliases.resource(params["AliasName"])


@operations.operation("CreateAlias", on=_new_alias)
def create_alias(keys: KeyService, params: Params) -> Params:
    keys.aliases.create(params["AliasName"], params["TargetKeyId"])
    return {}


@operations.operation("UpdateAlias", on=_moved_alias)
def update_alias(keys: KeyService, params: Params) -> Params:
    keys.aliases.update(params["AliasName"], params["TargetKeyId"])
    return {}


@operations.operation("DeleteAlias", on=_the_alias)
def delete_alias(keys: KeyService, params: Params) -> Params:
    keys.aliases.delete(params["AliasName"])
    return {}


def _listed(keys: KeyService, params: Params) -> Resource:
    judge_limit("ListAliases", params.get("Limit"))
    return the_account(keys, params)


@operations.operation("ListAliases", on=_listed)
def list_aliases(keys: KeyService, params: Params) -> Params:
    page = keys.aliases.page(
        params.get("KeyId"),
        limit=judge_limit("ListAliases", params.get("Limit")),
        marker=params.get("Marker"),
    )
    entries = [alias_entry(keys.context.here, row) for row in page.items]
    return answer("Aliases", entries, page.next_token)
