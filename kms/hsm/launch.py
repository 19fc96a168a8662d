"""Starting a core: the socket it listens on, what it is told, and the pipes that tie it to its supervisor."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

import kms
from kms.hsm import boot
from kms.hsm.custody import Domain, Kek
from kms.hsm.errors import CoreError, CoreUnavailable, WrongUnsealSecret

BACKLOG = 1024
ONE_SHOT_SECONDS = 30
ROOT = Path(kms.__path__[0]).parent


@dataclass(frozen=True, slots=True)
class CoreProcess:
    """A started core. heartbeat: read end, one byte every quarter second; its first byte says that it serves.

    parent: held open for the core's whole life; closing it ends the core. `process` is to be waited for by its owner.
    """

    process: subprocess.Popen[bytes]
    heartbeat: int
    parent: int

    @property
    def pid(self) -> int:
        return self.process.pid

    def close_pipes(self) -> None:
        """Let go of a core: a living one ends by itself."""
        os.close(self.heartbeat)
        os.close(self.parent)


def bind_core_socket(path: Path) -> socket.socket:
    """A listening socket at `path` (0600), replacing a stale one. Kept open by the supervisor, so that connects queue
    while a core restarts. The path may be longer than sun_path's 107 bytes."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        listener.bind(f"/proc/self/fd/{directory}/{path.name}")
        path.chmod(0o600)
        listener.listen(BACKLOG)
    finally:
        os.close(directory)
    return listener


def launch_core(
    listener: socket.socket,
    message: boot.Boot | Callable[[int], None],
    *,
    user: int | None = None,
    group: int | None = None,
) -> CoreProcess:
    """Start a core that serves on `listener`. Call it from the supervisor's main thread: the kernel kills the core
    (PR_SET_PDEATHSIG) when the thread that started it ends.

    message: what the core is told, or what writes that (msgpack) to the pipe it is given, for a caller that keeps
    the secret out of its own memory. user and group: the ids that the core runs as, when the supervisor is root.
    """
    parent_read, parent_write = os.pipe2(os.O_CLOEXEC)
    heartbeat_read, heartbeat_write = os.pipe2(os.O_CLOEXEC)
    listening = listener.fileno()
    process = _start(
        [
            "--listen-fd",
            str(listening),
            "--parent-fd",
            str(parent_read),
            "--heartbeat-fd",
            str(heartbeat_write),
        ],
        msgspec.msgpack.encode(message) if isinstance(message, boot.Boot) else message,
        (listening, parent_read, heartbeat_write),
        user=user,
        group=group,
    )
    os.close(parent_read)
    os.close(heartbeat_write)
    return CoreProcess(process, heartbeat_read, parent_write)


def create_domain(kek: Kek, deployment_id: str) -> Domain:
    """New domain keys, made in a one-shot core process: the caller never holds them."""
    return _one_shot(boot.DomainOrder(deployment_id, kek.value, kek.stretch))


def rotate_domain(kek: Kek, deployment_id: str, domain: Domain) -> Domain:
    """One more version of the domain key, made in a one-shot core process; cores started with it seal by it."""
    return _one_shot(boot.DomainOrder(deployment_id, kek.value, kek.stretch, domain.sealed, domain.check))


def _one_shot(message: boot.DomainOrder) -> Domain:
    process = _start(["--domain"], msgspec.msgpack.encode(message), (), stdout=subprocess.PIPE)
    try:
        made, _ = process.communicate(timeout=ONE_SHOT_SECONDS)
    except subprocess.TimeoutExpired as stuck:
        process.kill()
        process.wait()
        raise CoreUnavailable("the key core did not make its domain keys in time") from stuck
    if process.returncode == boot.EXIT_SECRET:
        raise WrongUnsealSecret("the unseal secret is not the one of this deployment; nothing was changed")
    if process.returncode != 0:
        raise CoreError(f"the key core could not make domain keys (exit code {process.returncode})")
    return Domain(*msgspec.msgpack.decode(made, type=tuple[bytes, bytes]))


def _start(
    arguments: Sequence[str],
    message: bytes | Callable[[int], None],
    passed: Sequence[int],
    *,
    user: int | None = None,
    group: int | None = None,
    stdout: int | None = None,
) -> subprocess.Popen[bytes]:
    boot_read, boot_write = os.pipe2(os.O_CLOEXEC)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            [
                sys.executable, "-P", "-m", "kms.hsm",
                "--boot-fd", str(boot_read), "--parent-pid", str(os.getpid()), *arguments,
            ],
            pass_fds=(boot_read, *passed),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )  # fmt: skip
        os.close(boot_read)
        boot_read = -1
        with contextlib.suppress(BrokenPipeError):  # where the child died already, its exit code says why
            if callable(message):
                message(boot_write)
            else:
                with os.fdopen(boot_write, "wb", buffering=0, closefd=False) as pipe:
                    pipe.write(message)
    finally:
        for left in (boot_read, boot_write):
            if left >= 0:
                os.close(left)
    return process
