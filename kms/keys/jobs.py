"""KMS's due work: deletions, rotations, expiries, replicas, changes of the primary."""

from datetime import timedelta

from foundation.store import Job
from kms.keys.deletion import Deletion
from kms.keys.expiring import Expiring
from kms.keys.replicating import Replicating
from kms.keys.rotating import Rotating
from kms.keys.scrubbing import Scrubbing
from kms.keys.work import Work


def jobs(work: Work) -> tuple[Job, ...]:
    """The jobs, for the scheduler. Each finishes its claim in the commit that carries its result."""
    return (
        Job("kms.delete", timedelta(minutes=1), Deletion(work).run),
        Job("kms.rotate", timedelta(seconds=1), Rotating(work).run),
        Job("kms.expire_material", timedelta(seconds=1), Expiring(work).run),
        Job("kms.scrub", timedelta(seconds=1), Scrubbing(work).run),
        Job("kms.replicate", timedelta(seconds=1), Replicating(work).fill),
        Job("kms.primary", timedelta(seconds=1), Replicating(work).swap),
    )
