"""ACM asks by itself, as for a renewal: CreatePermission decides in its own account, PutPolicy for another's authority."""

import uuid
from datetime import timedelta

import pytest

from ca import IssueOrder, NotPermitted
from foundation.store import Scope
from kms.hsm import Asker
from tests.api.pca.acting import Hierarchy, hierarchy
from tests.api.pca.test_access import sharing
from tests.api.pca.test_refused import no_signature
from tests.ca.conftest import new_key
from tests.support.world import REGION, Caller, World

ACM = "acm.amazonaws.com"


@pytest.fixture(scope="module")
def owner(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.fixture(scope="module")
def made(owner: Caller) -> Hierarchy:
    return hierarchy(owner.client("acm-pca"))


def renewed(world: World, account: str, authority: str, by: str | None = ACM) -> str:
    """What the certificate authority does when ACM asks it by itself; the serial number."""
    order = IssueOrder(
        authority_arn=authority,
        public_key=new_key(),
        names=("host.example.com",),
        valid_for=timedelta(days=90),
        claim=str(uuid.uuid4()),
        by_service=by,
    )
    unit = world.worker.store.unit(Scope(account, REGION))
    return world.worker.ca_for(unit, Asker("job", ACM)).issue(order).serial


def permit(made: Hierarchy, *actions: str, **more: str) -> None:
    made.pca.create_permission(
        CertificateAuthorityArn=made.subordinate, Principal=ACM, Actions=list(actions), **more
    )


def withdraw(made: Hierarchy, **more: str) -> None:
    made.pca.delete_permission(CertificateAuthorityArn=made.subordinate, Principal=ACM, **more)


def test_acm_renews_with_a_permission_and_no_longer_once_it_is_withdrawn(
    shared_world: World, owner: Caller, made: Hierarchy
) -> None:
    with no_signature(shared_world), pytest.raises(NotPermitted, match="may not IssueCertificate"):
        renewed(shared_world, owner.account, made.subordinate)
    permit(made, "GetCertificate", "ListPermissions")
    with pytest.raises(NotPermitted):
        renewed(shared_world, owner.account, made.subordinate)
    withdraw(made)
    permit(made, "IssueCertificate")
    assert renewed(shared_world, owner.account, made.subordinate)
    withdraw(made)
    with no_signature(shared_world), pytest.raises(NotPermitted):
        renewed(shared_world, owner.account, made.subordinate)


def test_a_permission_is_acms_alone_and_of_one_source_account(
    shared_world: World, owner: Caller, made: Hierarchy
) -> None:
    other = shared_world.account()
    permit(made, "IssueCertificate", SourceAccount=other.account)
    with pytest.raises(NotPermitted):
        renewed(shared_world, owner.account, made.subordinate)
    with pytest.raises(NotPermitted):  # of another account, where a permission does not count
        renewed(shared_world, other.account, made.subordinate)
    withdraw(made, SourceAccount=other.account)
    permit(made, "IssueCertificate")
    with pytest.raises(NotPermitted):
        renewed(shared_world, owner.account, made.subordinate, by="s3.amazonaws.com")
    withdraw(made)


def test_what_the_account_asks_for_itself_needs_no_permission(
    shared_world: World, owner: Caller, made: Hierarchy
) -> None:
    assert renewed(shared_world, owner.account, made.subordinate, by=None)


def test_another_accounts_acm_uses_an_authority_by_its_policy(shared_world: World, made: Hierarchy) -> None:
    other = shared_world.account()
    with no_signature(shared_world), pytest.raises(NotPermitted):
        renewed(shared_world, other.account, made.subordinate)
    for actions, allowed in ((["acm-pca:GetCertificate"], False), (["acm-pca:IssueCertificate"], True)):
        policy = sharing(made.subordinate, other.account, *actions)
        made.pca.put_policy(ResourceArn=made.subordinate, Policy=policy)
        if allowed:
            assert renewed(shared_world, other.account, made.subordinate)
        else:
            with pytest.raises(NotPermitted):
                renewed(shared_world, other.account, made.subordinate)
    with pytest.raises(NotPermitted):  # a third account
        renewed(shared_world, shared_world.account().account, made.subordinate)
    made.pca.delete_policy(ResourceArn=made.subordinate)
    with pytest.raises(NotPermitted):
        renewed(shared_world, other.account, made.subordinate)


def test_an_authority_that_does_not_exist_is_not_told_apart(shared_world: World, made: Hierarchy) -> None:
    prefix = made.subordinate.rpartition("/")[0]
    with pytest.raises(NotPermitted):
        renewed(shared_world, shared_world.account().account, f"{prefix}/{uuid.uuid4()}")


def test_acm_needs_no_permission_for_the_deployments_own_hierarchy(
    shared_world: World, owner: Caller
) -> None:
    unit = shared_world.worker.store.unit(Scope(owner.account, REGION))
    arn = shared_world.worker.ca_for(unit, Asker("job", ACM)).deployment_hierarchy().arn
    assert renewed(shared_world, owner.account, arn)
