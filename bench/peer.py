"""The peer: moto's own server (PyPI, `moto[server]`), started as its users start it, asked the same calls."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import issuance
from bench.floors import PEER
from bench.load import Shot
from bench.servers import first_answer, free_port, running
from bench.shots import Access, key_uses, make_keys


@contextmanager
def moto(folder: Path, since: float) -> Iterator[dict[str, Shot]]:
    """A moto server for the time of the block, and its loads by name. `since`: perf_counter, when patience begins."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, folder / "moto.log"):
        url = f"http://127.0.0.1:{port}"
        first_answer(f"{url}/moto-api/", since)
        # It judges no signature, so any credentials do.
        access = Access(url, "AKIAIOSFODNN7EXAMPLE", "not-a-secret", "", "")
        yield {
            **{PEER + name: shot for name, shot in key_uses(access, make_keys(access)).items()},
            **issuance.of_moto(access),
        }
