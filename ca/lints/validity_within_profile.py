"""A validity no longer than its profile allows."""

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    length = case.certificate.not_valid_after_utc - case.certificate.not_valid_before_utc
    if length > case.profile.max_validity:
        raise Broken(
            f"the validity of {length} is longer than the {case.profile.max_validity} of profile {case.profile.name}"
        )
