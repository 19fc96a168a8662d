"""The policy engine: documents in, decisions out. Pure: it reads no table and no clock."""

from foundation.identity.policy.compiled import Policy, compile_policy
from foundation.identity.policy.conditions import OPERATORS
from foundation.identity.policy.context import CallContext
from foundation.identity.policy.document import Document, parse
from foundation.identity.policy.elements import Kind, Statement
from foundation.identity.policy.errors import LockedOut, MalformedPolicy, PolicyTooLong
from foundation.identity.policy.evaluate import evaluate
from foundation.identity.policy.facts import Caller, Context, Policies, Request, Value
from foundation.identity.policy.grants import GrantFact
from foundation.identity.policy.lockout import may_manage
from foundation.identity.policy.managed import AWS_POLICIES, MANAGED, AwsPolicy
from foundation.identity.policy.pinning import Lookup, pin, pin_principal, show, show_principal
from foundation.identity.policy.principals import Strength, is_service_name
from foundation.identity.policy.verdict import Ground, Layer, Verdict

__all__ = [
    "AWS_POLICIES",
    "MANAGED",
    "OPERATORS",
    "AwsPolicy",
    "CallContext",
    "Caller",
    "Context",
    "Document",
    "GrantFact",
    "Ground",
    "Kind",
    "Layer",
    "LockedOut",
    "Lookup",
    "MalformedPolicy",
    "Policies",
    "Policy",
    "PolicyTooLong",
    "Request",
    "Statement",
    "Strength",
    "Value",
    "Verdict",
    "compile_policy",
    "evaluate",
    "is_service_name",
    "may_manage",
    "parse",
    "pin",
    "pin_principal",
    "show",
    "show_principal",
]
