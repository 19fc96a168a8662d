"""STS on the wire: GetCallerIdentity, which any valid signature may ask."""

from foundation.identity.calls import Call
from foundation.wire import Operations, Params

__all__ = ["sts"]

sts = Operations("sts")


@sts.operation("GetCallerIdentity")
def get_caller_identity(call: Call, _params: Params) -> Params:
    """Say who signed. AWS asks for no permission here, and answers even where a policy denies it."""
    principal = call.principal
    return {"UserId": principal.principal_id, "Account": principal.account, "Arn": principal.arn}
