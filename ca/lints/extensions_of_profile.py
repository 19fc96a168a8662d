"""The profile's extensions with the profile's criticality, and no other extension, whatever was asked for."""

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    subject_empty = not list(case.certificate.subject)
    expected = {
        oid: subject_empty if critical is None else critical
        for oid, critical in case.profile.extensions.items()
    }
    found = {extension.oid: extension.critical for extension in case.certificate.extensions}
    for oid in expected.keys() - found.keys():
        raise Broken(f"extension {oid.dotted_string} is missing")
    for oid in found.keys() - expected.keys():
        raise Broken(f"extension {oid.dotted_string} is not one of profile {case.profile.name}")
    for oid, critical in expected.items():
        if found[oid] is not critical:
            raise Broken(f"extension {oid.dotted_string} must {'' if critical else 'not '}be critical")
