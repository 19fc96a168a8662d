"""What the commands have in common: who acts, on which account and Region, judged and recorded like every other call."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ca import CaError
from foundation.identity import Call, operator_call
from foundation.store import Unit
from foundation.wire import AwsError
from kms.hsm import BadImportToken, BadMaterial, BadSeal, KeyRefused
from server.admin.protocol import NOTHING_THERE, CommandFailed, Progress
from server.pipeline import Intent
from server.regions import DEFAULT_REGION, NotServed, check_served

if TYPE_CHECKING:
    from server.assembly import Assembly

T = TypeVar("T")
Arguments = Mapping[str, Any]
Command = Callable[["Assembly", Arguments, Progress], dict[str, Any]]


class Refused(AwsError, code="InvalidRequestException", status=400):
    """What a room refused the operator, in its own words."""


def perform(
    assembly: "Assembly",
    call: Call,
    name: str,
    parameters: Mapping[str, Any],
    body: Callable[[Unit], T],
    *,
    reads: bool = False,
) -> T:
    """Do `body` as the call's caller: recorded under `name`, failures too. Raises CommandFailed for what is refused."""

    def plainly(unit: Unit) -> T:
        try:
            return body(unit)
        except (CaError, KeyRefused, BadImportToken, BadMaterial, BadSeal) as error:
            raise Refused(str(error)) from error

    try:
        return assembly.pipeline.act(call, Intent("keystead", name, parameters, mutates=not reads), plainly)
    except Refused as refused:
        raise CommandFailed(refused.message) from refused
    except AwsError as error:
        raise CommandFailed(f"{error.message} ({error.code})") from error


def operator(assembly: "Assembly", account: str, region: str) -> Call:
    """A call of the operator, who is the user that runs the command."""
    return operator_call(
        account=account,
        region=region,
        request_id=assembly.pipeline.request_id(),
        at=assembly.clock.wall(),
        uid=os.geteuid(),
    )


def account(assembly: "Assembly", arguments: Arguments) -> str:
    """The account that was named, else the deployment's first."""
    named = text(arguments, "account")
    known = assembly.accounts.ids()
    if named is not None and named not in known:
        raise CommandFailed(f"there is no account {named}. There are: {', '.join(known)}", NOTHING_THERE)
    account = named or assembly.accounts.first()
    if account is None:
        raise CommandFailed("there is no account yet: `keystead account create` makes one", NOTHING_THERE)
    return account


def region(assembly: "Assembly", arguments: Arguments) -> str:
    """The Region that was named, else the usual one. Raises CommandFailed for one that is not served."""
    named = text(arguments, "region") or DEFAULT_REGION
    try:
        check_served(named, assembly.settings.regions)
    except NotServed as refused:
        raise CommandFailed(str(refused)) from refused
    return named


def text(arguments: Arguments, name: str) -> str | None:
    """An argument that is text where it is given. Raises CommandFailed."""
    value = arguments.get(name)
    if value is not None and not isinstance(value, str):
        raise CommandFailed(f"{name} must be text")
    return value
