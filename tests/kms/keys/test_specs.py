"""The table of key specs says what botocore's model says, and nothing that it does not."""

from typing import Any

import pytest
from botocore.session import get_session

from kms.keys.errors import UnsupportedOperation, ValidationError
from kms.keys.specs import KEY_SPECS, MEMBERS, UNSUPPORTED, KeySpec, judge_spec

MODEL = get_session().get_service_model("kms")
SPECS = pytest.mark.parametrize("spec", KEY_SPECS.values(), ids=lambda spec: spec.name)


def enum(shape: str) -> set[str]:
    found: Any = MODEL.shape_for(shape)
    return set(found.enum)


def test_every_spec_of_the_model_is_in_the_table_or_clearly_unsupported() -> None:
    assert set(KEY_SPECS) | UNSUPPORTED == enum("KeySpec")
    assert not set(KEY_SPECS) & UNSUPPORTED


def test_every_usage_of_the_model_has_its_place_in_the_metadata() -> None:
    assert set(MEMBERS) == enum("KeyUsageType")
    members: Any = MODEL.shape_for("KeyMetadata")
    assert set(MEMBERS.values()) <= set(members.members)


@SPECS
def test_a_spec_has_the_legacy_name_if_the_model_says_so(spec: KeySpec) -> None:
    assert spec.legacy == (spec.name in enum("CustomerMasterKeySpec"))


@SPECS
def test_a_specs_algorithms_are_the_models(spec: KeySpec) -> None:
    for usage, algorithms in spec.usages.items():
        members: Any = MODEL.shape_for("KeyMetadata")
        assert set(algorithms) <= set(members.members[MEMBERS[usage]].member.enum)
        assert len(set(algorithms)) == len(algorithms) > 0


@SPECS
def test_every_encryption_algorithm_has_a_cap_of_its_own(spec: KeySpec) -> None:
    """TRAPS 22."""
    assert set(spec.plaintext) == set(spec.algorithms("ENCRYPT_DECRYPT"))


@pytest.mark.parametrize(
    ("name", "sha1", "sha256"), [("RSA_2048", 214, 190), ("RSA_3072", 342, 318), ("RSA_4096", 470, 446)]
)
def test_rsa_takes_what_oaep_leaves_of_the_modulus(name: str, sha1: int, sha256: int) -> None:
    octets = int(name[4:]) // 8
    assert KEY_SPECS[name].plaintext == {"RSAES_OAEP_SHA_1": sha1, "RSAES_OAEP_SHA_256": sha256}
    assert (sha1, sha256) == (octets - 2 * 20 - 2, octets - 2 * 32 - 2)


@SPECS
def test_only_the_symmetric_spec_may_leave_out_its_usage(spec: KeySpec) -> None:
    if spec.symmetric:
        assert judge_spec(spec.name, None) == (spec, "ENCRYPT_DECRYPT")
        return
    with pytest.raises(ValidationError, match="You must specify a KeyUsage"):
        judge_spec(spec.name, None)


@pytest.mark.parametrize("usage", sorted(MEMBERS))
@SPECS
def test_a_spec_takes_its_own_usages_and_no_others(spec: KeySpec, usage: str) -> None:
    if usage in spec.usages:
        assert judge_spec(spec.name, usage) == (spec, usage)
        return
    with pytest.raises(ValidationError, match="is not compatible with KeySpec"):
        judge_spec(spec.name, usage)


def test_sm2_is_unsupported_in_words() -> None:
    with pytest.raises(UnsupportedOperation, match="SM2 is not supported"):
        judge_spec("SM2", "SIGN_VERIFY")
