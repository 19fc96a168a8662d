"""The Recipient parameter: an attestation document, verified once a call, before anything is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kms.keys.attestation import BadAttestation, conditions, verify
from kms.keys.context import Context
from kms.keys.errors import ValidationError


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a plaintext is for: SPKI DER (b"" for the caller itself), and what policies may ask about it."""

    public_key: bytes
    conditions: Mapping[str, str]

    def member(self, plain: str) -> str:
        """The member of an answer that holds what was asked for: `plain`, or the one for recipients."""
        return "CiphertextForRecipient" if self.public_key else plain


CALLER: Final = Recipient(b"", {})


class Recipients:
    """For one call, which has at most one recipient."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._read: Recipient | None = None

    def read(self, parameter: Mapping[str, Any] | None) -> Recipient:
        """The recipient of the parameter; CALLER without one. Raises ValidationError."""
        if parameter is None:
            return CALLER
        if self._read is None:
            self._read = self._verified(parameter)
        return self._read

    def _verified(self, parameter: Mapping[str, Any]) -> Recipient:
        root = self._context.rooms.settings.attestation_root
        if "AttestationDocument" not in parameter or "KeyEncryptionAlgorithm" not in parameter:
            raise ValidationError("Recipient must have an AttestationDocument and a KeyEncryptionAlgorithm.")
        if root is None:
            raise ValidationError(
                "Recipient is not supported: this deployment has no attestation root (the setting kms.attestation_root)."
            )
        try:
            attested = verify(parameter["AttestationDocument"], root, self._context.call.at)
        except BadAttestation as bad:
            raise ValidationError(f"The attestation document is not valid: {bad}.") from bad
        return Recipient(attested.public_key, conditions(attested))
