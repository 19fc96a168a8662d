"""The bounds on what strangers may send: one place, each with its reason."""

from typing import Final

BODY: Final = 1024 * 1024
"""Octets of a request body; the largest legitimate ones (certificate chains, secrets of 64 kB) are far below."""

LARGE_BODIES: Final = {
    ("acm", "ImportCertificate"): 4 * 1024 * 1024,
    ("acm-pca", "ImportCertificateAuthorityCertificate"): 4 * 1024 * 1024,  # 2 MB of chain, in base64
}
"""A certificate, a chain of 2 MB by the model, and base64 around both."""

LARGEST_BODY: Final = max(BODY, *LARGE_BODIES.values())
"""What the doors may read before the operation is known."""

DEPTH: Final = 64
NODES: Final = 10_000
"""Values in one body: decoding cost and memory follow their number, not only the octets."""

INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1
"""SQLite's and PostgreSQL's widest integers."""

ECHO: Final = 256
"""Characters of a refused value that a message repeats: an error is logged, and must not grow with the request."""


def body_limit(service: str, operation: str) -> int:
    """The most octets that the body of this operation may have."""
    return LARGE_BODIES.get((service, operation), BODY)
