"""`make bench`: interleaved rounds of each operation and of the floor, printed as ratios of their medians."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench import ocsp, shots
from bench.load import Figures, Shot, fire
from bench.servers import COMMAND, first_answer, free_port, idle_pss, keystead, running

THREADS = 16
ROUNDS = 3
SECONDS = 3.0
# ARCHITECTURE 7: at least this share of the hello's rate, and at most this p99 in ms. None: no floor of that kind.
FLOORS: Mapping[str, tuple[float | None, float]] = {
    "Encrypt": (0.20, 15.0),
    "Decrypt": (0.20, 15.0),
    "GenerateDataKey": (0.20, 15.0),
    "Sign P-256": (0.15, 20.0),
    "Issue P-256, by CSR": (None, 50.0),
}


def main() -> None:
    """Prints the table; fails only where a load failed, never for a slow machine."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--seconds", type=float, default=SECONDS)
    chosen = options.parse_args()
    subprocess.run(["bash", "tests/support/system.sh", "wrk"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), chosen.rounds, chosen.seconds)


def measure(folder: Path, rounds: int, seconds: float) -> None:
    data, port, hello_port = folder / "data", free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    serve = [str(COMMAND), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    started = time.perf_counter()
    with running(serve, folder / "serve.log"):
        first = first_answer(f"{url}/healthz", started)
    started = time.perf_counter()
    with running(serve, folder / "serve.log") as supervisor:
        again = first_answer(f"{url}/healthz", started)
        access = prepare(data, url)
        time.sleep(3)
        pss = idle_pss(supervisor)
        print(
            f"start to first answer: {first:.2f} s on an empty directory, {again:.2f} s on an existing one (at most 1.5)"
        )
        print(f"idle memory, PSS of {len(pss)} processes: {sum(pss.values()):.0f} MB (at most 300)")
        hello = [sys.executable, "-m", "bench.hello", str(hello_port), str(THREADS)]
        with running(hello, folder / "hello.log"):
            first_answer(f"http://127.0.0.1:{hello_port}/", time.perf_counter())
            table = interleaved(candidates(access, f"http://127.0.0.1:{hello_port}/"), rounds, seconds)
    show(table)


def prepare(data: Path, url: str) -> shots.Access:
    account = keystead("account", "create", "--data", str(data), "--env")
    authorities = keystead("ca", "init", "--data", str(data), "--account", account["ACCOUNT_ID"], "--env")
    principal = f"arn:aws:iam::{account['ACCOUNT_ID']}:user/admin"
    token = keystead("token", "create", "--data", str(data), "--principal", principal, "--env")
    return shots.Access(
        url,
        account["AWS_ACCESS_KEY_ID"],
        account["AWS_SECRET_ACCESS_KEY"],
        token["TOKEN"],
        authorities["SUBORDINATE_CA_ARN"],
    )


def candidates(access: shots.Access, hello: str) -> dict[str, Shot]:
    return {
        "hello through the same worker": Shot(hello),
        "GetCallerIdentity, recorded": shots.caller(access),
        **shots.key_uses(access, shots.make_keys(access)),
        "Issue P-256, by CSR": shots.issuance(access),
        "OCSP, kept answer": ocsp.kept(access),
    }


def interleaved(loads: Mapping[str, Shot], rounds: int, seconds: float) -> dict[str, list[Figures]]:
    """Each load once a round, so that a machine whose speed drifts treats all alike."""
    table: dict[str, list[Figures]] = {name: [] for name in loads}
    for shot in loads.values():
        fire(shot, 2)  # caches fill, threads start
    for _ in range(rounds):
        for name, shot in loads.items():
            table[name].append(fire(shot, seconds))
    return table


def show(table: Mapping[str, list[Figures]]) -> None:
    hello = median(figures.per_second for figures in next(iter(table.values())))
    print(f"\n{'operation':34}{'per second':>12}{'x hello':>10}{'floor':>8}{'p99 ms':>10}{'at most':>9}")
    for name, rounds in table.items():
        rate, p99 = median(f.per_second for f in rounds), median(f.p99 for f in rounds)
        least, most = FLOORS.get(name, (None, None))
        floor = f"{least:g}" if least is not None else "-"
        limit = f"{most:g}" if most is not None else "-"
        print(f"{name:34}{rate:12,.0f}{rate / hello:10.3f}{floor:>8}{p99:10.1f}{limit:>9}")


if __name__ == "__main__":
    main()
