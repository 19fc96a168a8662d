"""The hierarchy, the ciphertext and the canonical encodings: each opens in its own place, and nowhere else."""

import hashlib
import hmac
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.hsm import CoreClient, ciphertext, frames
from kms.hsm.errors import BadSeal, KeyRefused
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.labels import canonical, canonical_context
from tests.kms.hsm.inside import label, refusal, result, service

KEY = label("kms", "SYMMETRIC_DEFAULT")
NAMES = ciphertext.names(KEY)
OTHER = label("kms", "SYMMETRIC_DEFAULT", key_id="key-2")


def encrypted(context: dict[str, str]) -> tuple[bytes, bytes]:
    """(token, ciphertext) of "plain" under KEY."""
    keys = service()
    token = result(keys, frames.GenerateKey(KEY)).first
    return token, result(keys, frames.Encrypt(token, KEY, b"plain", context)).first


@given(st.lists(st.binary() | st.text() | st.integers(0, 2**64 - 1), max_size=6))
def test_different_lists_never_have_the_same_encoding(parts: list[bytes | str | int]) -> None:
    encoded = canonical(*parts)
    for other in ([*parts, b""], parts[1:], [b"".join(p for p in parts if isinstance(p, bytes))]):
        assert (canonical(*other) == encoded) == (other == parts)


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_a_contexts_encoding_is_that_of_its_sorted_names_and_values(context: dict[str, str]) -> None:
    pairs = sorted((name.encode(), value.encode()) for name, value in context.items())
    assert canonical_context(context) == canonical(*(part for pair in pairs for part in pair))


@given(st.binary(min_size=1, max_size=64), st.dictionaries(st.text(), st.text(), max_size=3))
def test_the_associated_data_is_the_canonical_header_and_context(
    header: bytes, context: dict[str, str]
) -> None:
    assert ciphertext._aad(header, context) == canonical(header, canonical_context(context))


def test_a_text_and_its_bytes_differ() -> None:
    assert canonical("a") != canonical(b"a")
    assert canonical(1) != canonical((1).to_bytes(8, "big"))


def test_contexts_that_read_alike_differ() -> None:
    assert canonical_context({"ab": "c"}) != canonical_context({"a": "bc"})
    assert canonical_context({"a": "b", "c": "d"}) != canonical_context({"a": "b" + "c" + "d"})
    assert canonical_context({"a": "b", "c": "d"}) == canonical_context({"c": "d", "a": "b"})
    assert canonical_context({"A": "b"}) != canonical_context({"a": "b"})


@pytest.mark.parametrize("other", [{}, {"a": "bc"}, {"ab": "C"}, {"ab": "c", "d": ""}, {"AB": "c"}], ids=str)
def test_a_ciphertext_opens_under_its_own_context_only(other: dict[str, str]) -> None:
    token, blob = encrypted({"ab": "c"})
    keys = service()
    assert result(keys, frames.Decrypt(token, KEY, blob, {"ab": "c"})).first == b"plain"
    assert refusal(keys, frames.Decrypt(token, KEY, blob, other)).code == "BadSeal"


def test_a_decrypted_blob_names_its_key() -> None:
    _, blob = encrypted({})
    assert ciphertext.describe(blob) == ciphertext.CipherHeader("111122223333", "eu-central-1", "key-1", 1)


def test_a_multi_region_blob_names_no_region() -> None:
    replicated = label("kms", "SYMMETRIC_DEFAULT", key_id="mrk-1")
    blob = ciphertext.encrypt(bytes(32), ciphertext.names(replicated), b"", {}, os.urandom)
    assert ciphertext.describe(blob).region == ""


def test_two_ciphertexts_of_one_plaintext_differ() -> None:
    assert encrypted({})[1] != encrypted({})[1]


def test_each_changed_byte_of_a_ciphertext_is_noticed() -> None:
    token, blob = encrypted({"a": "b"})
    keys = service()
    for at in range(len(blob)):
        changed = blob[:at] + bytes((blob[at] ^ 1,)) + blob[at + 1 :]
        assert refusal(keys, frames.Decrypt(token, KEY, changed, {"a": "b"})).code == "BadSeal"


def test_each_cut_ciphertext_is_noticed() -> None:
    token, blob = encrypted({})
    keys = service()
    for length in range(len(blob)):
        assert refusal(keys, frames.Decrypt(token, KEY, blob[:length], {})).code == "BadSeal"
    assert refusal(keys, frames.Decrypt(token, KEY, blob + b"\0", {})).code == "BadSeal"


@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_no_ciphertext(noise: bytes) -> None:
    with pytest.raises(BadSeal):
        ciphertext.decrypt(bytes(32), NAMES, noise, {})
    with pytest.raises(BadSeal):
        ciphertext.decrypt(bytes(32), NAMES, ciphertext.MAGIC + noise, {})


def test_a_ciphertext_of_another_key_or_material_is_refused_with_the_same_backing_bytes() -> None:
    blob = ciphertext.encrypt(bytes(32), NAMES, b"plain", {}, os.urandom)
    for other in (
        OTHER,
        label("kms", "SYMMETRIC_DEFAULT", version=2),
        label("kms", "SYMMETRIC_DEFAULT", region="x"),
    ):
        with pytest.raises(BadSeal, match="another key or material"):
            ciphertext.decrypt(bytes(32), ciphertext.names(other), blob, {})


def test_names_too_long_for_a_header_are_refused() -> None:
    keys, long = service(), label("kms", "SYMMETRIC_DEFAULT", key_id="k" * 256)
    token = result(keys, frames.GenerateKey(long)).first
    assert refusal(keys, frames.Encrypt(token, long, b"", {})).code == "KeyRefused"


def test_an_oversize_context_is_refused() -> None:
    keys = service()
    token = result(keys, frames.GenerateKey(KEY)).first
    huge = {str(n): "v" * 8000 for n in range(3)}
    assert refusal(keys, frames.Encrypt(token, KEY, b"", huge)).code == "KeyRefused"


def test_a_data_key_comes_in_clear_and_as_a_ciphertext_that_decrypts_to_it() -> None:
    keys = service()
    token = result(keys, frames.GenerateKey(KEY)).first
    made = result(keys, frames.GenerateDataKey(token, KEY, 32, {"a": "b"}))
    assert len(made.first) == 32
    assert result(keys, frames.Decrypt(token, KEY, made.second, {"a": "b"})).first == made.first


@pytest.mark.parametrize("place", [[], ["b", "a"], ["ab"], ["a", "b", ""], ["a", "bb"]], ids=str)
def test_what_is_sealed_opens_in_its_own_place_only(place: list[str]) -> None:
    keys = service()
    sealed = result(keys, frames.Seal("secret", ["a", "b"], b"value")).first
    assert result(keys, frames.Open("secret", ["a", "b"], sealed)).first == b"value"
    assert refusal(keys, frames.Open("secret", place, sealed)).code == "BadSeal"
    assert refusal(keys, frames.Open("object", ["a", "b"], sealed)).code == "BadSeal"


def test_each_changed_byte_of_a_sealed_value_is_noticed() -> None:
    keys = service()
    sealed = result(keys, frames.Seal("secret", ["a"], b"value")).first
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        assert refusal(keys, frames.Open("secret", ["a"], changed)).code == "BadSeal"
        assert refusal(keys, frames.Open("secret", ["a"], sealed[:at])).code == "BadSeal"


def test_another_deployment_opens_nothing() -> None:
    mine, theirs = service(), service(seed=b"e")
    token = result(mine, frames.GenerateKey(KEY)).first
    sealed = result(mine, frames.Seal("secret", ["a"], b"value")).first
    assert refusal(theirs, frames.Encrypt(token, KEY, b"", {})).code == "BadSeal"
    assert refusal(theirs, frames.Open("secret", ["a"], sealed)).code == "BadSeal"


def test_a_newer_domain_key_seals_and_the_older_ones_still_open() -> None:
    before, after = service(versions=(1,)), service(versions=(1, 2))
    token = result(before, frames.GenerateKey(KEY)).first
    blob = result(before, frames.Encrypt(token, KEY, b"plain", {})).first
    sealed = result(before, frames.Seal("secret", ["a"], b"value")).first
    assert result(after, frames.Decrypt(token, KEY, blob, {})).first == b"plain"
    assert result(after, frames.Open("secret", ["a"], sealed)).first == b"value"
    newer = result(after, frames.Reseal(token, KEY, KEY.region)).first
    assert refusal(before, frames.Decrypt(newer, KEY, blob, {})).code == "BadSeal"
    assert result(service(versions=(1, 2)), frames.Decrypt(newer, KEY, blob, {})).first == b"plain"


def test_a_mac_stays_the_same_when_the_domain_key_rotates() -> None:
    before, after = service(versions=(1,)), service(versions=(1, 2))
    body = frames.Mac("bearer", b"token")
    assert result(before, body).first == result(after, body).first
    assert result(before, body).first != result(before, frames.Mac("row", b"token")).first


def test_the_domain_keys_name_their_newest() -> None:
    assert DomainKeys({1: bytes(32), 3: bytes(32)}, os.urandom).active == 3


def test_a_signing_key_is_the_one_that_a_client_derives() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # AWS's documentation: deriving the signing key
    keys = service()
    sealed = result(keys, frames.NewAccessKey("1", "AKIDEXAMPLE", secret)).first
    body = frames.SigningKey(sealed, "1", "AKIDEXAMPLE", "20150830", "us-east-1", "iam")
    key = b"AWS4" + secret.encode()
    for part in ("20150830", "us-east-1", "iam", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert result(keys, body).first == key
    other = frames.SigningKey(sealed, "2", "AKIDEXAMPLE", "20150830", "us-east-1", "iam")
    assert refusal(keys, other).code == "BadSeal"


def test_a_new_secret_access_key_is_as_long_as_awss_and_new_each_time() -> None:
    made = {result(service(), frames.NewAccessKey("1", "AKIA", None)).second for _ in range(3)}
    assert {len(secret) for secret in made} == {40}
    assert len(made) == 3


@pytest.mark.parametrize("secret", ["", "abc", "with\nnewline", "ümlaut-secret", "x" * 129])
def test_a_secret_access_key_that_clients_could_not_use_is_refused(secret: str) -> None:
    assert refusal(service(), frames.NewAccessKey("1", "AKIA", secret)).code == "KeyRefused"


@pytest.mark.parametrize("secret", ["test", "x" * 128])
def test_a_secret_access_key_may_be_as_short_as_test_doubles_have_it(secret: str) -> None:
    keys = service()
    sealed = result(keys, frames.NewAccessKey("000000000000", "test", secret)).first
    assert result(
        keys, frames.SigningKey(sealed, "000000000000", "test", "20150830", "us-east-1", "sts")
    ).first


def test_many_macs_are_the_same_as_one_by_one_however_many_frames_they_take(core: CoreClient) -> None:
    data = [str(number).encode() for number in range(600)] + [bytes(900_000), bytes(900_000)]
    macs = core.macs("row", data)
    assert len(set(macs)) == 601
    assert [macs[at] for at in (0, 255, 256, 599, 600)] == [
        core.mac("row", data[at]) for at in (0, 255, 256, 599, 600)
    ]
    assert core.macs("row", []) == []
    with pytest.raises(KeyRefused):
        core.macs("no such purpose", [b"x"])
