"""`keystead ca lint`: certificates and CRLs from anywhere, held against our own rules and pkilint's."""

from ca.linting.finding import SEVERITIES, Finding
from ca.linting.lone import Linted, NothingToLint, lint_file
from ca.linting.second_opinion import NoPkilint, second_opinion

__all__ = ["SEVERITIES", "Finding", "Linted", "NoPkilint", "NothingToLint", "lint_file", "second_opinion"]
