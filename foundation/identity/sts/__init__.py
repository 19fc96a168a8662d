"""STS over the query protocol: who am I, temporary credentials, whose is this key."""

from foundation.identity.sts.operations import Sts, sts

__all__ = ["Sts", "sts"]
