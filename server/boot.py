"""From a data directory to a running core: the database migrated, the unseal secret in its page, the domain keys at hand.

Everything that opens the database or sees the secret runs in a short-lived child (`forking.Aside`): the supervisor's
own memory, which its workers inherit, holds neither.
"""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from server.forking import Aside, Refused, Spawned
from server.settings import Settings
from server.unsealed import SecretPage

if TYPE_CHECKING:
    from foundation.store import Deployment, Store

KEY_FILE = "unseal.key"
KEPT = "keystead.toml"

KEY_FILE_SAYS = """\
keystead: made {path}, which unseals every key here. Lying beside the data it protects nothing from whoever copies
keystead: this directory, a backup included. Move it and start with --unseal file:PATH, or see `keystead doctor`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a core is started with; none of it is secret."""

    deployment_id: str
    sealed_domain_keys: bytes
    key_check: bytes


class Opening:
    """Opens the directory in a child, which inherits what the caller has loaded; `result` waits for it.

    With `make`, a new deployment is made where there is none and the schema is migrated; without, the directory is
    taken as it is. `result` raises `Refused` with what is wrong and what to do.
    """

    def __init__(self, settings: Settings, page: SecretPage, *, make: bool) -> None:
        with page.lent():
            self._aside = Aside(
                "opening the data directory", lambda: _open(settings, page, make=make), keep=_given(settings)
            )

    def result(self) -> Opened:
        found = self._aside.result()
        return Opened(found["id"], bytes.fromhex(found["sealed"]), bytes.fromhex(found["check"]))


def start_core(settings: Settings, page: SecretPage, opened: Opened, listener: socket.socket) -> Spawned:
    """Starts a core on the listening socket; the secret goes to it from a child that is lent the page."""
    from kms.hsm.launch import launch_core

    def tell(pipe: int) -> None:
        with page.lent():
            Aside(
                "telling the core its secret", lambda: _tell(settings, page, opened, pipe), keep={pipe}
            ).result()

    core = launch_core(listener, tell)
    os.set_blocking(core.heartbeat, False)

    def buried(status: int) -> None:
        os.close(core.parent)
        core.process.returncode = status  # or subprocess would believe it alive, and warn

    return Spawned(core.pid, core.heartbeat, buried)


def _tell(settings: Settings, page: SecretPage, opened: Opened, pipe: int) -> None:
    import msgspec

    from kms.hsm.boot import Boot

    own = [os.geteuid()]
    message = Boot(
        deployment_id=opened.deployment_id,
        kek=page.read(),
        sealed_domain_keys=opened.sealed_domain_keys,
        key_check=opened.key_check,
        trail_directory=str((settings.data / "trail").absolute()),
        uids={"worker": own, "scheduler": own, "admin": own},
    )
    with os.fdopen(pipe, "wb") as stream:
        stream.write(msgspec.msgpack.encode(message))


def _open(settings: Settings, page: SecretPage, *, make: bool) -> dict[str, Any]:
    from foundation.store import SchemaTooOld, Store, StoreError
    from kms.hsm import CoreError
    from server.clock import wall

    try:
        store = Store.open(settings.database_url, wall=wall, directory=settings.data)
        try:
            store.assert_schema()
            found = store.deployment()
        except SchemaTooOld:
            if not make:
                raise
            store.migrate()
            found = store.deployment()
        if make:
            _check_clock(settings, found)
            found = _made(settings, store, page) if found is None else found
        if found is None:
            raise Refused(
                f"{settings.data} has not been served yet: `keystead serve --data {settings.data}` makes it"
            )
        _unseal(settings, found, page)
        opened = {
            "id": found.id,
            "sealed": found.sealed_domain_keys.hex(),
            "check": found.key_check.hex(),
        }
        store.close()
    except (StoreError, CoreError, OSError) as error:
        raise Refused(f"{settings.data} cannot be opened: {error}") from error
    return opened


def _check_clock(settings: Settings, found: "Deployment | None") -> None:
    if found is None or found.test_clock == settings.test_clock:
        return
    if found.test_clock:
        raise Refused(
            "this deployment has a test clock, for ever: start it with --test-clock, and never use what it issued "
            "for real"
        )
    raise Refused(
        "this deployment was made without a test clock, and its time cannot be moved: use --test-clock on an empty "
        "directory"
    )


def _made(settings: Settings, store: "Store", page: SecretPage) -> "Deployment":
    """A new deployment: its key file where no other secret was named, and its domain keys from a one-shot core."""
    import uuid

    from foundation.store import Deployment
    from kms.hsm import custody
    from kms.hsm.launch import create_domain
    from server.chance import entropy

    if any((settings.data / "trail").glob("*.trail")):
        raise Refused(
            f"{settings.data / 'trail'} holds the trail of a deployment, and the database is empty: put that "
            f"deployment's database back (keystead.db, or --database), or serve an empty directory"
        )
    path = settings.data / KEY_FILE
    if settings.unseal is None:
        with suppress(FileExistsError):  # left by a start that was killed after this step
            custody.make_key_file(path, entropy)
            print(KEY_FILE_SAYS.format(path=path), flush=True)  # noqa: T201 - told to the operator, once
    kek = custody.new_kek(custody.read_secret(_source(settings), os.environ), entropy)
    deployment_id = str(uuid.UUID(bytes=entropy(16), version=4))
    domain = create_domain(kek, deployment_id)
    deployment = Deployment(deployment_id, domain.sealed, domain.check, test_clock=settings.test_clock)
    first_steps_left(settings).touch()
    store.create_deployment(deployment)
    page.write(kek.value)
    keep_settings(settings)
    return deployment


def _unseal(settings: Settings, found: "Deployment", page: SecretPage) -> None:
    """Leaves the KEK in the page; nothing is written before the secret has proved to be the right one."""
    from kms.hsm import custody

    if page.read():
        return
    if settings.unseal is None and not (settings.data / KEY_FILE).exists():
        raise Refused(
            f"the database belongs to deployment {found.id}, and {settings.data / KEY_FILE} is not there. Name its "
            f"unseal secret with --unseal; for another host of the same deployment, `keystead join` first"
        )
    kek = custody.kek_for(custody.read_secret(_source(settings), os.environ), found.sealed_domain_keys)
    custody.check_secret(kek, found.id, custody.Domain(found.sealed_domain_keys, found.key_check))
    page.write(kek.value)


def first_steps_left(settings: Settings) -> Path:
    """A file that is there from before a deployment is made until its first account is."""
    return settings.data / "first-steps"


def keep_settings(settings: Settings) -> None:
    """Writes into DIR/keystead.toml what the directory cannot be opened without, where nobody has written one.

    Other commands are given --data alone.
    """
    needed = {
        "database": settings.database,
        # What only this start was given cannot be given again.
        "unseal": None if "fd:" in (settings.unseal or "") else settings.unseal,
    }
    lines = [f"{name} = {_toml(text)}\n" for name, text in needed.items() if text is not None]
    path = settings.data / KEPT
    if lines and not path.exists():
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w"
        ) as file:
            file.write("# What this directory is opened with; kept from the first start.\n" + "".join(lines))


def _toml(text: str) -> str:
    import json

    return json.dumps(text)  # a TOML basic string: the same escapes


def _source(settings: Settings) -> str:
    return settings.unseal or f"file:{(settings.data / KEY_FILE).absolute()}"


def _given(settings: Settings) -> set[int]:
    """The descriptor that --unseal names, if it names one."""
    kind, _, number = (settings.unseal or "").partition(":")
    return {int(number)} if kind in {"fd", "passphrase-fd"} and number.isdigit() else set()


def private_directory(data: Path) -> None:
    """Makes DIR for its owner alone. Raises `Refused`."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{data} cannot be a data directory: {error.strerror}") from error
