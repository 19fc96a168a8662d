"""Children: what they keep of their parent, and what they hand back."""

import os
import re
import signal
from pathlib import Path

import pytest

from server import forking
from server.unsealed import SecretPage


def open_descriptors() -> list[int]:
    return sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir() if entry.exists())


def test_a_short_lived_child_hands_back_what_it_computed() -> None:
    answer = forking.Aside("adding", lambda: {"sum": 40 + 2, "pid": os.getpid()}).result()
    assert answer["sum"] == 42
    assert answer["pid"] != os.getpid()


def test_a_refusal_crosses_to_the_parent_with_its_words() -> None:
    def refuse() -> None:
        raise forking.Refused("there is no such thing")

    with pytest.raises(forking.Refused, match="no such thing"):
        forking.Aside("looking", refuse).result()


def test_a_fault_in_the_child_is_printed_there_and_named_here(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ZeroDivisionError("in the child")

    with pytest.raises(forking.Refused, match="dividing failed"):
        forking.Aside("dividing", fail).result()
    assert "ZeroDivisionError: in the child" in capfd.readouterr().err


def test_a_child_keeps_no_descriptor_but_those_it_was_given() -> None:
    kept, other = os.pipe()
    inside = forking.Aside("counting", open_descriptors, keep={kept}).result()
    os.close(kept)
    os.close(other)
    assert set(inside) - {0, 1, 2, kept} == {max(inside)} or len(set(inside) - {0, 1, 2, kept}) <= 2
    assert other not in inside


def test_a_child_is_killed_with_its_parent_and_does_not_hear_the_terminals_signals() -> None:
    def status() -> dict[str, str]:
        text = Path("/proc/self/status").read_text()
        found = re.search(r"^SigIgn:\s+(\w+)$", text, re.MULTILINE)
        assert found is not None
        return {"ignored": found[1]}

    ignored = int(forking.Aside("asking", status).result()["ignored"], 16)
    assert ignored & (1 << (signal.SIGINT - 1))
    assert ignored & (1 << (signal.SIGHUP - 1))


def test_a_secret_written_in_one_child_is_read_in_another_to_which_the_page_is_lent() -> None:
    page = SecretPage()
    with page.lent():
        forking.Aside("writing", lambda: page.write(b"\x00 a secret \xff")).result()
    with page.lent():
        assert forking.Aside("reading", lambda: page.read().hex()).result() == b"\x00 a secret \xff".hex()


def test_a_child_to_which_the_page_is_not_lent_cannot_reach_it() -> None:
    page = SecretPage()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        page.read()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGSEGV


@pytest.mark.parametrize("secret", [b"", b"x" * 4095])
def test_a_page_refuses_what_does_not_fit(secret: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 4094"):
        SecretPage().write(secret)
