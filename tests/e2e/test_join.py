"""Two hosts of one deployment: joined by its database and its unseal secret, over PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.served import Served, keystead

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
def first(tmp_path: Path, postgres_url: str) -> Iterator[Served]:
    one = Served(tmp_path / "first", flags=["--database", postgres_url])
    one.start()
    yield one
    one.end()


def test_a_joined_host_serves_the_same_accounts_with_the_same_keys(
    first: Served, tmp_path: Path, postgres_url: str
) -> None:
    key = tmp_path / "carried.key"
    shutil.copy(first.data / "unseal.key", key)
    second = Served(tmp_path / "second")
    joined = keystead(
        "join", "--data", str(second.data), "--database", postgres_url, "--unseal", f"file:{key}"
    )
    assert "keystead serve --data" in joined.stdout
    second.start()
    try:
        token = first.command("token", "create")["TOKEN"]
        assert second.api("GET", "/v1/certificates", token)[0] == 200
        account = second.command("account", "create")["ACCOUNT_ID"]
        assert account in first.command("ca", "init", "--account", account)["ROOT_CA_ARN"]
    finally:
        second.end()


def test_a_host_with_another_secret_or_without_one_is_refused_and_writes_nothing(
    first: Served, tmp_path: Path, postgres_url: str
) -> None:
    other = Served(tmp_path / "other")
    other.start()
    other.stop()
    directory = tmp_path / "second"
    refused = keystead(
        "join", "--data", str(directory), "--database", postgres_url,
        "--unseal", f"file:{other.data / 'unseal.key'}", check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "not the one of this deployment" in refused.stderr
    assert not (directory / "keystead.toml").exists()
    refused = keystead("serve", "--data", str(directory), "--database", postgres_url, check=False)
    assert refused.returncode == 1
    assert "keystead join" in refused.stderr
    assert not (directory / "unseal.key").exists()


def test_a_directory_that_has_a_deployment_does_not_join_another_and_sqlite_serves_one_host(
    first: Served, postgres_url: str, tmp_path: Path
) -> None:
    key = f"file:{first.data / 'unseal.key'}"
    again = keystead(
        "join", "--data", str(first.data), "--database", postgres_url, "--unseal", key, check=False
    )
    assert again.returncode == 1
    assert "belongs to a deployment already" in again.stderr
    sqlite = keystead(
        "join",
        "--data",
        str(tmp_path / "s"),
        "--database",
        "sqlite:////nowhere/keystead.db",
        "--unseal",
        key,
        check=False,
    )
    assert sqlite.returncode == 1
    assert "PostgreSQL" in sqlite.stderr
