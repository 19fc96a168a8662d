"""Rows that were changed behind keystead's back are refused, and an alarm says so (SECURITY 2.2, T4)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from kms.keys.errors import KmsInternal
from kms.keys.found import FoundKey
from kms.keys.policies import default_policy
from kms.keys.rows import Tampered, macs_of
from kms.keys.tables import Alias, Key
from tests.kms.keys.conftest import new_key
from tests.kms.keys.world import HERE, Process

COLUMNS: list[tuple[str, str, Any]] = [
    ("kms_key", "state", "Enabled"),
    ("kms_key", "policy", default_policy("444455556666")),
    ("kms_key", "tags", '{"admin": "yes"}'),
    ("kms_key", "description", "another"),
    ("kms_key", "row_version", 7),
    ("kms_key", "mac", bytes(32)),
    ("kms_key", "mac", b""),
    ("kms_family", "usage", "SIGN_VERIFY"),
    ("kms_family", "spec", "RSA_2048"),
    ("kms_family", "manager", "AWS"),
    ("kms_family", "regions", '["eu-central-1", "us-east-1"]'),
    ("kms_family", "on_demand_count", -100),
    ("kms_material", "state", "NON_CURRENT"),
    ("kms_material", "token", b"another"),
    ("kms_material", "material_id", "0" * 64),
]


def change(process: Process, statement: str, **values: Any) -> None:
    """What a person with a database client does; the generation moves as with any commit of theirs or ours."""
    with process.store._write_engine.begin() as connection:
        connection.execute(text(statement), values)
        connection.execute(text("UPDATE generation SET value = value + 1 WHERE name = 'kms'"))


def disabled(process: Process) -> FoundKey:
    made = new_key(process)
    process.service().lifecycle.disable(made.id)
    return made


@pytest.mark.parametrize(("table", "column", "value"), COLUMNS, ids=lambda value: str(value)[:20])
def test_a_changed_column_makes_the_key_unusable_and_raises_an_alarm(
    process: Process, table: str, column: str, value: Any
) -> None:
    made = disabled(process)
    change(process, f"UPDATE {table} SET {column} = :value", value=value)
    with pytest.raises(KmsInternal) as refused:
        process.service().find(made.id, "Encrypt")
    assert refused.value.code == "KMSInternalException"
    assert (made.id in refused.value.message, table in refused.value.message) == (True, True)
    assert [event for event, _ in process.alarms] == ["ALARM RowTampered"]


@pytest.mark.parametrize(("table", "column", "value"), COLUMNS[:3], ids=lambda value: str(value)[:20])
def test_a_change_by_the_api_does_not_launder_a_tampered_row(
    process: Process, table: str, column: str, value: Any
) -> None:
    made = disabled(process)
    process.service().find(made.id, "DescribeKey")
    with process.store._write_engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {column} = :value"), {"value": value})
    with pytest.raises(Tampered):
        process.service().lifecycle.describe(made.id, "text")


def test_one_keys_row_put_in_the_place_of_anothers_is_refused(process: Process) -> None:
    weak, strong = new_key(process), disabled(process)
    change(
        process,
        "UPDATE kms_key SET state = (SELECT state FROM kms_key WHERE id = :weak), "
        "mac = (SELECT mac FROM kms_key WHERE id = :weak) WHERE id = :strong",
        weak=weak.id,
        strong=strong.id,
    )
    with pytest.raises(Tampered):
        process.service().find(strong.id, "Encrypt")
    assert process.service().find(weak.id, "Encrypt").id == weak.id


def test_an_alias_that_was_turned_to_another_key_is_refused(process: Process) -> None:
    mine, theirs = new_key(process), new_key(process)
    process.service().aliases.create("alias/app", mine.id)
    change(process, "UPDATE kms_alias SET key_id = :id", id=theirs.id)
    with pytest.raises(Tampered, match="alias/app"):
        process.service().find("alias/app", "Encrypt")


def test_an_alias_that_was_added_to_a_key_makes_the_key_unusable(process: Process) -> None:
    """kms:ResourceAliases gives rights."""
    made = new_key(process)
    process.service().aliases.create("alias/app", made.id)
    change(
        process,
        "INSERT INTO kms_alias SELECT account, region, 'alias/admin', key_id, created_at, updated_at, "
        "row_version, mac FROM kms_alias",
    )
    with pytest.raises(Tampered, match="alias/admin"):
        process.service().find(made.id, "Encrypt")


def test_a_mac_covers_the_table_the_names_and_the_borders_between_values(process: Process) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    values = {"a": "b", "c": "d", "moment": moment, "raw": b"\x00"}
    macs = macs_of(
        process.core,
        [
            (Key, values),
            (Alias, values),
            (Key, {**values, "a": "bc", "c": ""}),
            (Key, {**values, "raw": "00"}),
            (Key, {**values, "moment": moment + timedelta(microseconds=1)}),
            (Key, {name: value for name, value in values.items() if name != "c"}),
            (Key, {**values, "later": None}),
        ],
    )
    assert (
        len(set(macs)) == 5
    )  # bytes are written as hexadecimal: only their column's type tells them from text
    assert macs[-1] == macs[0]


def test_moments_come_back_from_either_database_as_they_were_sealed(any_process: Process) -> None:
    any_process.moment = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    made = new_key(any_process)
    any_process.service().rotation.enable(made.id, 90)
    assert any_process.other().service().find(made.id, "DescribeKey").created_at == any_process.moment
    assert made.scope == HERE
