"""The migrated schema is the one the tables declare; a migration that dies leaves what it found."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from foundation.store import SchemaTooNew, SchemaTooOld, Store, StoreUnavailable, schema
from foundation.store.locks import FileLock
from tests.foundation.store.processes import finish, start
from tests.foundation.store.rows import HERE
from tests.support.store import import_tables

import_tables()


@pytest.fixture
def empty(any_store_url: str, open_store: Callable[..., Store]) -> Store:
    return open_store(any_store_url, create=False)


def tables(store: Store) -> set[str]:
    with store._write_engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def ours(name: str | None) -> bool:
    """Whether it is a table of the product, and not of these tests."""
    return name is not None and not name.startswith("test_") and name != "alembic_version"


def differences(store: Store) -> list[Any]:
    def include(_object: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
        return kind != "table" or ours(name)

    with store._write_engine.connect() as connection:
        options = {"include_object": include, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, SQLModel.metadata))


def test_the_migrated_schema_is_the_declared_one(empty: Store) -> None:
    empty.migrate()
    assert {name for name in tables(empty) if ours(name)} == {
        name for name in SQLModel.metadata.tables if ours(name)
    }
    assert differences(empty) == []


def test_migrated_primary_keys_and_checks_are_the_declared_ones(empty: Store) -> None:
    """Alembic compares neither."""
    empty.migrate()
    with empty._write_engine.connect() as connection:
        inspector = inspect(connection)
        for name, table in SQLModel.metadata.tables.items():
            if not ours(name):
                continue
            key = inspector.get_pk_constraint(name)
            assert key["constrained_columns"] == list(table.primary_key.columns.keys())
            assert key["name"] == table.primary_key.name
            checks = {str(check["name"]) for check in inspector.get_check_constraints(name)}
            declared = {
                str(each.name) for each in table.constraints if type(each).__name__ == "CheckConstraint"
            }
            assert checks == {
                f"ck_{name}_{check}" if not check.startswith("ck_") else check for check in declared
            }


def test_the_newest_revision_is_the_one_the_program_names() -> None:
    scripts = ScriptDirectory.from_config(schema.alembic_config())
    assert scripts.get_heads() == [schema.HEAD]


def test_migrating_again_changes_nothing(empty: Store) -> None:
    empty.migrate()
    empty.assert_schema()
    empty.migrate()
    empty.assert_schema()


def test_an_unmigrated_database_is_told_so(empty: Store) -> None:
    with pytest.raises(SchemaTooOld, match="serve"):
        empty.assert_schema()


def test_a_newer_schema_is_refused_and_left_alone(empty: Store) -> None:
    empty.migrate()
    with empty._write_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = tables(empty)
    for refused in (empty.migrate, empty.assert_schema):
        with pytest.raises(SchemaTooNew, match=r"9999.*does not know"):
            refused()
    assert tables(empty) == before


@pytest.mark.chaos
@pytest.mark.parametrize("statements", [3, 12, 30])
def test_a_migration_killed_midway_leaves_what_it_found_and_can_be_repeated(
    empty: Store, any_store_url: str, statements: int
) -> None:
    finish(start("migrate_and_die", any_store_url, statements), -signal.SIGKILL)
    assert tables(empty) == set()
    empty.migrate()
    empty.assert_schema()
    assert differences(empty) == []


@pytest.mark.chaos
def test_two_that_migrate_at_once_both_succeed(any_store_url: str, empty: Store) -> None:
    for process in [start("migrate", any_store_url) for _ in range(2)]:
        finish(process)
    empty.assert_schema()


def test_a_migration_lock_that_is_held_too_long_is_an_error(
    tmp_path: Path, open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_LOCK_SECONDS", 0.05)
    store = open_store(f"sqlite:///{tmp_path}/x.db", create=False)
    other = FileLock(tmp_path / "x.db-migrate")
    other.acquire()
    with pytest.raises(StoreUnavailable, match="another process"):
        store.migrate()
    other.close()
    store.migrate()


def test_a_store_without_its_tables_says_so_as_itself(empty: Store) -> None:
    with pytest.raises(SchemaTooOld):
        empty.assert_schema()
    assert empty.unit(HERE).scope == HERE
