"""The authorization seam: an administrator everything at home, nobody anything elsewhere."""

from datetime import UTC, datetime
from typing import Literal

import pytest

from foundation.identity import (
    ADMINISTRATOR_ACCESS,
    Call,
    Principal,
    Resource,
    account_resource,
    authorize,
    decide,
    operator_call,
    service_call,
)
from foundation.wire import AccessDenied
from tests.support.identity import ACCOUNT, OTHER_ACCOUNT, administrator, powerless

CERTIFICATE = f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/1"


def root() -> Call:
    principal = Principal(
        account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root", principal_id=ACCOUNT, kind="root", name="root"
    )
    return administrator().__class__(principal, ACCOUNT, "eu-central-1", "acm", "r", datetime.now(UTC))


def of_kind(kind: Literal["service", "operator"]) -> Call:
    make = service_call if kind == "service" else None
    at = datetime.now(UTC)
    if make is not None:
        return make("acm", account=ACCOUNT, region="eu-central-1", request_id="r", at=at)
    return operator_call(account=ACCOUNT, region="eu-central-1", request_id="r", at=at)


CELLS = (
    ("root at home", root(), ACCOUNT, True),
    ("root elsewhere", root(), OTHER_ACCOUNT, False),
    ("administrator at home", administrator(), ACCOUNT, True),
    ("administrator elsewhere", administrator(), OTHER_ACCOUNT, False),
    ("user without policy at home", powerless(), ACCOUNT, False),
    ("user without policy elsewhere", powerless(), OTHER_ACCOUNT, False),
    ("service at home", of_kind("service"), ACCOUNT, False),
    ("operator at home", of_kind("operator"), ACCOUNT, False),
)


@pytest.mark.parametrize(("name", "call", "owner", "allowed"), CELLS, ids=[cell[0] for cell in CELLS])
def test_each_caller_may_what_the_table_says(name: str, call: Call, owner: str, allowed: bool) -> None:
    resource = Resource(arn=CERTIFICATE, account=owner)
    assert decide(call, "acm:DescribeCertificate", resource).allowed is allowed
    if allowed:
        assert authorize(call, "acm:DescribeCertificate", resource).allowed
        return
    with pytest.raises(AccessDenied):
        authorize(call, "acm:DescribeCertificate", resource)


def test_a_denial_has_aws_words() -> None:
    with pytest.raises(AccessDenied) as denial:
        authorize(powerless(), "acm:DescribeCertificate", Resource(arn=CERTIFICATE, account=ACCOUNT))
    assert denial.value.message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: acm:DescribeCertificate on resource: "
        f"{CERTIFICATE} because no identity-based policy allows the acm:DescribeCertificate action"
    )


def test_a_policy_gives_nothing_to_a_service_that_somehow_holds_it() -> None:
    principal = Principal(
        ACCOUNT, "acm.amazonaws.com", "acm", "service", "acm", policies=(ADMINISTRATOR_ACCESS,)
    )
    call = service_call("acm", account=ACCOUNT, region="eu-central-1", request_id="r", at=datetime.now(UTC))
    with pytest.raises(AccessDenied):
        authorize(Call(principal, ACCOUNT, call.region, "acm", "r", call.at), "acm:X", account_resource(call))


def test_a_call_made_for_a_caller_keeps_the_caller() -> None:
    inner = administrator().via("acm", source_arn=CERTIFICATE)
    assert inner.principal == administrator().principal
    assert (inner.via_service, inner.source_arn) == ("acm", CERTIFICATE)
    assert inner.asker == (inner.request_id, f"arn:aws:iam::{ACCOUNT}:user/admin")
