"""The Regions that requests may be scoped to."""

from collections.abc import Collection
from functools import cache
from pathlib import Path

import botocore
import msgspec


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
