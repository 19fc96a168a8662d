"""How long a CRL of 100,000 entries takes: read from the database, written, signed by the core, kept. `python -m bench.crls`."""

import os
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import insert, update
from sqlmodel import col

from ca import CaService, jobs
from ca.shards import CRL_JOB
from ca.tables import AuthorityRow, RevocationRow
from foundation.store import Leaps, Scope, Store
from kms.hsm import Asker
from tests.support.core import start_core

COUNT: Final = 100_000
MOST: Final = 3.0  # seconds, by the issue
SCOPE: Final = Scope("111122223333", "us-east-1")


def seconds(folder: Path, count: int = COUNT) -> float:
    """From the job's claim to the commit that publishes."""
    now = datetime.now(UTC)
    core = start_core(folder)
    try:
        with (
            closing(core.client()) as client,
            closing(Store.open(f"sqlite:///{folder}/bench.db", wall=lambda: now)) as store,
        ):
            store.migrate()
            service = CaService(
                store.unit(SCOPE), Asker("bench", "bench"), client, now=lambda: now, entropy=os.urandom
            )
            _, authority = service.init()
            publish(store, service, now)
            revoke(store, authority.id, count, now)
            later = now + timedelta(days=4)  # past half of the first list's life
            began = time.perf_counter()
            publish(store, service, later)
            return time.perf_counter() - began
    finally:
        core.stop()


def publish(store: Store, service: CaService, now: datetime) -> None:
    """What is due, as the scheduler does it."""
    for job in jobs(lambda _: service, Leaps):
        if job.kind == CRL_JOB:
            for claim in store.claim_due(job.kind, now, timedelta(minutes=5), 10):
                job.run(claim)


def revoke(store: Store, authority_id: str, count: int, now: datetime) -> None:
    """As many revocations as if each had been asked for."""
    row = {
        "account": SCOPE.account,
        "region": SCOPE.region,
        "authority_id": authority_id,
        "reason": "KEY_COMPROMISE",
        "revoked_at": now,
        "not_after": now + timedelta(days=90),
        "shard": 0,
    }
    rows = [{**row, "serial": f"4b{index:032x}", "ordinal": index + 1} for index in range(count)]
    with store._write_engine.begin() as connection:  # noqa: SLF001 - a hundred thousand writes are not what is measured
        connection.execute(insert(RevocationRow), rows)
        of = col(AuthorityRow.id) == authority_id
        connection.execute(update(AuthorityRow).where(of).values(revocations=count))


def show() -> None:
    """One line: how long it took, and whether that is what was promised."""
    with tempfile.TemporaryDirectory() as folder:
        took = seconds(Path(folder))
    print(
        f"CRL of {COUNT:,} entries: {took:.2f} s (at most {MOST:.0f}: {'met' if took <= MOST else 'NOT met'})"
    )


if __name__ == "__main__":
    show()
