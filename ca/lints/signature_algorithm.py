"""The signature algorithm of the issuer's key, the same inside and outside (RFC 5280 4.1.1.2)."""

from ca.keys import CA_KEY_SPECS, judge_loaded_key
from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    spec = CA_KEY_SPECS.get(judge_loaded_key(case.issuer.public_key()))
    if spec is None:
        raise Broken("the issuer's key is of a kind that no CA may have")
    if case.certificate.signature_algorithm_oid != spec.signature_oid:
        raise Broken(f"the signature algorithm is not {spec.algorithm}, which the issuer's key signs with")
