"""Looking for bytes in another process's memory, as root may."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

SHORTEST = 16  # bytes; a shorter needle is found by chance


def holds(pid: int, needle: bytes) -> bool:
    """Whether any readable page of the process has the bytes."""
    return bool(held(pid, {"needle": needle}))


def held(pid: int, needles: Mapping[str, bytes]) -> set[str]:
    """The names of those needles that are in readable pages of the process."""
    assert min(len(needle) for needle in needles.values()) >= SHORTEST
    found: set[str] = set()
    for content in _mappings(pid):
        found |= {name for name, needle in needles.items() if name not in found and needle in content}
    return found


def _mappings(pid: int) -> Iterator[bytes]:
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if found is None or line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            start, end = int(found[1], 16), int(found[2], 16)
            with suppress(OSError):
                memory.seek(start)
                yield memory.read(end - start)
