"""The lock-out check: whether the author of a resource's policy could still replace it (kms, PutKeyPolicy)."""

from foundation.identity.policy.compiled import Policy
from foundation.identity.policy.document import Document
from foundation.identity.policy.errors import LockedOut
from foundation.identity.policy.evaluate import evaluate, resource_side
from foundation.identity.policy.facts import NO_CONTEXT, Caller, Context, Policies, Request
from foundation.identity.policy.verdict import Ground

__all__ = ["may_manage"]


def may_manage(
    document: Document,
    caller: Caller,
    *,
    resource: str,
    account: str,
    context: Context = NO_CONTEXT,
    action: str = "kms:PutKeyPolicy",
) -> Ground:
    """Return the statement by which `caller` could replace `document` again; raise LockedOut if there is none.

    The policy must not deny the action, and must name the caller or its account. In the latter case the account's
    own policies can give the right at any time, so they are not asked. `document` is as it will be stored
    (pinned); `context` is that of the present call.
    """
    request = Request(caller, action, resource, account, context)
    policies = Policies(resource=(Policy(document, "default"),), delegates=True)
    verdict = evaluate(request, policies)
    _, ground = resource_side(request, policies)
    if ground is None or verdict.explicit:
        raise LockedOut(f"The new policy would not let {caller.arn} replace it ({action}) {verdict.because}.")
    return ground
