"""The Regions that requests may be scoped to."""

from collections.abc import Collection
from functools import cache
from pathlib import Path

import botocore
import msgspec

DEFAULT_REGION = "us-east-1"


class _Partition(msgspec.Struct):
    id: str
    regions: dict[str, msgspec.Raw]


class _Partitions(msgspec.Struct):
    partitions: list[_Partition]


@cache
def aws_regions() -> frozenset[str]:
    """Every Region of the `aws` partition that botocore knows, from its own list (botocore.session, which also reads
    it, costs each start a tenth of a second). `aws-global` there is a name for endpoints, not a Region.
    """
    listed = Path(botocore.__file__).parent / "data" / "partitions.json"
    partitions = msgspec.json.decode(listed.read_bytes(), type=_Partitions).partitions
    return frozenset(
        region for one in partitions if one.id == "aws" for region in one.regions if region != "aws-global"
    )


def served_regions(named: Collection[str]) -> frozenset[str]:
    """Those that the operator named, or all of AWS's: a test environment mirrors any of them."""
    return frozenset(named) or aws_regions()


class NotServed(ValueError):
    """A Region that no signed request could name, so that what is put there could not be reached by AWS's protocols."""


def check_served(region: str, named: Collection[str]) -> None:
    """Hold doors without a SigV4 scope to the same Regions. Raises NotServed with what may be written instead."""
    if region not in served_regions(named):
        known = (
            f"the served ones are {', '.join(sorted(named))}" if named else "write one of AWS's, as us-east-1"
        )
        raise NotServed(f"{region} is not a Region that is served here: {known}")
