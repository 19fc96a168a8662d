"""GetCallerIdentity: whoever signs learns who they are."""

from typing import Any

from foundation.identity import Call, Sts, sts
from foundation.wire import Addressed, Codec
from tests.support.identity import administrator, powerless
from tests.support.trail import wire


def room(call: Call) -> Sts:
    """What the operation works with, of which it needs the call only."""
    nothing: Any = None
    return Sts(call, nothing, nothing, nothing, nothing)


def test_the_caller_learns_who_they_are() -> None:
    call = administrator()
    answer = sts.declared["GetCallerIdentity"].handler(room(call), {})
    assert answer == {
        "UserId": call.principal.principal_id,
        "Account": call.account,
        "Arn": call.principal.arn,
    }


def test_the_answer_is_the_query_protocols_xml() -> None:
    addressed = Addressed(service="sts", operation="GetCallerIdentity", codec=Codec.QUERY, signing_name="sts")
    answer = sts.declared["GetCallerIdentity"].handler(room(powerless()), {})
    body = wire().encode(addressed, answer, "the-request").body
    assert f"<Arn>{powerless().principal.arn}</Arn>".encode() in body
