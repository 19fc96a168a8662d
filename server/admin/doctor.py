"""What `keystead doctor` looks at. Each examination is one function and gives one finding, or none."""

import shutil
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from foundation.store import StoreError
from kms.hsm import CoreError, KeyRefused
from server.door_certificate import DoorCertificate, door_names

if TYPE_CHECKING:
    from server.assembly import Assembly

Finding = dict[str, str]

# Less free space than this, and the trail may soon be unable to record: then nothing is done at all.
LEAST_FREE = 256 * 1024 * 1024
# Due work that has waited longer than this is stuck, or the scheduler is overwhelmed.
LONGEST_WAIT = timedelta(minutes=10)


def examine(assembly: "Assembly") -> list[Finding]:
    """All findings, in the order of the table below."""
    found = (look(assembly) for look in EXAMINATIONS)
    return [finding for finding in found if finding is not None]


def unsealing(assembly: "Assembly") -> Finding | None:
    data, told = assembly.settings.data, assembly.settings.unseal
    if told is not None and not told.startswith("file:"):
        return _ok("unseal secret", f"taken from {told.split(':')[0]}")
    path = Path(told.removeprefix("file:")) if told is not None else data / "unseal.key"
    if not path.exists():
        return _wrong(
            "unseal secret", f"{path} is gone: keep the server running, and find a copy before it stops"
        )
    if path.stat().st_mode & 0o077:
        return _wrong("unseal secret", f"{path} can be read by others: chmod 600 {path}")
    if path.resolve().is_relative_to(data.resolve()):
        return _note(
            "unseal secret",
            f"{path} lies beside what it unseals: whoever copies this directory, a backup included, has every key. "
            "Move it elsewhere and start with --unseal file:PATH, or use credential:NAME or a passphrase",
        )
    return _ok("unseal secret", f"in {path}, apart from the data")


def directory(assembly: "Assembly") -> Finding | None:
    data = assembly.settings.data
    if stat.S_IMODE(data.stat().st_mode) & 0o077:
        return _wrong("data directory", f"{data} is open to other users: chmod 700 {data}")
    return _ok("data directory", f"{data} is closed to other users")


def space(assembly: "Assembly") -> Finding | None:
    free = shutil.disk_usage(assembly.settings.data).free
    says = f"{free // 2**20} MB free"
    return (
        _ok("disk", says)
        if free >= LEAST_FREE
        else _wrong("disk", f"{says}: without space nothing can be recorded")
    )


def core(assembly: "Assembly") -> Finding | None:
    try:
        assembly.core.ping()
    except CoreError as error:
        return _wrong("key core", f"does not answer: {error}")
    return _ok("key core", "answers")


def database(assembly: "Assembly") -> Finding | None:
    try:
        deployment = assembly.store.deployment()
    except StoreError as error:
        return _wrong("database", f"does not answer: {error}")
    if deployment is None:
        return _wrong("database", "belongs to no deployment")
    return _ok("database", f"{assembly.store.dialect}, deployment {deployment.id}")


def test_clock(assembly: "Assembly") -> Finding | None:
    deployment = assembly.store.deployment()
    if deployment is None or not deployment.test_clock:
        return None
    now = assembly.clock.now()
    return _note(
        "clock", f"a test clock, now at {now:%Y-%m-%d %H:%M} UTC: nothing issued here is for real use"
    )


def due_work(assembly: "Assembly") -> Finding | None:
    soonest = assembly.store.next_due([job.kind for job in assembly.jobs])
    now = assembly.clock.now()
    if soonest is not None and now - soonest > LONGEST_WAIT:
        return _wrong(
            "due work", f"something has waited since {soonest:%Y-%m-%d %H:%M} UTC: see the scheduler's log"
        )
    return _ok("due work", "nothing is late")


def outbox(assembly: "Assembly") -> Finding | None:
    waiting = len(assembly.store.pending())
    if waiting > 500:
        return _wrong("trail", f"{waiting} events or more wait to be recorded: does the core write?")
    return _ok("trail", "events are recorded as they come")


def door(assembly: "Assembly") -> Finding | None:
    if assembly.settings.tls_listen is None:
        return _note("HTTPS", "off: the service answers plain HTTP only (--tls-listen)")
    if DoorCertificate(assembly.settings.data).due(
        door_names(assembly.settings.tls_names), assembly.clock.wall()
    ):
        return _wrong(
            "HTTPS", "the door's certificate is due for renewal, and the scheduler has not renewed it"
        )
    return _ok("HTTPS", "the door's certificate is fresh")


def resolvers(assembly: "Assembly") -> Finding | None:
    if not assembly.settings.resolver:
        return _note("DNS", "validation asks the system's resolvers; --resolver names your own")
    return _ok("DNS", f"validation asks {len(assembly.settings.resolver)} named resolver(s)")


def revocation_lists(assembly: "Assembly") -> Finding | None:
    now = assembly.clock.now()
    late = assembly.public_pki.late_crls(now)
    expired = [authority for authority, end in late if end < now]
    if expired:
        return _wrong(
            "CRLs", f"{len(expired)} expired, the first of authority {expired[0]}: clients refuse them"
        )
    if late:
        return _wrong("CRLs", f"{len(late)} should have been replaced, the first of authority {late[0][0]}")
    return _ok("CRLs", "every published list is in the first half of its life")


def merkle_log(assembly: "Assembly") -> Finding | None:
    try:
        size = assembly.merkle_log.advance()
    except KeyRefused as refused:
        return _wrong("log", f"the key core signs no checkpoint (docs/log.md): {refused}")
    except (CoreError, StoreError) as error:
        return _wrong("log", f"cannot go on: {error}")
    return _ok("log", f"{size} entries, all of them under a signed checkpoint")


def public_url(assembly: "Assembly") -> Finding | None:
    url = assembly.settings.own_url
    if assembly.settings.public_url is None:
        return _note(
            "public URL", f"certificates name {url} for as long as they live: --public-url says better"
        )
    return _ok("public URL", f"certificates name {url}")


EXAMINATIONS: tuple[Callable[["Assembly"], Finding | None], ...] = (
    directory,
    unsealing,
    space,
    database,
    core,
    test_clock,
    due_work,
    outbox,
    door,
    resolvers,
    revocation_lists,
    merkle_log,
    public_url,
)


def _ok(about: str, says: str) -> Finding:
    return {"verdict": "ok", "about": about, "says": says}


def _note(about: str, says: str) -> Finding:
    return {"verdict": "note", "about": about, "says": says}


def _wrong(about: str, says: str) -> Finding:
    return {"verdict": "wrong", "about": about, "says": says}
