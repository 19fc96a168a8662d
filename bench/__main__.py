"""`make bench`: interleaved rounds of each operation and of the floor, printed as ratios of their medians."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bench import crls, issuance, ocsp, shots
from bench.floors import HELLO, show
from bench.load import Figures, Shot, fire
from bench.peer import moto
from bench.servers import COMMAND, first_answer, free_port, idle_pss, keystead, running

THREADS = 16
ROUNDS = 3
SECONDS = 3.0


def main() -> None:
    """Prints the table; fails only where a load failed, never for a slow machine."""
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--seconds", type=float, default=SECONDS)
    options.add_argument(
        "--workers", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="of `keystead serve`"
    )
    options.add_argument("--only", default="", help="operations whose name has this, beside the hello")
    chosen = options.parse_args()
    os.environ["KEYSTEAD_WORKERS"] = str(chosen.workers)
    print(
        f"{os.cpu_count()} processors, {chosen.workers} HTTP worker(s) (setting `workers`), {THREADS} threads in each"
    )
    subprocess.run(["bash", "tests/support/system.sh", "wrk"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), chosen.rounds, chosen.seconds, chosen.only)
    if chosen.only in "CRL":
        crls.show()


def measure(folder: Path, rounds: int, seconds: float, only: str) -> None:
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
        with (
            running(hello, folder / "hello.log"),
            moto(folder, time.perf_counter()) as peer,
            issuance.cfssl(folder) as cfssl,
        ):
            first_answer(f"http://127.0.0.1:{hello_port}/", time.perf_counter())
            ours = candidates(access, f"http://127.0.0.1:{hello_port}/")
            loads = {
                name: shot
                for name, shot in {**ours, **peer, **cfssl}.items()
                if name == HELLO or only in name
            }
            table = interleaved(loads, rounds, seconds)
    show(table)
    if not only:
        issuance.show(table)


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
        HELLO: Shot(hello),
        "GetCallerIdentity, recorded": shots.caller(access),
        **shots.key_uses(access, shots.make_keys(access)),
        issuance.NAME: issuance.shot(access),
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


if __name__ == "__main__":
    main()
