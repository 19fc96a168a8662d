"""AWS Private CA's API on this room's authorities."""

from ca.pca.context import Context
from ca.pca.operations import operations
from ca.pca.service import Pca

__all__ = ["Context", "Pca", "operations"]
