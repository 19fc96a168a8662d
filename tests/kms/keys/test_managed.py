"""AWS managed keys: two workers' first uses make one key."""

import threading

from sqlmodel import select

from kms.keys.managed import PREDEFINED
from kms.keys.tables import Key, KeyMaterial
from tests.kms.keys.world import HERE, Process


def test_many_first_uses_on_two_workers_make_one_key(any_process: Process) -> None:
    workers = [any_process, any_process.other()]
    start = threading.Barrier(8)
    found: list[str] = []

    def use(worker: Process) -> None:
        start.wait()
        found.append(worker.service().find("alias/aws/s3", "DescribeKey").id)

    threads = [threading.Thread(target=use, args=(workers[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(found), len(set(found))) == (8, 1)
    with any_process.store.unit(HERE).read() as session:
        assert session.exec(select(Key.id)).all() == [found[0]]
        assert len(session.exec(select(KeyMaterial)).all()) == 1


def test_every_predefined_alias_has_a_policy_that_can_be_read(process: Process) -> None:
    for alias in PREDEFINED:
        made = process.service().find(alias, "DescribeKey")
        assert (made.manager, made.rotation_days, made.aliases) == ("AWS", 365, (alias,))
        assert alias.removeprefix("alias/aws/") in made.policy
