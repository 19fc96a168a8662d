"""Who is calling, and may they: accounts, access keys, SigV4, bearer tokens and the authorization seam."""

from foundation.identity.accounts import Accounts, NewAccount
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
from foundation.identity.decisions import (
    Decision,
    Denied,
    Resource,
    account_resource,
    authorize,
    caller_of,
    decide,
)
from foundation.identity.errors import (
    BearerRefused,
    EntityAlreadyExists,
    InvalidInput,
    NoSuchEntity,
    Tampered,
)
from foundation.identity.iam import Iam, LastUse, iam
from foundation.identity.iam import Rooms as IamRooms
from foundation.identity.keyring import SigningKeys
from foundation.identity.keys import AccessKeys, KeyMaker
from foundation.identity.principals import Principals
from foundation.identity.records import Alarm, RowMac
from foundation.identity.sessions import Sessions
from foundation.identity.sts import Sts, sts

__all__ = [
    "ADMINISTRATOR_ACCESS",
    "AccessKeys",
    "Accounts",
    "Alarm",
    "Authenticator",
    "Bearer",
    "BearerRefused",
    "Call",
    "Decision",
    "Denied",
    "EntityAlreadyExists",
    "Iam",
    "IamRooms",
    "InvalidInput",
    "KeyMaker",
    "LastUse",
    "NewAccount",
    "NewToken",
    "NoSuchEntity",
    "Permissions",
    "Principal",
    "Principals",
    "Resource",
    "RowMac",
    "Session",
    "Sessions",
    "SigningKeys",
    "Sts",
    "Tampered",
    "TokenMac",
    "account_resource",
    "authorize",
    "caller_of",
    "decide",
    "iam",
    "operator_call",
    "service_call",
    "sts",
]
