"""SigV4: who signed this request, judged on its raw bytes before the body is parsed (SECURITY 2.6)."""

import hashlib
import hmac
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final, Protocol

from foundation.identity.calls import Call, Principal
from foundation.identity.canonical import canonical_request, string_to_sign
from foundation.identity.keyring import Keyring, SigningKeys
from foundation.identity.presented import Presented, read_signature
from foundation.identity.principals import Principals
from foundation.identity.records import RowMac
from foundation.identity.sessions import Sessions
from foundation.store import Store
from foundation.wire import Addressed, IncompleteSignature, Request, SignatureDoesNotMatch, UnrecognizedClient

__all__ = ["SKEW", "Authenticator"]

SKEW = timedelta(minutes=5)
GLOBAL_SERVICES: Final = frozenset({"iam"})
"""Services without regions: their clients sign for whatever region they were given."""
HOME: Final = "us-east-1"
"""Where the calls of those take place."""
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_UNKNOWN = "The security token included in the request is invalid."


class Keys(SigningKeys, RowMac, Protocol):
    """The key core, as far as authentication needs it."""


class Authenticator:
    """Turns a signed request into a Call. Thread-safe; `regions` are the regions that this deployment serves.

    `sessions` opens the tokens of temporary credentials; without it they are not taken.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys,
        wall: Callable[[], datetime],
        regions: Collection[str],
        *,
        principals: Principals | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        self._keyring = Keyring(store, keys, wall, principals or Principals(store, keys), sessions)
        self._wall = wall
        self._regions = frozenset(regions)

    def authenticate(self, request: Request, addressed: Addressed, *, request_id: str) -> Call:
        """Verify the request's signature for the addressed service, over the body exactly as it was read.

        Raises MissingAuthenticationToken, IncompleteSignature, SignatureDoesNotMatch (also for a date or scope
        that does not fit), UnrecognizedClient (key unknown or disabled, token not ours) or ExpiredToken. The wire gives each the protocol's code.
        """
        presented = read_signature(request)
        now = self._wall()
        s3 = addressed.signing_name == "s3"
        _check_signed_headers(request, presented)
        payload_hash = _payload_hash(request, presented, s3=s3)
        claim = presented.claim
        self._check_scope(presented, addressed)
        _check_time(presented, now)
        expected = string_to_sign(
            presented.timestamp,
            claim.scope,
            canonical_request(
                method=request.method,
                path=request.path,
                query=request.query,
                headers=request.named(),
                signed_headers=claim.signed_headers,
                payload_hash=payload_hash,
                s3=s3,
            ),
        )
        principal = self._verify(presented, expected)
        return Call(
            principal=principal,
            account=principal.account,
            region=HOME if addressed.signing_name in GLOBAL_SERVICES else claim.region,
            service=addressed.service,
            request_id=request_id,
            at=now,
            source_ip=request.source_ip,
            user_agent=", ".join(request.all("user-agent")),
            access_key_id=claim.access_key_id,
            secure=request.secure,
        )

    def _verify(self, presented: Presented, to_sign: bytes) -> Principal:
        claim = presented.claim
        holder, sign = self._keyring.look_up(
            claim.access_key_id, presented.token, claim.date, claim.region, claim.service
        )
        # An unknown key costs the same HMAC and comparison as a known one.
        same = hmac.compare_digest(sign(to_sign), presented.signature)
        if holder is None:
            raise UnrecognizedClient(_UNKNOWN)
        if not same:
            raise SignatureDoesNotMatch(_MISMATCH)
        return holder.principal

    def _check_scope(self, presented: Presented, addressed: Addressed) -> None:
        claim = presented.claim
        if claim.date != presented.timestamp[:8]:
            raise SignatureDoesNotMatch(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{claim.date[:16]}' != '{presented.timestamp[:8]}', from '{presented.timestamp}'."
            )
        if claim.region not in self._regions and addressed.signing_name not in GLOBAL_SERVICES:
            raise SignatureDoesNotMatch("Credential should be scoped to a valid region.")
        if claim.service != addressed.signing_name:
            raise SignatureDoesNotMatch(
                f"Credential should be scoped to correct service: '{addressed.signing_name}'."
            )


def _check_signed_headers(request: Request, presented: Presented) -> None:
    signed, sent = presented.claim.signed, request.named()
    if len(sent.get("host", ())) != 1:
        raise IncompleteSignature("The request must have exactly one Host header.")
    if "host" not in signed:
        raise SignatureDoesNotMatch("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    unsigned = [name for name in sent if name not in signed and name.startswith("x-amz-")]
    if unsigned:
        raise SignatureDoesNotMatch(
            f"There were headers present in the request which were not signed: {', '.join(sorted(unsigned))[:256]}"
        )
    if not signed <= sent.keys():
        raise SignatureDoesNotMatch("A header that SignedHeaders names is not in the request.")


def _check_time(presented: Presented, now: datetime) -> None:
    """Refuse a signature from more than 5 minutes ahead, or that is older than 5 minutes or its X-Amz-Expires."""
    stamp = presented.timestamp
    if presented.at - now > SKEW:
        raise SignatureDoesNotMatch(
            f"Signature not yet current: {stamp} is still later than {_basic(now + SKEW)} ({_basic(now)} + 5 min.)"
        )
    age = now - presented.at
    if presented.expires is not None and age > presented.expires:
        raise SignatureDoesNotMatch(
            f"Signature expired: {stamp} with X-Amz-Expires {presented.expires.total_seconds():.0f} is over at {_basic(now)}"
        )
    if presented.expires is None and age > SKEW:
        raise SignatureDoesNotMatch(
            f"Signature expired: {stamp} is now earlier than {_basic(now - SKEW)} ({_basic(now)} - 5 min.)"
        )


def _payload_hash(request: Request, presented: Presented, *, s3: bool) -> str:
    """Return the hash that the canonical request ends with, after comparing what is claimed with the body read."""
    claimed = request.all("x-amz-content-sha256")
    if len(claimed) > 1:
        raise IncompleteSignature("The header x-amz-content-sha256 may not be repeated.")
    unsigned = claimed == (UNSIGNED_PAYLOAD,) or (s3 and not claimed and presented.expires is not None)
    if unsigned:
        if not s3 or (request.body and not request.secure):
            raise SignatureDoesNotMatch("Only S3 takes an unsigned payload, and with a body only over TLS.")
        return UNSIGNED_PAYLOAD
    actual = hashlib.sha256(request.body).hexdigest()
    if claimed and claimed[0] != actual:
        raise SignatureDoesNotMatch(
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        )
    return actual


def _basic(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")
