"""The command line: light, teaching, and exact about its exit codes."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from server.cli import COMMANDS, keystead
from server.cli.durations import duration

HEAVY = ("sqlmodel", "sqlalchemy", "botocore", "flask", "cryptography", "structlog", "dns", "rich")


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += (
            every_command(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
        )
    return found


@pytest.mark.parametrize("path", every_command(keystead), ids=" ".join)
def test_the_help_of_each_command_shows_how_it_is_used(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(keystead, [*path, "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.output
    assert f"keystead {' '.join(path)}" in shown.output


def test_the_first_help_shows_the_way_and_the_exit_codes() -> None:
    shown = CliRunner().invoke(keystead, ["--help"]).output
    assert all(name in shown for name in COMMANDS)
    assert "Exit codes" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        "['account', 'create', '--data', '/nowhere', '--env']",
        "['ca', 'init', '--data', '/nowhere']",
        "['token', 'create', '--data', '/nowhere']",
        "['roots', '--data', '/nowhere']",
        "['clock', 'advance', '1d', '--data', '/nowhere']",
        "['doctor', '--data', '/nowhere']",
        "['serve', '--help']",
        "['--help']",
    ],
)
def test_a_command_that_speaks_to_a_server_loads_nothing_heavy(arguments: str) -> None:
    code = (
        "import sys\nfrom server.cli import main\n"
        f"try: main({arguments})\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("[]\n"), ran.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["roots", "--data", "/nowhere/at/all"], 3, "keystead serve --data"),
        (["roots"], 2, "--data"),
        (["clock", "advance", "soon", "--data", "."], 2, "60d"),
        (["clock", "advance", "0d", "--data", "."], 2, "forward"),
        (["dance"], 2, "No such command"),
        (["dns", "--listen", "nowhere", "--zone", "a.test"], 2, "127.0.0.1:8750"),
        (["dns"], 2, "--zone"),
    ],
)
def test_what_cannot_be_done_says_why_and_what_to_do(arguments: list[str], status: int, words: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from server.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == status
    assert words in ran.stderr
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("60d", timedelta(days=60)),
        ("1w", timedelta(weeks=1)),
        ("12h30m", timedelta(hours=12, minutes=30)),
        ("90s", timedelta(seconds=90)),
    ],
)
def test_a_length_of_time_is_read_as_people_write_it(text: str, length: timedelta) -> None:
    assert duration(text) == length


@pytest.mark.parametrize("text", ["", "60", "d", "-1d", "1.5d", "1y", "60d ", "999999999w", "٣d", "0s"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"length of time|calendar|forward"):
        duration(text)


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert CliRunner().invoke(keystead, ["roots", "--data", str(file)]).exit_code == 2
