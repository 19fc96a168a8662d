"""The rules that a certificate passes before anything signs it: one rule a module, all in one table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from ca.errors import LintFailure
from ca.lints import (
    authority_key_identifier,
    basic_constraints,
    certificate_policies,
    common_name_in_san,
    extended_key_usage,
    extensions_not_empty,
    extensions_of_profile,
    issuer_can_sign,
    issuer_name,
    key_usage,
    key_usage_of_key,
    name_constraints,
    name_constraints_in_ca,
    names_and_uris,
    path_length,
    public_key,
    san_names,
    san_syntax,
    self_issued,
    serial_number,
    signature_algorithm,
    subject,
    subject_attributes,
    subject_key_identifier,
    validity_order,
    validity_within_issuer,
    validity_within_profile,
    version,
)
from ca.lints.case import Broken, Case

RULES: Final[Mapping[str, Callable[[Case], None]]] = MappingProxyType(
    {
        module.__name__.rpartition(".")[2]: module.check
        for module in (
            version,
            serial_number,
            public_key,
            signature_algorithm,
            issuer_can_sign,
            issuer_name,
            self_issued,
            subject,
            subject_attributes,
            validity_order,
            validity_within_issuer,
            validity_within_profile,
            extensions_of_profile,
            path_length,
            basic_constraints,
            key_usage,
            key_usage_of_key,
            extended_key_usage,
            subject_key_identifier,
            authority_key_identifier,
            san_names,
            san_syntax,
            names_and_uris,
            extensions_not_empty,
            common_name_in_san,
            certificate_policies,
            name_constraints_in_ca,
            name_constraints,
        )
    }
)


def lint(case: Case) -> None:
    """Raise LintFailure for the first rule that the certificate breaks."""
    for rule, check in RULES.items():
        try:
            check(case)
        except Broken as broken:
            raise LintFailure(rule, str(broken)) from broken


__all__ = ["RULES", "Broken", "Case", "lint"]
