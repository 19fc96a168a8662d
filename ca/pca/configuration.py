"""What an authority may be configured to be: key and signing algorithms, storage, revocation (TRAPS 35), tags."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ca.algorithms import ALGORITHMS, USUAL
from ca.errors import SinkUnavailable
from ca.pca.errors import InvalidArgs, InvalidTag, TooManyTags
from ca.sinks import ObjectSink

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
    """The parts of a revocation configuration that were given, as they are kept; "disabled" carries no other parameter.

    Raises InvalidArgs. Whether a bucket exists is for `check_bucket` to find out.
    """
    crl, ocsp = configuration.get("CrlConfiguration"), configuration.get("OcspConfiguration")
    for name, part in (("CrlConfiguration", crl), ("OcspConfiguration", ocsp)):
        if part is not None and not part["Enabled"] and len(part) > 1:
            raise InvalidArgs(f"{name} with Enabled false can carry no other parameter")
        if part is not None and "://" in part.get(_CNAMES[name], ""):
            raise InvalidArgs(f"{_CNAMES[name]} has no protocol prefix: clients ask it by http")
    if crl is not None:
        _check_crl(crl)
    given = {"CrlConfiguration": crl, "OcspConfiguration": ocsp}
    return {name: dict(part) for name, part in given.items() if part is not None}


_CNAMES: Final = {"CrlConfiguration": "CustomCname", "OcspConfiguration": "OcspCustomCname"}


def _check_crl(crl: Mapping[str, Any]) -> None:
    omitted = crl.get("CrlDistributionPointExtensionConfiguration", {}).get("OmitExtension", False)
    if omitted and crl.get("CustomCname"):
        raise InvalidArgs(
            "OmitExtension cannot be true with a CustomCname: the CNAME would be in no certificate"
        )
    if set(crl.get("CustomPath", "").split("/")) & {".", ".."}:
        raise InvalidArgs("CustomPath has no parts . and ..")


def check_bucket(revocation: Mapping[str, Any], sink: ObjectSink) -> None:
    """Raise BucketMissing or BucketDenied unless CRLs can be put where the configuration says.

    InvalidArgs while that cannot be found out: RequestFailedException is neither CreateCertificateAuthority's nor
    UpdateCertificateAuthority's.
    """
    crl = revocation.get("CrlConfiguration", {})
    if crl.get("S3BucketName") is not None:
        public = crl.get("S3ObjectAcl", "PUBLIC_READ") == "PUBLIC_READ"
        try:
            sink.check(crl["S3BucketName"], public=public)
        except SinkUnavailable as away:
            raise InvalidArgs(str(away)) from away


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
