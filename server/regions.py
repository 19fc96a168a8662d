"""The Regions that requests may be scoped to."""

from collections.abc import Collection
from functools import cache

import botocore.session


@cache
def aws_regions() -> frozenset[str]:
    """Every Region of the `aws` partition that botocore knows for ACM."""
    return frozenset(botocore.session.get_session().get_available_regions("acm", "aws"))


def served_regions(named: Collection[str]) -> frozenset[str]:
    """Those that the operator named, or all of AWS's: a test environment mirrors any of them."""
    return frozenset(named) or aws_regions()
