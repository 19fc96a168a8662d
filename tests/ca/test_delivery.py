"""CRLs in buckets: the number there never stays behind the one that is served, whoever's put lands last."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ca import AuthorityView, FolderSink
from ca.errors import SinkUnavailable
from ca.shards import CRL_JOB
from foundation.store import Claim, LostClaim
from tests.ca.conftest import World
from tests.ca.test_partitions import WEEK, configure
from tests.ca.test_revocation import number, published

LEASE = timedelta(seconds=30)


class Interrupted(FolderSink):
    """Something happens, once, while the first object is on its way."""

    def __init__(self, root: Path, meanwhile: Callable[[], None]) -> None:
        super().__init__(root)
        self._meanwhile: Callable[[], None] | None = meanwhile

    def put(self, *where: Any, **how: Any) -> None:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
        super().put(*where, **how)


def delivering(world: World, root: Path) -> AuthorityView:
    (root / "crls").mkdir()
    _, authority = world.service().init()
    world.run_due()
    world.sink = FolderSink(root)
    configure(world, authority, S3BucketName="crls")
    world.run_due()
    world.time += WEEK / 2
    return authority


def due(world: World, authority: AuthorityView) -> Claim:
    claims = world.store.claim_due(CRL_JOB, world.time, LEASE, 10)
    return next(claim for claim in claims if claim.subject == authority.id)


def in_bucket(root: Path, authority: AuthorityView) -> int:
    path = root / "crls" / "crl" / f"{authority.id}.crl"
    return number(x509.load_der_x509_crl(path.read_bytes()))


def test_an_older_list_whose_put_outlasted_its_claim_does_not_stay_in_the_bucket(
    world: World, tmp_path: Path
) -> None:
    authority = delivering(world, tmp_path)
    late = due(world, authority)
    between: list[int] = []

    def another_publishes() -> None:
        world.sink = FolderSink(tmp_path)
        world.store.fail_claim(late, "taken over", world.time)
        world.run_due()
        between.append(in_bucket(tmp_path, authority))

    world.sink = Interrupted(tmp_path, another_publishes)
    with pytest.raises(LostClaim):
        world.service().republish(late)
    newest = number(published(world, authority))
    assert between == [newest]
    assert in_bucket(tmp_path, authority) == newest


def test_a_process_that_dies_before_its_put_leaves_the_work_to_be_done_again(
    quick_world: World, tmp_path: Path
) -> None:
    class Died(BaseException):
        """Nothing after it runs."""

    def die() -> None:
        raise Died

    world = quick_world
    authority = delivering(world, tmp_path)
    claim = due(world, authority)
    world.sink = Interrupted(tmp_path, die)
    with pytest.raises(Died):
        world.service().republish(claim)
    assert in_bucket(tmp_path, authority) < number(published(world, authority))
    world.sink = FolderSink(tmp_path)
    world.store.fail_claim(claim, "its lease ended", world.time)
    world.run_due()
    assert in_bucket(tmp_path, authority) == number(published(world, authority))


def test_a_list_that_could_not_be_delivered_is_served(quick_world: World, tmp_path: Path) -> None:
    def away() -> None:
        raise SinkUnavailable("the bucket is away")

    world = quick_world
    authority = delivering(world, tmp_path)
    before, claim = in_bucket(tmp_path, authority), due(world, authority)
    world.sink = Interrupted(tmp_path, away)
    with pytest.raises(SinkUnavailable):
        world.service().republish(claim)
    assert number(published(world, authority)) > before == in_bucket(tmp_path, authority)
