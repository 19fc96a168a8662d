"""What an operator may set about certificates that people ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class AcmSettings:
    """The ACM room's settings; server/settings.py fills it from flags and keystead.toml.

    validity_days: life of a certificate, never beyond its issuer's end (ACM's own is 198).
    renew_before_days: how long before the end renewal starts.
    validation_timeout_hours: PENDING_VALIDATION ends as VALIDATION_TIMED_OUT after this (ACM: 72).
    names_per_certificate: names in one request before LimitExceededException (ACM: 10, at most 100).
    renewal_eligible: "always" renews everything keystead issued; "aws" only what is in use or exported.
    """

    validity_days: int = 198
    renew_before_days: int = 45
    validation_timeout_hours: int = 72
    names_per_certificate: int = 10
    renewal_eligible: Literal["always", "aws"] = "always"

    def __post_init__(self) -> None:
        """Refuse values that no certificate could be issued under (ValueError names the setting)."""
        bounds = {
            "validity_days": (1, 3650),
            "renew_before_days": (1, 3650),
            "validation_timeout_hours": (1, 24 * 365),
            "names_per_certificate": (1, 100),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"acm.{name} must be between {low} and {high}, not {getattr(self, name)}")
        if self.renew_before_days >= self.validity_days:
            raise ValueError("acm.renew_before_days must be less than acm.validity_days")
        if self.renewal_eligible not in {"always", "aws"}:
            raise ValueError(f'acm.renewal_eligible is "always" or "aws", not {self.renewal_eligible!r}')

    @property
    def validity(self) -> timedelta:
        """How long a certificate is asked to live."""
        return timedelta(days=self.validity_days)

    @property
    def renew_before(self) -> timedelta:
        """How long before its end a certificate's renewal starts."""
        return timedelta(days=self.renew_before_days)

    @property
    def validation_timeout(self) -> timedelta:
        """How long a request may wait for the proofs of its domains."""
        return timedelta(hours=self.validation_timeout_hours)
