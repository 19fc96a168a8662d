"""SigV4 as SECURITY 2.6 states it: botocore signs, keystead judges."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.identity import Accounts, Authenticator, NewAccount
from foundation.store import Store
from foundation.wire import (
    Addressed,
    AwsError,
    Codec,
    IncompleteSignature,
    MissingAuthenticationToken,
    Request,
    SignatureDoesNotMatch,
    UnrecognizedClient,
)
from tests.foundation.identity.conftest import ACM, Clock, recreate_admin
from tests.support.identity import ACCOUNT, REGION, OpenCore, signed
from tests.support.trail import wire

S3 = Addressed(service="s3", operation="GetObject", codec=Codec.QUERY, signing_name="s3")
STS = Addressed(service="sts", operation="GetCallerIdentity", codec=Codec.QUERY, signing_name="sts")

Change = Callable[[Request], Request]


def with_header(name: str, value: str) -> Change:
    return lambda request: replace(request, headers=(*request.headers, (name, value)))


def without_header(name: str) -> Change:
    return lambda request: replace(
        request, headers=tuple(pair for pair in request.headers if pair[0] != name)
    )


def changed_header(name: str, old: str, new: str) -> Change:
    """Replace by regular expression in a header's value."""

    def change(request: Request) -> Request:
        headers = tuple(
            (key, re.sub(old, new, value) if key == name else value) for key, value in request.headers
        )
        assert headers != request.headers
        return replace(request, headers=headers)

    return change


def changed_query(old: str, new: str) -> Change:
    def change(request: Request) -> Request:
        query = re.sub(old, new, request.query)
        assert query != request.query
        return replace(request, query=query)

    return change


def authorization(old: str, new: str) -> Change:
    return changed_header("authorization", old, new)


HEADER_REFUSALS: tuple[tuple[str, Change, type[AwsError]], ...] = (
    ("no signature", without_header("authorization"), MissingAuthenticationToken),
    ("two signatures", with_header("authorization", "AWS4-HMAC-SHA256 Credential=x"), IncompleteSignature),
    ("header and query", lambda request: replace(request, query="X-Amz-Signature=00"), IncompleteSignature),
    ("another scheme", authorization("^AWS4-HMAC-SHA256", "Bearer"), IncompleteSignature),
    ("SigV4A", authorization("^AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), IncompleteSignature),
    ("no credential", authorization("Credential=[^,]*, ", ""), IncompleteSignature),
    ("no signed headers", authorization("SignedHeaders=[^,]*, ", ""), IncompleteSignature),
    ("no signature part", authorization(", Signature=.*", ""), IncompleteSignature),
    ("empty signature", authorization("Signature=.*", "Signature="), IncompleteSignature),
    ("credential twice", authorization("(Credential=[^,]*)", r"\1, \1"), IncompleteSignature),
    ("unknown part", authorization("$", ", Extra=1"), IncompleteSignature),
    ("short scope", authorization("/aws4_request", ""), IncompleteSignature),
    ("other terminator", authorization("aws4_request", "aws5_request"), IncompleteSignature),
    ("key id of other letters", authorization("Credential=[^/]*", "Credential=AKIA é"), IncompleteSignature),
    ("short signature", authorization("Signature=..", "Signature="), IncompleteSignature),
    ("upper-case signature", authorization("Signature=.{64}", "Signature=" + "A" * 64), IncompleteSignature),
    ("signature beyond ASCII", authorization("Signature=.", "Signature=é"), IncompleteSignature),
    (
        "unsorted headers",
        authorization("SignedHeaders=host;x-amz-date", "SignedHeaders=x-amz-date;host"),
        IncompleteSignature,
    ),
    ("repeated headers", authorization("SignedHeaders=host", "SignedHeaders=host;host"), IncompleteSignature),
    ("odd header name", authorization("SignedHeaders=host", "SignedHeaders=ho st"), IncompleteSignature),
    ("no date", without_header("x-amz-date"), IncompleteSignature),
    ("two dates", with_header("x-amz-date", "20260101T000000Z"), IncompleteSignature),
    (
        "date of another form",
        changed_header("x-amz-date", "^.+$", "2026-01-01T00:00:00Z"),
        IncompleteSignature,
    ),
    ("impossible date", changed_header("x-amz-date", "^.+$", "20261341T000000Z"), IncompleteSignature),
    ("digits beyond ASCII", changed_header("x-amz-date", "^.", "٢"), IncompleteSignature),
    ("no host", without_header("host"), IncompleteSignature),
    ("two hosts", with_header("host", "elsewhere"), IncompleteSignature),
    ("host not signed", authorization("SignedHeaders=host;", "SignedHeaders="), SignatureDoesNotMatch),
    ("x-amz header not signed", with_header("x-amz-target", "CertificateManager.X"), SignatureDoesNotMatch),
    (
        "signed header absent",
        authorization("SignedHeaders=host", "SignedHeaders=accept;host"),
        SignatureDoesNotMatch,
    ),
    ("scope of another day", authorization("/2[0-9]{7}/", "/20010101/"), SignatureDoesNotMatch),
    ("scope of another region", authorization(REGION, "mars-north-1"), SignatureDoesNotMatch),
    ("scope of a region that was not signed for", authorization(REGION, "us-east-1"), SignatureDoesNotMatch),
    ("scope of another service", authorization("/acm/", "/kms/"), SignatureDoesNotMatch),
    ("wrong signature", authorization("Signature=.{64}", "Signature=" + "0" * 64), SignatureDoesNotMatch),
    ("changed body", lambda request: replace(request, body=b"{ }"), SignatureDoesNotMatch),
    ("changed method", lambda request: replace(request, method="PUT"), SignatureDoesNotMatch),
    ("changed path", lambda request: replace(request, path="/other"), SignatureDoesNotMatch),
    ("changed query", lambda request: replace(request, query="a=b"), SignatureDoesNotMatch),
    ("changed host", changed_header("host", "^.+$", "elsewhere"), SignatureDoesNotMatch),
    ("unknown key", authorization("Credential=[^/]*", "Credential=AKIAUNKNOWN000000000"), UnrecognizedClient),
)


def test_a_signed_call_names_its_caller(authenticator: Authenticator, account: NewAccount) -> None:
    call = authenticator.authenticate(
        signed(account, headers={"User-Agent": "Boto3/1"}), ACM, request_id="the-request"
    )
    assert call.principal.arn == f"arn:aws:iam::{ACCOUNT}:user/admin"
    assert call.principal.principal_id.startswith("AIDA")
    assert (call.account, call.region, call.service) == (ACCOUNT, REGION, "acm")
    assert (call.request_id, call.access_key_id) == ("the-request", account.access_key_id)
    assert (call.source_ip, call.user_agent) == ("192.0.2.7", "Boto3/1")


@pytest.mark.parametrize(
    ("name", "change", "error"), HEADER_REFUSALS, ids=[row[0] for row in HEADER_REFUSALS]
)
def test_a_signature_with_one_fault_is_refused(
    authenticator: Authenticator, account: NewAccount, name: str, change: Change, error: type[AwsError]
) -> None:
    request = change(signed(account, headers={"X-Amz-Meta": "1"}))
    with pytest.raises(AwsError) as refusal:
        authenticator.authenticate(request, ACM, request_id="r")
    assert type(refusal.value) is error


def test_a_wrong_secret_is_a_signature_that_does_not_match(
    authenticator: Authenticator, account: NewAccount
) -> None:
    with pytest.raises(SignatureDoesNotMatch, match="does not match the signature you provided"):
        authenticator.authenticate(signed(account, secret="not the secret of this key"), ACM, request_id="r")


@pytest.mark.parametrize(
    ("error_from", "codec", "code", "status"),
    [
        ("unknown key", Codec.JSON11, "UnrecognizedClientException", 400),
        ("unknown key", Codec.QUERY, "InvalidClientTokenId", 403),
        ("wrong signature", Codec.JSON11, "InvalidSignatureException", 400),
        ("wrong signature", Codec.QUERY, "SignatureDoesNotMatch", 403),
        ("no signature", Codec.JSON11, "MissingAuthenticationTokenException", 400),
        ("no signature", Codec.QUERY, "MissingAuthenticationToken", 403),
        ("no credential", Codec.JSON11, "IncompleteSignatureException", 400),
        ("no credential", Codec.QUERY, "IncompleteSignature", 400),
    ],
)
def test_refusals_have_the_codes_of_the_protocol(
    authenticator: Authenticator, account: NewAccount, error_from: str, codec: Codec, code: str, status: int
) -> None:
    addressed = ACM if codec is Codec.JSON11 else STS
    change = next(change for name, change, _ in HEADER_REFUSALS if name == error_from)
    with pytest.raises(AwsError) as refusal:
        authenticator.authenticate(
            change(signed(account, service=addressed.service)), addressed, request_id="r"
        )
    assert wire().error_code(addressed, refusal.value) == (code, status)


@pytest.mark.parametrize(
    ("off", "error"),
    [(299, None), (-299, None), (302, "Signature expired: "), (-302, "Signature not yet current: ")],
)
def test_a_signature_holds_for_five_minutes_around_its_date(
    authenticator: Authenticator, account: NewAccount, clock: Clock, off: int, error: str | None
) -> None:
    request = signed(account)
    clock.ahead = timedelta(seconds=off)
    if error is None:
        authenticator.authenticate(request, ACM, request_id="r")
        return
    with pytest.raises(SignatureDoesNotMatch, match=error):
        authenticator.authenticate(request, ACM, request_id="r")


@pytest.mark.parametrize("service", ["kms", "acm-pca", "sts"])
def test_a_signature_for_one_service_is_refused_by_another(
    authenticator: Authenticator, account: NewAccount, service: str
) -> None:
    with pytest.raises(SignatureDoesNotMatch, match="scoped to correct service: 'acm'"):
        authenticator.authenticate(signed(account, service=service), ACM, request_id="r")


def test_the_payload_hash_that_is_sent_must_be_that_of_the_body(
    authenticator: Authenticator, account: NewAccount
) -> None:
    request = signed(account, headers={"X-Amz-Content-SHA256": "0" * 64})
    with pytest.raises(SignatureDoesNotMatch, match="x-amz-content-sha256"):
        authenticator.authenticate(request, ACM, request_id="r")


@pytest.mark.parametrize(
    ("service", "url", "body", "taken"),
    [
        ("acm", "https://127.0.0.1/", b"{}", False),
        ("s3", "http://127.0.0.1/", b"{}", False),
        ("s3", "https://127.0.0.1/", b"{}", True),
        ("s3", "http://127.0.0.1/", b"", True),
    ],
)
def test_an_unsigned_payload_is_for_s3_over_tls(
    authenticator: Authenticator, account: NewAccount, service: str, url: str, body: bytes, taken: bool
) -> None:
    request = signed(
        account, service=service, url=url, body=body, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    )
    addressed = S3 if service == "s3" else ACM
    if taken:
        authenticator.authenticate(request, addressed, request_id="r")
        return
    with pytest.raises(SignatureDoesNotMatch, match="unsigned payload"):
        authenticator.authenticate(request, addressed, request_id="r")


def test_a_payload_hash_may_be_sent_once(authenticator: Authenticator, account: NewAccount) -> None:
    request = signed(account, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    with pytest.raises(IncompleteSignature, match="may not be repeated"):
        authenticator.authenticate(
            with_header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")(request), ACM, request_id="r"
        )


@pytest.mark.parametrize(
    "date", ["Thu, 01 Jan 2026 00:00:00 GMT", "20260101T000000Z", "Thu, 01 Jan 2026 00:00:00"]
)
def test_a_date_header_stands_in_for_x_amz_date(
    authenticator: Authenticator, account: NewAccount, date: str
) -> None:
    request = authorization("host;x-amz-date", "date;host")(without_header("x-amz-date")(signed(account)))
    with pytest.raises(SignatureDoesNotMatch, match="'20260101', from '20260101T000000Z'"):
        authenticator.authenticate(with_header("date", date)(request), ACM, request_id="r")


def test_a_date_header_that_is_no_date_is_refused(authenticator: Authenticator, account: NewAccount) -> None:
    request = with_header("date", "yesterday")(without_header("x-amz-date")(signed(account)))
    with pytest.raises(IncompleteSignature, match="is not a date"):
        authenticator.authenticate(request, ACM, request_id="r")


def test_botocore_signs_a_request_that_has_a_date_header(
    authenticator: Authenticator, account: NewAccount
) -> None:
    request = signed(account, headers={"Date": "whatever botocore puts here"})
    assert not request.all("x-amz-date")
    authenticator.authenticate(request, ACM, request_id="r")


def test_a_session_token_is_not_one_of_ours(authenticator: Authenticator, account: NewAccount) -> None:
    request = signed(account, headers={"X-Amz-Security-Token": "a token"})
    with pytest.raises(UnrecognizedClient):
        authenticator.authenticate(request, ACM, request_id="r")


PRESIGNED_REFUSALS: tuple[tuple[str, Change, type[AwsError]], ...] = (
    ("other algorithm", changed_query("AWS4-HMAC-SHA256", "AWS4-HMAC-MD5"), IncompleteSignature),
    ("no credential", changed_query("X-Amz-Credential=[^&]*&", ""), IncompleteSignature),
    ("no date", changed_query("X-Amz-Date=[^&]*&", ""), IncompleteSignature),
    ("no expiry", changed_query("X-Amz-Expires=[^&]*&", ""), IncompleteSignature),
    ("no signature", changed_query("X-Amz-Signature=[^&]*", ""), IncompleteSignature),
    ("two signatures", changed_query("$", "&X-Amz-Signature=00"), IncompleteSignature),
    ("no lifetime", changed_query("X-Amz-Expires=[0-9]+", "X-Amz-Expires=0"), IncompleteSignature),
    ("more than 7 days", changed_query("X-Amz-Expires=[0-9]+", "X-Amz-Expires=604801"), IncompleteSignature),
    ("negative lifetime", changed_query("X-Amz-Expires=[0-9]+", "X-Amz-Expires=-1"), IncompleteSignature),
    (
        "date past the calendar",
        changed_query("X-Amz-Date=[^&]*", "X-Amz-Date=99991231T235959Z"),
        SignatureDoesNotMatch,
    ),
    ("longer than signed", changed_query("X-Amz-Expires=[0-9]+", "X-Amz-Expires=901"), SignatureDoesNotMatch),
    ("another parameter", changed_query("$", "&a=b"), SignatureDoesNotMatch),
    ("session token", changed_query("$", "&X-Amz-Security-Token=b"), UnrecognizedClient),
    ("a body", lambda request: replace(request, body=b"{}"), SignatureDoesNotMatch),
    ("x-amz header not signed", with_header("x-amz-target", "CertificateManager.X"), SignatureDoesNotMatch),
)


def presigned(account: NewAccount, expires: int = 900) -> Request:
    return signed(
        account, method="GET", url="http://127.0.0.1:7000/?Action=X&Version=Y", body=b"", presign=expires
    )


@pytest.mark.parametrize(
    ("name", "change", "error"), PRESIGNED_REFUSALS, ids=[row[0] for row in PRESIGNED_REFUSALS]
)
def test_a_presigned_request_with_one_fault_is_refused(
    authenticator: Authenticator, account: NewAccount, name: str, change: Change, error: type[AwsError]
) -> None:
    with pytest.raises(AwsError) as refusal:
        authenticator.authenticate(change(presigned(account)), ACM, request_id="r")
    assert type(refusal.value) is error


@pytest.mark.parametrize(
    ("expires", "off", "taken"),
    [
        (900, 890, True),
        (900, 902, False),
        (604800, 604790, True),
        (604800, 604802, False),
        (900, -299, True),
        (900, -302, False),
    ],
)
def test_a_presigned_request_lives_as_long_as_it_says(
    authenticator: Authenticator, account: NewAccount, clock: Clock, expires: int, off: int, taken: bool
) -> None:
    request = presigned(account, expires)
    clock.ahead = timedelta(seconds=off)
    if taken:
        authenticator.authenticate(request, ACM, request_id="r")
        return
    with pytest.raises(SignatureDoesNotMatch, match=r"Signature (expired|not yet current)"):
        authenticator.authenticate(request, ACM, request_id="r")


def test_a_disabled_key_is_refused_at_once_and_an_enabled_one_taken_again(
    authenticator: Authenticator, accounts: Accounts, account: NewAccount
) -> None:
    authenticator.authenticate(signed(account), ACM, request_id="r")
    accounts.set_access_key_active(account.access_key_id, active=False)
    with pytest.raises(UnrecognizedClient):
        authenticator.authenticate(signed(account), ACM, request_id="r")
    accounts.set_access_key_active(account.access_key_id, active=True)
    authenticator.authenticate(signed(account), ACM, request_id="r")


def test_a_key_of_a_deleted_user_is_refused_even_when_the_name_comes_back(
    authenticator: Authenticator, account: NewAccount, store: Store, core: OpenCore
) -> None:
    authenticator.authenticate(signed(account), ACM, request_id="r")
    recreate_admin(store, core)
    with pytest.raises(UnrecognizedClient):
        authenticator.authenticate(signed(account), ACM, request_id="r")


def test_strangers_key_ids_do_not_fill_the_memory(
    authenticator: Authenticator, account: NewAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.identity.keyring.MOST_CACHED", 10)
    for number in range(25):
        stranger = NewAccount(ACCOUNT, f"AKIASTRANGER{number:08}", "a secret of their own", "")
        with pytest.raises(UnrecognizedClient):
            authenticator.authenticate(signed(stranger), ACM, request_id="r")
    assert len(authenticator._keyring._cache.holders) <= 10
    authenticator.authenticate(signed(account), ACM, request_id="r")


def test_a_key_that_was_asked_for_before_it_existed_is_found_once_it_does(
    authenticator: Authenticator, accounts: Accounts
) -> None:
    stranger = NewAccount("444455556666", "AKIANOTYETTHERE00001", "some-secret-or-other", "")
    with pytest.raises(UnrecognizedClient):
        authenticator.authenticate(signed(stranger), ACM, request_id="r")
    made = accounts.create(stranger.account_id, stranger.access_key_id, stranger.secret_access_key)
    assert authenticator.authenticate(signed(made), ACM, request_id="r").account == stranger.account_id


def test_a_signing_key_is_derived_once_a_day_for_each_region_and_service(
    authenticator: Authenticator, account: NewAccount, core: OpenCore, clock: Clock
) -> None:
    request = presigned(account, 604800)
    for _ in range(3):
        authenticator.authenticate(request, ACM, request_id="r")
    assert len(core.derived) == 1
    authenticator.authenticate(signed(account, region="us-east-1"), ACM, request_id="r")
    assert len(core.derived) == 2
    clock.ahead = timedelta(days=1, minutes=1)
    authenticator.authenticate(request, ACM, request_id="r")
    assert len(core.derived) == 3


header_names = st.from_regex(r"x-(amz-meta|own)-[a-z]{1,8}", fullmatch=True)
header_values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
segments = st.one_of(
    st.sampled_from(["", ".", "..", "%20", "a%2Fb"]),
    st.text(max_size=8).map(lambda text: quote(text, safe="!$&'()*+,;=:@")),
)
paths = st.lists(segments, max_size=5).map(lambda parts: "/" + "/".join(parts))
queries = st.lists(
    st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)).map(
        lambda pair: f"{quote(pair[0], safe='-_.~')}={quote(pair[1], safe='-_.~')}"
    ),
    max_size=5,
).map("&".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=paths,
    query=queries,
    headers=st.dictionaries(header_names, header_values, max_size=4),
    body=st.binary(max_size=64),
)
def test_whatever_botocore_signs_is_accepted_and_no_other_body(
    authenticator: Authenticator,
    account: NewAccount,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    request = signed(
        account, method=method, url=f"http://127.0.0.1:7000{path}?{query}", headers=headers, body=body
    )
    authenticator.authenticate(request, ACM, request_id="r")
    with pytest.raises(SignatureDoesNotMatch):
        authenticator.authenticate(replace(request, body=body + b" "), ACM, request_id="r")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=paths,
    query=st.dictionaries(st.text("abcdefgXYZ -~é", min_size=1, max_size=6), st.text(max_size=8), max_size=4),
)
def test_whatever_botocore_presigns_is_accepted_and_no_other_path(
    authenticator: Authenticator, account: NewAccount, path: str, query: dict[str, str]
) -> None:
    text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    request = signed(account, method="GET", url=f"https://127.0.0.1:7000{path}?{text}", body=b"", presign=60)
    authenticator.authenticate(request, ACM, request_id="r")
    with pytest.raises(SignatureDoesNotMatch):
        authenticator.authenticate(replace(request, path=request.path + "x"), ACM, request_id="r")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.text(max_size=200), query=st.text(max_size=200))
def test_a_made_up_signature_is_always_a_refusal(
    authenticator: Authenticator, account: NewAccount, header: str, query: str
) -> None:
    request = signed(account)
    for forged in (
        replace(request, headers=(("host", "h"), ("authorization", "AWS4-HMAC-SHA256 " + header))),
        replace(
            request,
            headers=(("host", "h"),),
            query=f"X-Amz-Signature={query}&X-Amz-Algorithm=AWS4-HMAC-SHA256",
        ),
    ):
        with pytest.raises(AwsError):
            authenticator.authenticate(forged, ACM, request_id="r")


@pytest.mark.parametrize("tokens", [("",), ("one", "two")], ids=["empty", "two"])
def test_a_session_token_is_given_once_and_not_empty(
    authenticator: Authenticator, account: NewAccount, tokens: tuple[str, ...]
) -> None:
    request = signed(account)
    headers = (*request.headers, *(("x-amz-security-token", token) for token in tokens))
    with pytest.raises(IncompleteSignature, match="Security-Token"):
        authenticator.authenticate(replace(request, headers=headers), ACM, request_id="r")
