"""The newest events of one name about one resource: how a room finds what it last said of itself."""

from sqlalchemy import select

from foundation.store import faults_translated
from foundation.trail.index import TrailIndex, events, resources

__all__ = ["newest_events"]


def newest_events(  # noqa: PLR0917 - what is looked for, from the widest to the narrowest
    index: TrailIndex, account: str, region: str, name: str, resource: str, limit: int
) -> list[str]:
    """The bodies (JSON) of up to `limit` events, newest first; as far behind as the shipper, two seconds at most."""
    wanted = (
        select(events.c.body)
        .join(resources, resources.c.sequence == events.c.sequence)
        .where(
            resources.c.name == resource,
            events.c.account == account,
            events.c.region == region,
            events.c.name == name,
        )
        .order_by(events.c.sequence.desc())
        .limit(limit)
    )
    with faults_translated(), index.read() as connection:
        return list(connection.execute(wanted).scalars())
