"""IAM over the query protocol: users, roles, access keys, policies and what they are attached to."""

from foundation.identity.iam.operations import iam
from foundation.identity.iam.room import Iam, LastUse, Rooms

__all__ = ["Iam", "LastUse", "Rooms", "iam"]
