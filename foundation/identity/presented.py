"""Reading the SigV4 signature that a request presents, in its Authorization header or in its query.

Source: AWS General Reference, "Authentication methods". Nothing is trusted yet: this says what is claimed.
Raises IncompleteSignature for a part that is missing, repeated or malformed, and MissingAuthenticationToken
when nothing is presented at all.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import unquote

import msgspec

from foundation.identity.canonical import ALGORITHM
from foundation.wire import IncompleteSignature, MissingAuthenticationToken, Request

__all__ = ["MOST_EXPIRES", "Claim", "Presented", "read_signature"]

MOST_EXPIRES = timedelta(days=7)
TERMINATOR = "aws4_request"
_NO_DATE = "The date of the signature is not a date."
_HEADER_PARTS = ("Credential", "SignedHeaders", "Signature")
_QUERY_PARTS = ("X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")
_BASIC_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")  # a token of RFC 9110 5.6.2, in lower case
_ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9_]{1,128}")


LONGEST_KEPT = 512
"""Characters of a header whose reading is remembered; a client's are shorter, a stranger's may be of any length."""


class Claim(msgspec.Struct, frozen=True):
    """With what a signature says that it was made: the same for all requests of one client on one day.

    `scope` is the credential scope without the key id.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    scope: str
    signed_headers: tuple[str, ...]
    signed: frozenset[str]


class Presented(msgspec.Struct, frozen=True):
    """A signature as presented. `expires` is None in a header, and a presigned query's lifetime otherwise.

    `token` is the session token, "" when there is none.
    """

    claim: Claim
    timestamp: str
    at: datetime
    signature: str
    expires: timedelta | None
    token: str


def read_signature(request: Request) -> Presented:
    """Read the one signature that the request presents."""
    headers = request.all("authorization")
    query = _query_parameters(request.query)
    presigned = "X-Amz-Algorithm" in query or "X-Amz-Signature" in query
    if not headers and not presigned:
        raise MissingAuthenticationToken("Missing Authentication Token")
    if len(headers) + presigned > 1:
        raise IncompleteSignature(
            "Only one signature may be presented: one Authorization header, or one in the query."
        )
    if presigned:
        return _from_query(request, query)
    return _from_header(request, headers[0])


def _from_header(request: Request, authorization: str) -> Presented:
    claim, signature = _known(authorization)
    if claim is None:
        return _read_header(request, authorization)
    missing: list[str] = []
    timestamp, at = _header_date(request, missing)
    if missing:
        raise IncompleteSignature(" ".join(missing))
    token = _token(request.all("x-amz-security-token"))
    return Presented(claim, timestamp, at, signature, None, token)


def _known(authorization: str) -> tuple[Claim | None, str]:
    """The claim of a well-formed header that ends in its signature, as clients write it: read once, then known."""
    head, _, signature = authorization.rpartition("Signature=")
    if len(head) > LONGEST_KEPT or not _SIGNATURE.fullmatch(signature):
        return None, ""
    return _claim_before(head), signature


@lru_cache(maxsize=4096)
def _claim_before(head: str) -> Claim | None:
    """The claim that stands before a header's signature; None for what `_read_header` has to refuse in its words."""
    algorithm, _, rest = head.strip().partition(" ")
    *items, last = [item.strip().partition("=") for item in rest.split(",")]
    if algorithm != ALGORITHM or any(last) or [name for name, *_ in items] != [*_HEADER_PARTS[:2]]:
        return None
    try:
        return _claim(*[value for *_, value in items])
    except IncompleteSignature:
        return None


def _read_header(request: Request, authorization: str) -> Presented:
    """Any header, whole: whatever is wrong with it is said."""
    algorithm, _, rest = authorization.strip().partition(" ")
    if algorithm != ALGORITHM:
        raise IncompleteSignature(f"The Authorization header must begin with '{ALGORITHM}'.")
    parts: dict[str, str] = {}
    for item in rest.split(","):
        name, _, value = item.strip().partition("=")
        if name in parts or name not in _HEADER_PARTS:
            raise IncompleteSignature("The Authorization header repeats a parameter or has an unknown one.")
        parts[name] = value
    missing = [
        f"Authorization header requires '{name}' parameter." for name in _HEADER_PARTS if not parts.get(name)
    ]
    timestamp, at = _header_date(request, missing)
    if missing:
        raise IncompleteSignature(" ".join(missing))
    return _presented(
        parts["Credential"],
        parts["SignedHeaders"],
        parts["Signature"],
        timestamp,
        at,
        token=_token(request.all("x-amz-security-token")),
    )


def _from_query(request: Request, query: dict[str, list[str]]) -> Presented:
    if query.get("X-Amz-Algorithm") != [ALGORITHM]:
        raise IncompleteSignature(f"X-Amz-Algorithm must be given once, as '{ALGORITHM}'.")
    wrong = [
        f"AWS query-string parameters must include '{name}' once."
        for name in _QUERY_PARTS
        if not _once(query, name)
    ]
    if wrong:
        raise IncompleteSignature(" ".join(wrong))
    credential, date, expires, names, signature = (query[name][0] for name in _QUERY_PARTS)
    if not re.fullmatch(r"[0-9]{1,6}", expires) or not 1 <= int(expires) <= MOST_EXPIRES.total_seconds():
        raise IncompleteSignature("X-Amz-Expires must be a number of seconds between 1 and 604800.")
    return _presented(
        credential,
        names,
        signature,
        date,
        _basic_date(date),
        expires=timedelta(seconds=int(expires)),
        token=_token((*query.get("X-Amz-Security-Token", ()), *request.all("x-amz-security-token"))),
    )


def _presented(
    credential: str,
    names: str,
    signature: str,
    timestamp: str,
    at: datetime,
    *,
    expires: timedelta | None = None,
    token: str,
) -> Presented:
    claim = _claim(credential, names)
    if not _SIGNATURE.fullmatch(signature):
        raise IncompleteSignature("Signature must be 64 hexadecimal digits in lower case.")
    return Presented(claim, timestamp, at, signature, expires, token)


def _claim(credential: str, names: str) -> Claim:
    parts = credential.split("/")
    if len(parts) != 5:
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term."
        )
    access_key_id, date, region, service, terminator = parts
    if not _ACCESS_KEY_ID.fullmatch(access_key_id):
        raise IncompleteSignature("The access key ID in Credential is not one.")
    if terminator != TERMINATOR:
        raise IncompleteSignature(f"Credential should be scoped with a valid terminator: '{TERMINATOR}'.")
    signed = tuple(names.split(";"))
    if list(signed) != sorted(set(signed)) or not all(map(_HEADER_NAME.fullmatch, signed)):
        raise IncompleteSignature("SignedHeaders must be lower-case header names, sorted, each once.")
    scope = f"{date}/{region}/{service}/{TERMINATOR}"
    return Claim(access_key_id, date, region, service, scope, signed, frozenset(signed))


def _token(values: tuple[str, ...]) -> str:
    if len(values) > 1 or values == ("",):
        raise IncompleteSignature("X-Amz-Security-Token may be given once, and not empty.")
    return values[0] if values else ""


def _header_date(request: Request, missing: list[str]) -> tuple[str, datetime]:
    """Read X-Amz-Date or, without one, Date (ISO 8601 basic, or RFC 9110's form); note the lack of both."""
    for name in ("x-amz-date", "date"):
        values = request.all(name)
        if len(values) > 1:
            raise IncompleteSignature(f"The header {name} may not be repeated.")
        if values and (name == "x-amz-date" or _BASIC_DATE.fullmatch(values[0])):
            return values[0], _basic_date(values[0])
        if values:
            at = _http_date(values[0])
            return at.strftime("%Y%m%dT%H%M%SZ"), at
    missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    return "", datetime.min.replace(tzinfo=UTC)


@lru_cache(maxsize=1024)
def _basic_date(text: str) -> datetime:
    if not _BASIC_DATE.fullmatch(text):
        raise IncompleteSignature("Date must be in ISO-8601 'basic format', for instance 20260131T120000Z.")
    day, time = int(text[:8]), int(text[9:15])  # strptime would take ten times as long
    try:
        return datetime(
            day // 10_000,
            day // 100 % 100,
            day % 100,
            time // 10_000,
            time // 100 % 100,
            time % 100,
            tzinfo=UTC,
        )
    except ValueError as error:
        raise IncompleteSignature(_NO_DATE) from error


def _http_date(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
        # A date without a zone is read as UTC: astimezone() would take the host's.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise IncompleteSignature(_NO_DATE) from error


def _query_parameters(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if "X-Amz-" in query or "%" in query:
        for part in query.split("&"):
            name, _, value = part.partition("=")
            found.setdefault(unquote(name), []).append(unquote(value))
    return found


def _once(query: dict[str, list[str]], name: str) -> bool:
    values = query.get(name, [])
    return len(values) == 1 and bool(values[0])
