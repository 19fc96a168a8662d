"""What can go wrong in the CA, one class for each thing that a caller handles differently.

These errors are plain: the CA has several fronts (ACM, the REST API, ACME), and each maps them to its own wire names
once, in one total table.
"""


class CaError(Exception):
    """Root of every error that this room raises on purpose. `str(error)` is a sentence for people."""


class BadKey(CaError):
    """A public key that no certificate may carry: too small, weak, on an unsupported curve, or a CA's own."""


class BadCsr(CaError):
    """A certificate signing request that is malformed, unproven, or asks for what no profile gives."""


class OrderRefused(CaError):
    """An order that the CA will not sign. Nothing was signed and nothing is stored."""


class LintFailure(OrderRefused):
    """A to-be-signed certificate that breaks a rule of `ca.lints`. `rule` is the name of the rule's module."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"{reason} (lint {rule})")
        self.rule = rule
        self.reason = reason


class ClaimTaken(CaError):
    """The claim already belongs to an order for another authority, key or set of names."""


class AuthorityNotFound(CaError):
    """No such certificate authority in this account and Region."""


class NotPermitted(CaError):
    """An AWS service asked by itself for what neither a permission nor a resource policy lets it do."""


class AuthorityState(CaError):
    """The authority exists, and its state does not allow what was asked. `status` is that state."""

    def __init__(self, authority_id: str, status: str, action: str) -> None:
        super().__init__(f"certificate authority {authority_id} is {status}, which does not allow: {action}")
        self.status = status


class CertificateNotFound(CaError):
    """The authority never gave out this serial number."""


class CertificateState(CaError):
    """The certificate's state does not allow what was asked (revoking twice, finishing a revoked intent)."""


class NotPublished(CaError):
    """Nothing is published under this path of /pki/."""


class BucketMissing(CaError):
    """The bucket does not exist, or its name is none."""


class BucketDenied(CaError):
    """The bucket is there, and what was asked of it is not allowed."""


class SinkUnavailable(CaError):
    """The place for objects cannot be reached now; the same may be tried again."""


class SerialsExhausted(CaError):
    """Entropy kept repeating itself: no unused serial number came out of several draws."""


class SignatureMismatch(CaError):
    """The core answered with a signature that the issuer's public key does not confirm; nothing was kept."""
