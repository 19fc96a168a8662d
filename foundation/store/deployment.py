"""The one row that says what this database is: its id, its sealed domain keys, its clock."""

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, insert, select, update

from foundation.store.errors import Conflict, StoreError
from foundation.store.tables import DeploymentRow


@dataclass(frozen=True, slots=True)
class Deployment:
    """`sealed_domain_keys` opens only with the unseal secret, and `key_check` tells a wrong one.

    `test_clock` is for ever. `clock_offset_us` is what the service's clock is ahead of the wall's, in microseconds.
    """

    id: str
    sealed_domain_keys: bytes
    key_check: bytes
    test_clock: bool = False
    clock_offset_us: int = 0


class ClockRefused(StoreError):
    """The service's clock only moves on a deployment made with a test clock, and only forward."""


def load(connection: Connection) -> Deployment | None:
    row = connection.execute(select(DeploymentRow.__table__)).mappings().one_or_none()  # type: ignore[attr-defined]  # SQLModel gives every table class a __table__
    return (
        None
        if row is None
        else Deployment(**{name: value for name, value in row.items() if name != "single"})
    )


def create(connection: Connection, deployment: Deployment) -> None:
    """Raises Duplicate (pk_deployment) when the database has been given to a deployment already."""
    connection.execute(insert(DeploymentRow).values(single=1, **asdict(deployment)))


def set_clock_offset(connection: Connection, offset_us: int) -> Deployment:
    """Raises ClockRefused."""
    current = _existing(connection)
    if not current.test_clock:
        raise ClockRefused(
            "this deployment runs on the real clock: `serve --test-clock` makes one that can be moved"
        )
    if offset_us < current.clock_offset_us:
        raise ClockRefused("the test clock only moves forward")
    connection.execute(update(DeploymentRow).values(clock_offset_us=offset_us))
    return replace(current, clock_offset_us=offset_us)


def replace_seal(connection: Connection, sealed_domain_keys: bytes, key_check: bytes) -> Deployment:
    """The same domain keys under another unseal secret."""
    current = _existing(connection)
    connection.execute(
        update(DeploymentRow).values(sealed_domain_keys=sealed_domain_keys, key_check=key_check)
    )
    return replace(current, sealed_domain_keys=sealed_domain_keys, key_check=key_check)


def _existing(connection: Connection) -> Deployment:
    current = load(connection)
    if current is None:
        raise Conflict("this database has no deployment yet")
    return current
