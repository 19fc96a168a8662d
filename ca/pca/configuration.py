"""What an authority may be configured to be: key and signing algorithms, storage, revocation (TRAPS 35), tags."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ca.algorithms import ALGORITHMS, USUAL
from ca.pca.errors import InvalidArgs, InvalidTag, TooManyTags

TAG_LIMIT: Final = 50
SHORT_LIVED: Final = "SHORT_LIVED_CERTIFICATE"
KEY_STORAGE: Final = "FIPS_140_2_LEVEL_3_OR_HIGHER"


def check_algorithms(key_algorithm: str, signing_algorithm: str) -> None:
    """Raise InvalidArgs unless the core has such CA keys and they sign so. SM2 is for AWS's Regions in China alone."""
    if key_algorithm not in USUAL:
        raise InvalidArgs(
            f"keystead has no CA keys of algorithm {key_algorithm}: use one of {', '.join(USUAL)}"
        )
    check_signing(key_algorithm, signing_algorithm)


def check_signing(key_algorithm: str, signing_algorithm: str) -> None:
    """Raise InvalidArgs unless keys of this algorithm sign so: the families must be the same."""
    family = USUAL[key_algorithm].family
    how = ALGORITHMS.get(signing_algorithm)
    if how is None or how.family != family:
        of_family = ", ".join(name for name, each in ALGORITHMS.items() if each.family == family)
        raise InvalidArgs(
            f"A CA key of algorithm {key_algorithm} does not sign with {signing_algorithm}: use {of_family}"
        )


def check_storage(storage: str) -> None:
    """Raise InvalidArgs for the standards of Regions that keystead has nothing of."""
    if storage == "CCPC_LEVEL_1_OR_HIGHER":
        raise InvalidArgs("KeyStorageSecurityStandard CCPC_LEVEL_1_OR_HIGHER is not offered here")


def judge_revocation(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The revocation configuration as it is kept; "disabled" may carry no other parameter.

    Raises InvalidArgs, also for what AWS offers and keystead does not yet: CRLs in a bucket.
    """
    crl, ocsp = configuration.get("CrlConfiguration"), configuration.get("OcspConfiguration")
    for name, part in (("CrlConfiguration", crl), ("OcspConfiguration", ocsp)):
        if part is not None and not part["Enabled"] and len(part) > 1:
            raise InvalidArgs(f"{name} with Enabled false can carry no other parameter")
    if crl is not None and crl["Enabled"]:
        raise InvalidArgs(
            "keystead delivers no CRLs to a bucket yet: leave CrlConfiguration disabled; the CRL is under /pki/"
        )
    if ocsp is not None and "://" in ocsp.get("OcspCustomCname", ""):
        raise InvalidArgs("OcspCustomCname has no protocol prefix: clients ask it by http")
    return {"CrlConfiguration": {"Enabled": False}, "OcspConfiguration": dict(ocsp or {"Enabled": False})}


def refuse_short_lived(usage_mode: str, revocation: Mapping[str, Any]) -> None:
    """Raise InvalidArgs where certificates that live for seven days at most are to be looked up."""
    if usage_mode == SHORT_LIVED and any(part["Enabled"] for part in revocation.values()):
        raise InvalidArgs(f"A CA of mode {SHORT_LIVED} has neither CRLs nor OCSP: its certificates run out")


def judge_tags(tags: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Tags as key to value. Raises InvalidTag for a reserved or repeated key."""
    judged: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key.lower().startswith("aws:"):
            raise InvalidTag(f'Tag keys cannot begin with "aws:": {key}')
        if key in judged:
            raise InvalidTag(f"The tag key {key} is there more than once")
        judged[key] = tag.get("Value", "")
    return judged


def with_tags(present: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Both together. Raises TooManyTags beyond 50."""
    together = {**present, **more}
    if len(together) > TAG_LIMIT:
        raise TooManyTags(f"A private CA may have {TAG_LIMIT} tags; this one would have {len(together)}")
    return together
