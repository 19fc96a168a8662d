"""Identity and trail over the real key core: sealed secrets, derived keys, records in the core's own chain."""

import os
from datetime import UTC, datetime
from pathlib import Path

from foundation.identity import Accounts, Authenticator, Bearer
from foundation.store import Store
from foundation.trail import Lookup, Recorder, Shipper, TrailIndex, cloudtrail, verify_trail
from foundation.wire import Addressed, BadToken, Codec, Request
from kms.hsm import CoreClient, SealOverCore
from tests.support.core import RunningCore
from tests.support.identity import REGION, signed
from tests.support.trail import wire

LIST = Addressed(service="acm", operation="ListCertificates", codec=Codec.JSON11, signing_name="acm")


def wall() -> datetime:
    return datetime.now(UTC)


def test_a_signed_call_is_known_recorded_shipped_and_found(
    store: Store, core: CoreClient, running_core: RunningCore, tmp_path: Path
) -> None:
    account = Accounts(store, core, os.urandom, wall).create()
    call = Authenticator(store, core, wall, {REGION}).authenticate(signed(account), LIST, request_id="r")
    recorder = Recorder(core, wire().redacted, wall, wall, os.urandom)
    drafts = [recorder.draft(call, "ListCertificates", {"MaxItems": number}) for number in range(1, 4)]
    for draft in drafts:
        recorder.record(recorder.succeeded(draft, {"CertificateSummaryList": []}))
    index = TrailIndex(tmp_path / "trail-index.db")
    Shipper(running_core.trail, index).ship()
    found = cloudtrail.declared["LookupEvents"].handler(Lookup(index, call, SealOverCore(core, BadToken)), {})
    index.close()
    assert [event["EventId"] for event in found["Events"]] == [draft.event_id for draft in reversed(drafts)]
    assert verify_trail(running_core.trail).kinds["event"] >= 3


def test_a_bearer_token_is_found_by_the_cores_mac(store: Store, core: CoreClient) -> None:
    accounts = Accounts(store, core, os.urandom, wall)
    bearer = Bearer(store, core, accounts, os.urandom, wall, REGION)
    made = bearer.create(accounts.create().admin_arn)
    headers = (("authorization", f"Bearer {made.token}"),)
    call = bearer.authenticate(Request("GET", "/v1/x", "", headers, b""), request_id="r")
    assert call.principal.arn == made.principal_arn


def test_no_secret_access_key_is_in_the_database_or_the_trail(
    store: Store, core: CoreClient, running_core: RunningCore, tmp_path: Path
) -> None:
    marker = "planted-secret-access-key-marker-0001"
    account = Accounts(store, core, os.urandom, wall).create(secret=marker)
    Authenticator(store, core, wall, {REGION}).authenticate(signed(account), LIST, request_id="r")
    assert account.secret_access_key == marker
    files = [path for path in (*tmp_path.iterdir(), *running_core.trail.iterdir()) if path.is_file()]
    assert files
    assert not [path for path in files if marker.encode() in path.read_bytes()]
