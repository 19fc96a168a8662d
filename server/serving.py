"""`keystead serve`, put together: what is bound, opened, loaded and kept running, in which order."""

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from server import forking, heartbeat, listeners
from server.boot import Opening, first_steps_left, private_directory, start_core
from server.children import Place
from server.door_certificate import DoorCertificate, door_names
from server.forking import Refused, Spawned
from server.hardening import hide_memory
from server.serve_lock import AlreadyServed, ServeLock
from server.settings import Settings
from server.unsealed import SecretPage


@dataclass(frozen=True, slots=True)
class Bound:
    """The supervisor's listening sockets. Children inherit them; connects queue on them while one is replaced."""

    http: socket.socket
    https: socket.socket | None
    core: socket.socket
    admin: socket.socket


def serve(settings: Settings) -> None:
    """Serves until SIGTERM. Raises `Refused` with what is in the way and what to do about it."""
    gc.disable()  # imports make objects that stay: collecting in between costs a fifth of the start
    hide_memory()
    os.umask(0o077)
    private_directory(settings.data)
    try:
        lock = ServeLock(settings.data)
    except AlreadyServed as error:
        raise Refused(f"{error}. Stop that one first, or serve another directory") from error
    with lock:
        try:
            _serve(settings)
        except listeners.CannotListen as error:
            raise Refused(f"{error}. Name another address with --listen or --tls-listen") from error


def _serve(settings: Settings) -> None:
    bound = _bind(settings)
    page = SecretPage()
    _load_for_opening()
    opened = Opening(settings, page, make=True).result()
    waiting = [start_core(settings, page, opened, bound.core)]  # it starts while this process loads the rest
    _load_for_serving(settings)

    from server.clock import wall
    from server.logs import make_log
    from server.supervisor import Supervisor

    core = Place("core", lambda: waiting.pop() if waiting else start_core(settings, page, opened, bound.core))
    http = [
        Place(f"http-{number}", lambda: _spawn_http(settings, bound.http))
        for number in range(1, settings.workers + 1)
    ]
    door = DoorCertificate(settings.data)
    https = (
        [Place("https", lambda: _spawn_https(settings, bound.https, door))] if bound.https is not None else []
    )
    scheduler = Place("scheduler", lambda: _spawn_scheduler(settings, bound))
    waves = [[core], [*http, *https, scheduler]]
    bare = first_steps_left(settings).exists()
    if bare or (https and door.due(door_names(settings.tls_names), wall())):
        waves.insert(1, [Place("first-steps", lambda: _spawn_first_steps(settings), once=True)])
    log = make_log(settings.log_level, "supervisor", wall)
    Supervisor(waves, on_hangup=https, ready=lambda: _say_ready(settings, bound), log=log).run()
    page.wipe()


def _bind(settings: Settings) -> Bound:
    return Bound(
        http=listeners.tcp(settings.listen),
        https=listeners.tcp(settings.tls_listen) if settings.tls_listen else None,
        core=listeners.unix(settings.data / "core.sock"),
        admin=listeners.unix(settings.data / "admin.sock"),
    )


def _load_for_opening() -> None:
    """What it takes to open the database and start a core: the least that must come first."""
    import foundation.store  # noqa: F401  # loaded for the children
    import kms.hsm.custody
    import kms.hsm.launch  # noqa: F401  # loaded for the children


def _load_for_serving(settings: Settings) -> None:
    """Imports and service models, once: forked children share these pages and start in milliseconds."""
    from server import assembly, http_worker  # noqa: F401  # loaded for the children
    from server.doors import wsgi  # noqa: F401  # loaded for the children

    assembly.preload(settings)
    gc.enable()
    gc.freeze()  # or the children's first collection would touch, and so copy, every page


def _spawn_http(settings: Settings, listener: socket.socket) -> Spawned:
    from server.http_worker import Door

    return forking.spawn(_worker(settings, Door(listener.fileno())), {listener.fileno()})


def _spawn_https(settings: Settings, listener: socket.socket | None, door: DoorCertificate) -> Spawned:
    from server.http_worker import Door

    assert listener is not None
    return forking.spawn(
        _worker(settings, Door(listener.fileno(), door.certificate, door.key)), {listener.fileno()}
    )


def _worker(settings: Settings, door: object) -> Callable[[int], None]:
    from server.assembly import Assembly
    from server.doors.wsgi import make_wsgi
    from server.http_worker import Door
    from server.http_worker import serve as serve_http
    from server.refused import tell, tell_for_ever

    assert isinstance(door, Door)

    def main(pipe: int) -> None:
        assembly = Assembly.open(settings, "worker")
        tell_for_ever(assembly.recorder.refusals, assembly.log)
        serve_http(make_wsgi(assembly), door, settings.threads, lambda: heartbeat.beat_for_ever(pipe))
        tell(assembly.recorder.refusals, assembly.log, at_once=True)
        assembly.close()

    return main


def _spawn_scheduler(settings: Settings, bound: Bound) -> Spawned:
    def main(pipe: int) -> None:
        from server.scheduler_process import run  # alone in needing APScheduler and the commands

        leave = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: leave.set())
        run(settings, bound.admin, leave, lambda: heartbeat.beat_for_ever(pipe))

    return forking.spawn(main, {bound.admin.fileno()})


def _spawn_first_steps(settings: Settings) -> Spawned:
    def main(pipe: int) -> None:
        from server.first_steps import take

        heartbeat.beat_for_ever(pipe)
        take(settings)

    return forking.spawn(main, set())


def _say_ready(settings: Settings, bound: Bound) -> None:
    urls = [f"http://{_shown(bound.http)}"]
    if bound.https is not None:
        urls.append(f"https://{_shown(bound.https)}")
    sys.stdout.write(f"keystead: ready {' '.join(urls)} (data in {settings.data}, process {os.getpid()})\n")
    sys.stdout.flush()


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
