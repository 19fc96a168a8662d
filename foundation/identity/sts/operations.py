"""STS: AssumeRole, GetSessionToken, GetCallerIdentity, GetAccessKeyInfo."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from foundation.identity.calls import Call
from foundation.identity.decisions import Resource, account_resource
from foundation.identity.keys import AccessKeys
from foundation.identity.names import SESSION_KEY, account_of_id
from foundation.identity.principals import Principals
from foundation.identity.sessions import Claims, Credentials, Sessions
from foundation.identity.sts.assuming import Assumption, assume, trusted
from foundation.store import Unit
from foundation.wire import AccessDenied, Operations, Params, ValidationFailure

__all__ = ["Sts", "sts"]

ROOT_LONGEST: Final = 3_600
USER_DEFAULT: Final = 43_200

sts = Operations("sts")


@dataclass(frozen=True, slots=True)
class Sts:
    """One call, and what it works with."""

    call: Call
    unit: Unit
    principals: Principals
    sessions: Sessions
    keys: AccessKeys


@sts.operation("GetCallerIdentity")
def get_caller_identity(room: Sts, _params: Params) -> Params:
    """Say who signed. AWS asks for no permission here, and answers even where a policy denies it."""
    principal = room.call.principal
    return {"UserId": principal.principal_id, "Account": principal.account, "Arn": principal.arn}


def _the_role(room: Sts, params: Params) -> Resource:
    return trusted(room.principals, room.call, params)


@sts.operation("AssumeRole", on=_the_role, mutates=False)
def assume_role(room: Sts, params: Params) -> Params:
    """Give temporary credentials of a role. The trust policy and, but for callers whom it names themselves, IAM allow it."""
    _refuse_mfa(params)
    if params.get("ProvidedContexts"):
        raise ValidationFailure("keystead takes no provided contexts.")
    assumed: Assumption = assume(room.principals, room.call, params)
    made = room.sessions.issue(assumed.claims, assumed.duration)
    answer: dict[str, Any] = {
        "Credentials": _shown(made),
        "AssumedRoleUser": {"AssumedRoleId": assumed.session_id, "Arn": assumed.session_arn},
        "PackedPolicySize": made.packed,
    }
    if assumed.claims.source_identity:
        answer["SourceIdentity"] = assumed.claims.source_identity
    return answer


@sts.operation("GetSessionToken", mutates=False)
def get_session_token(room: Sts, params: Params) -> Params:
    """Give temporary credentials of the caller itself, who must have come with long-lived ones."""
    principal = room.call.principal
    if principal.session is not None or principal.kind not in ("user", "root"):
        raise AccessDenied("Cannot call GetSessionToken with session credentials")
    _refuse_mfa(params)
    asked = params.get("DurationSeconds", USER_DEFAULT)
    seconds = min(asked, ROOT_LONGEST) if principal.kind == "root" else asked
    claims = Claims(principal.account, principal.principal_id, b"", 0, 0)
    return {"Credentials": _shown(room.sessions.issue(claims, timedelta(seconds=seconds)))}


def _own_account(room: Sts, _params: Params) -> Resource:
    return account_resource(room.call)


@sts.operation("GetAccessKeyInfo", on=_own_account)
def get_access_key_info(room: Sts, params: Params) -> Params:
    """Say which account an access key belongs to, whoever asks."""
    key_id = params["AccessKeyId"]
    if key_id.startswith(SESSION_KEY):
        account = account_of_id(key_id)  # nothing is stored of sessions: the id itself says it
    else:
        found = room.keys.find(room.unit, key_id)
        account = None if found is None else found.account
    if account is None:
        raise ValidationFailure(f"The access key {key_id} is not valid.")
    return {"Account": account}


def _shown(made: Credentials) -> Params:
    return {
        "AccessKeyId": made.access_key_id,
        "SecretAccessKey": made.secret_access_key,
        "SessionToken": made.token,
        "Expiration": made.expires_at,
    }


def _refuse_mfa(params: Params) -> None:
    if "SerialNumber" in params or "TokenCode" in params:
        raise AccessDenied("MultiFactorAuthentication failed: keystead has no MFA devices.")
