"""Proof of control of a name: what the DNS says, what CAA allows, and publishing the records that prove it."""

from validation.caa import CaaPermit, check_caa
from validation.cname import Proof, prove_cname
from validation.errors import BadName, CaaForbids, DnsFailed, Kind, PublishFailed, ValidationFailed
from validation.lookup import Answer, Dns
from validation.names import is_wildcard, normalise_domain, normalise_owner, without_wildcard
from validation.publish import Publisher, UpdateZone
from validation.resolvconf import system_resolvers
from validation.tsig import TsigKey

__all__ = [
    "Answer",
    "BadName",
    "CaaForbids",
    "CaaPermit",
    "Dns",
    "DnsFailed",
    "Kind",
    "Proof",
    "PublishFailed",
    "Publisher",
    "TsigKey",
    "UpdateZone",
    "ValidationFailed",
    "check_caa",
    "is_wildcard",
    "normalise_domain",
    "normalise_owner",
    "prove_cname",
    "system_resolvers",
    "without_wildcard",
]
