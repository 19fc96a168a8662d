"""The AWS managed policies that keystead has, compiled."""

from collections.abc import Mapping
from typing import Final

from foundation.identity.policy.compiled import Policy, compile_policy

__all__ = ["MANAGED"]

_TEXTS: Final = {
    "arn:aws:iam::aws:policy/AdministratorAccess": (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    ),
}

MANAGED: Final[Mapping[str, Policy]] = {arn: compile_policy(text, arn) for arn, text in _TEXTS.items()}
"""Managed policies by ARN."""
