"""Who is calling, and may they: accounts, access keys, SigV4, bearer tokens and the authorization seam."""

from foundation.identity.accounts import Accounts, KeyMaker, NewAccount
from foundation.identity.authenticator import Authenticator
from foundation.identity.bearer import Bearer, NewToken, TokenMac
from foundation.identity.calls import (
    ADMINISTRATOR_ACCESS,
    Call,
    Permissions,
    Principal,
    Session,
    operator_call,
    service_call,
)
from foundation.identity.decisions import Decision, Resource, account_resource, authorize, decide
from foundation.identity.directory import Directory
from foundation.identity.errors import BearerRefused, EntityAlreadyExists, InvalidInput, NoSuchEntity
from foundation.identity.keyring import SigningKeys
from foundation.identity.operations import sts

__all__ = [
    "ADMINISTRATOR_ACCESS",
    "Accounts",
    "Authenticator",
    "Bearer",
    "BearerRefused",
    "Call",
    "Decision",
    "Directory",
    "EntityAlreadyExists",
    "InvalidInput",
    "KeyMaker",
    "NewAccount",
    "NewToken",
    "NoSuchEntity",
    "Permissions",
    "Principal",
    "Resource",
    "Session",
    "SigningKeys",
    "TokenMac",
    "account_resource",
    "authorize",
    "decide",
    "operator_call",
    "service_call",
    "sts",
]
