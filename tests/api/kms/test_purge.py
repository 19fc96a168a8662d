"""A deleted key is gone from the files of the database, and the trail says which one it was (SECURITY 2.3, "Deletion")."""

import hashlib
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from foundation.store import StoreUnavailable
from tests.api.kms.support import create, refused
from tests.api.kms.test_imports import bring, external
from tests.support.world import World


def tokens(world: World, key_id: str) -> list[bytes]:
    """The tokens that the database has of a key."""
    with closing(sqlite3.connect(database(world))) as connection:
        found = connection.execute(
            "SELECT token FROM kms_material WHERE key_id = ? AND token IS NOT NULL", (key_id,)
        )
        return [bytes(token) for (token,) in found]


def database(world: World) -> Path:
    [path] = world.data.glob("*.db-wal")
    return path.with_name(path.name.removesuffix("-wal"))


def left(world: World, token: bytes) -> set[str]:
    """In which of the database's files a part of the token is still to be read."""
    parts = [token[at : at + 16] for at in range(0, len(token) - 16, 16)]
    files = list(world.data.glob(database(world).name + "*"))
    return {path.name for path in files for part in parts if part in path.read_bytes()}


def test_nothing_of_a_purged_key_is_left_in_the_database_or_its_log(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    key = create(kms)
    kept = create(kms)
    for _ in range(3):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
        world.advance(timedelta(hours=1))
    held, others = tokens(world, key["KeyId"]), tokens(world, kept["KeyId"])
    assert len(held) == 4
    assert all(left(world, token) for token in held)
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    world.advance(timedelta(days=7, hours=1))
    with refused("NotFoundException"):
        kms.describe_key(KeyId=key["KeyId"])
    assert [left(world, token) for token in held] == [set()] * 4
    assert all(left(world, token) for token in others)
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "DeleteKey"}]
    [event] = world.events(caller, LookupAttributes=by_name)
    tombstone = event["requestParameters"]
    assert tombstone["keyId"] == key["Arn"]
    digests = {each["tokenDigest"] for each in tombstone["keyMaterials"]}
    assert digests == {hashlib.sha256(token).hexdigest() for token in held}


@pytest.mark.parametrize("how", ["deleted", "expired"])
def test_nothing_of_imported_material_is_left_once_it_is_deleted_or_has_expired(
    world: World, how: str
) -> None:
    kms = world.account().client("kms")
    key_id = external(kms)
    bring(kms, key_id, os.urandom(32), ValidTo=world.worker.clock.now() + timedelta(hours=1))
    [token] = tokens(world, key_id)
    assert left(world, token)
    if how == "deleted":
        kms.delete_imported_key_material(KeyId=key_id)
    world.advance(timedelta(hours=2))
    assert left(world, token) == set()


def test_a_log_that_a_reader_needs_is_emptied_later(world: World) -> None:
    kms = world.account().client("kms")
    key_id = external(kms)
    bring(kms, key_id, os.urandom(32))
    [token] = tokens(world, key_id)
    store = world.scheduler.store
    with closing(sqlite3.connect(database(world), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM kms_key").fetchone()
        kms.delete_imported_key_material(KeyId=key_id)
        with pytest.raises(StoreUnavailable, match="reader needs it"):
            store.truncate_log()
        assert left(world, token)
    world.advance(timedelta(minutes=1))
    assert left(world, token) == set()
