"""Who is calling, and may they: accounts, access keys, SigV4, bearer tokens and the authorization seam."""

from foundation.identity.calls import ADMINISTRATOR_ACCESS, Call, Principal, service_call
from foundation.identity.decisions import Decision, Resource, account_resource, authorize, decide

__all__ = [
    "ADMINISTRATOR_ACCESS",
    "Call",
    "Decision",
    "Principal",
    "Resource",
    "account_resource",
    "authorize",
    "decide",
    "service_call",
]
