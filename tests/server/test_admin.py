"""The admin socket: one command a connection, progress on the way, faults that say what to do."""

import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server import listeners
from server.admin import client, listener
from server.admin.protocol import CommandFailed, Progress
from server.logs import make_log
from server.scheduler import answer_safely

LOG = make_log("error", "test", lambda: datetime.now(UTC))


def answer(command: str, arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """A small set of commands."""
    if command == "count":
        for number in range(arguments["to"]):
            progress(f"at {number}")
        return {"to": arguments["to"]}
    if command == "fault":
        raise ZeroDivisionError("ours")
    raise CommandFailed(f"no command {command}", 3)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    bound = listeners.unix(tmp_path / "admin.sock")
    listener.listen(bound, answer_safely(answer, LOG))
    yield tmp_path
    bound.close()


def test_progress_arrives_before_the_result(served: Path) -> None:
    said: list[str] = []
    assert client.ask(served, "count", {"to": 3}, said.append) == {"to": 3}
    assert said == ["at 0", "at 1", "at 2"]


def test_a_failure_carries_its_words_and_its_exit_code(served: Path) -> None:
    with pytest.raises(CommandFailed, match="no command dance") as failed:
        client.ask(served, "dance", {}, lambda _: None)
    assert failed.value.status == 3


def test_a_fault_of_ours_reaches_the_operator_and_does_not_end_the_server(served: Path) -> None:
    with pytest.raises(CommandFailed, match="fault failed: ZeroDivisionError"):
        client.ask(served, "fault", {}, lambda _: None)
    assert client.ask(served, "count", {"to": 0}, lambda _: None) == {"to": 0}


@pytest.mark.parametrize(
    "sent",
    [
        b"\n",
        b"not json\n",
        b"[]\n",
        b'{"command": 3, "arguments": {}}\n',
        b'{"command": "count"}\n',
        b"\xff\xfe\n",
    ],
)
def test_what_is_no_request_is_refused_in_words(served: Path, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(served / "admin.sock"))
        caller.sendall(sent)
        with caller.makefile("rb") as stream:
            assert json.loads(stream.read())["error"]


def test_nobody_serves_where_there_is_no_socket_and_where_its_owner_is_dead(tmp_path: Path) -> None:
    with pytest.raises(client.NobodyServes):
        client.ask(tmp_path, "count", {"to": 0}, lambda _: None)
    listeners.unix(tmp_path / "admin.sock").close()
    with pytest.raises(client.NobodyServes):
        client.ask(tmp_path, "count", {"to": 0}, lambda _: None)


def test_a_server_that_ends_in_mid_command_is_named_as_such(tmp_path: Path) -> None:
    bound = listeners.unix(tmp_path / "admin.sock")

    def hang_up(*_: object) -> dict[str, Any]:
        raise BrokenPipeError

    listener.listen(bound, hang_up)
    with pytest.raises(CommandFailed, match="ended before it answered"):
        client.ask(tmp_path, "count", {"to": 0}, lambda _: None)
    bound.close()


def test_another_user_is_refused_by_the_kernels_word_not_by_the_callers(
    served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        monkeypatch.setattr(listener, "ALWAYS_ALLOWED", frozenset())
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(CommandFailed, match="only the user that runs the server"):
        client.ask(served, "count", {"to": 0}, lambda _: None)
