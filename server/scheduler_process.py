"""The scheduler process from its start to its end: ticks, housekeeping, the operator's commands."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from server.admin import commands, listener
from server.admin.protocol import Progress
from server.assembly import Assembly
from server.chance import entropy
from server.clock_advance import resume
from server.door_certificate import DoorCertificate, door_names
from server.log_keeping import LogKeeper
from server.scheduler import Ticker, answer_safely
from server.settings import Settings

# The outbox's events that are older than this belong to a worker that died before it recorded them itself.
SETTLED = timedelta(seconds=10)


def run(
    settings: Settings, admin: socket.socket, leave: threading.Event, working: Callable[[], None]
) -> None:
    """Works until `leave` is set, and finishes what it has in hand. Calls `working` once it is at work."""
    assembly = Assembly.open(settings, "scheduler")
    ticker = Ticker(assembly)
    ticker.every(timedelta(seconds=5), lambda: assembly.recorder.drain(assembly.store, settled=SETTLED))
    ticker.every(timedelta(seconds=0.5), assembly.shipper.ship)
    ticker.every(timedelta(seconds=1), assembly.heads.keep)
    ticker.every(timedelta(seconds=1), LogKeeper(assembly))
    ticker.every(timedelta(minutes=1), assembly.timekeeper.beat)
    if settings.tls_listen is not None:
        ticker.every(timedelta(minutes=1), lambda: keep_door_fresh(assembly))
    ticker.start()

    def answer(command: str, arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
        return commands.run(assembly, command, arguments, progress)

    listener.listen(admin, answer_safely(answer, assembly.log))
    # A move of the test clock that a crash cut short goes on; its steps are in the log this time.
    threading.Thread(
        target=lambda: resume(assembly, lambda line: assembly.log.info("clock", step=line)),
        name="clock",
        daemon=True,
    ).start()
    working()
    leave.wait()
    ticker.stop()
    assembly.close()


def keep_door_fresh(assembly: Assembly) -> None:
    """Renews the HTTPS door's certificate when it is due, and has the supervisor replace the HTTPS workers."""
    door, names = DoorCertificate(assembly.settings.data), door_names(assembly.settings.tls_names)
    if door.due(names, assembly.clock.wall()):
        ends = door.renew(assembly.core, names, assembly.clock.wall(), entropy)
        assembly.log.info("renewed the HTTPS door's certificate", until=ends.isoformat())
        os.kill(os.getppid(), signal.SIGHUP)
