"""What a linter says."""

from dataclasses import dataclass
from typing import Final

SEVERITIES: Final = ("FATAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")
"""The gravest first, as pkilint names them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """source: "keystead" or "pkilint". about: what was looked at, such as "certificate 1 (CN=host)"."""

    severity: str
    source: str
    rule: str
    message: str
    about: str

    @property
    def grave(self) -> bool:
        """ERROR or above."""
        return SEVERITIES.index(self.severity) <= SEVERITIES.index("ERROR")
