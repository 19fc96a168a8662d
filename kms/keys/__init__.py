"""The KMS API: keys, states, aliases, policies, rotation, multi-Region sets. Other rooms import what is named here."""

from kms.keys.cache import KeyCache, KeyRows
from kms.keys.context import Context, Rooms, Uses
from kms.keys.found import FoundKey, Material, Question
from kms.keys.jobs import jobs
from kms.keys.journal import Journal
from kms.keys.operations import operations
from kms.keys.policies import Principals
from kms.keys.service import KeyService
from kms.keys.settings import KmsSettings
from kms.keys.work import Work

__all__ = [
    "Context",
    "FoundKey",
    "Journal",
    "KeyCache",
    "KeyRows",
    "KeyService",
    "KmsSettings",
    "Material",
    "Principals",
    "Question",
    "Rooms",
    "Uses",
    "Work",
    "jobs",
    "operations",
]
