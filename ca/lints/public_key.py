"""A key that may be certified, of its own: not weak, and not the issuer's (SECURITY 2.9)."""

from ca.errors import BadKey
from ca.keys import CA_KEY_SPECS, certified, check_for_server, judge_loaded_key, spki
from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    key = case.certificate.public_key()
    try:
        spec = judge_loaded_key(key)
        if not case.profile.ca and not case.profile.any_names:
            check_for_server(spec)
    except BadKey as error:
        raise Broken(str(error)) from error
    if case.profile.ca and spec not in CA_KEY_SPECS:
        raise Broken(f"a CA may not have a key of kind {spec}")
    if not case.profile.self_signed and spki(certified(key)) == spki(certified(case.issuer.public_key())):
        raise Broken("the public key is the issuer's own")
