"""CRLs that are large: in time, in one piece through the core, and without holding others up."""

import threading
import time
from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import insert, update
from sqlmodel import col

from ca import PublicPki
from ca.tables import AuthorityRow, RevocationRow
from foundation.store import SYSTEM
from kms.hsm import frames
from tests.ca.conftest import HERE, World
from tests.ca.test_partitions import configure, number
from tests.support.pace import pace

pytestmark = pytest.mark.slow


def revoked(world: World, authority_id: str, count: int) -> None:
    """As many revocations as if each had been asked for."""
    rows = [
        {
            "account": HERE.account,
            "region": HERE.region,
            "authority_id": authority_id,
            "serial": f"4b{index:032x}",
            "reason": "KEY_COMPROMISE",
            "revoked_at": world.time,
            "not_after": world.time + timedelta(days=90),
            "shard": 0,
            "ordinal": index + 1,
        }
        for index in range(count)
    ]

    with world.store._write_engine.begin() as connection:
        connection.execute(insert(RevocationRow), rows)
        connection.execute(
            update(AuthorityRow).where(col(AuthorityRow.id) == authority_id).values(revocations=count)
        )


def test_100_000_entries_are_published_in_three_seconds(world: World) -> None:
    assert published(world, 100_000) < 3.0


def test_a_list_that_is_longer_than_a_workers_longest_frame_is_published(quick_world: World) -> None:
    published(quick_world, 200_000)


def published(world: World, count: int) -> float:
    """How many seconds it would have taken on a machine with nothing else to do."""
    _, authority = world.service().init()
    world.run_due()
    revoked(world, authority.id, count)
    configure(world, authority)
    before, began = pace(), time.monotonic()
    world.run_due()
    took = (time.monotonic() - began) / max(before, pace())
    found = PublicPki(world.unit(SYSTEM)).file(f"{authority.id}.crl")
    assert found is not None
    crl = x509.load_der_x509_crl(found[1])
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    assert crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # a CA key is EC or RSA
    assert (len(crl), number(crl)) == (count, 2)
    assert (len(found[1]) > frames.MAX_FRAME) is (count == 200_000)
    return took


def test_the_core_serves_others_while_it_reads_a_long_list(quick_world: World) -> None:
    world = quick_world
    _, authority = world.service().init()
    world.run_due()
    revoked(world, authority.id, 100_000)
    configure(world, authority)
    waits: list[float] = []
    done = threading.Event()

    def others() -> None:
        while not done.is_set():
            began = time.monotonic()
            world.core.mac("bearer", b"x")
            waits.append(time.monotonic() - began)
        world.core.close()

    other = threading.Thread(target=others)
    other.start()
    try:
        world.run_due()
    finally:
        done.set()
        other.join()
    assert max(waits) < 0.25
