"""A signature algorithm of the issuer's key's family, its usual one for keystead's own profiles (RFC 5280 4.1.1.2)."""

from ca.algorithms import USUAL, algorithm_of
from ca.errors import BadKey
from ca.keys import judge_loaded_key
from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    usual = USUAL.get(judge_loaded_key(case.issuer.public_key()))
    if usual is None:
        raise Broken("the issuer's key is of a kind that no CA may have")
    try:
        how = algorithm_of(case.certificate.tbs_certificate_bytes)
    except BadKey as error:
        raise Broken(str(error)) from error
    if how.family != usual.family:
        raise Broken(f"the signature algorithm {how.algorithm} is not one of the issuer's key")
    if how != usual and not case.profile.any_names:
        raise Broken(f"the signature algorithm is not {usual.algorithm}, which the issuer's key signs with")
