"""The registry on which the modules of this slice declare what they answer."""

from foundation.wire import Operations

__all__ = ["iam"]

iam = Operations("iam")
