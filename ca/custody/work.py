"""What an operator's acts on authorities are done with: the account's rows, the core, the clocks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ca.arns import authority_arn, parse_authority_arn
from ca.authorities import Authorities
from ca.errors import AuthorityNotFound
from ca.issue import Issuance
from ca.pointing import Pointing
from foundation.store import Claim, Unit
from kms.hsm import Asker, CoreClient


@dataclass(frozen=True, slots=True)
class Work:
    """One operator's call in one account and Region. now: the service's clock. wall: the wall clock, which the core has.

    publish: does the job "ca.crl" for one claim.
    """

    unit: Unit
    asker: Asker
    core: CoreClient
    now: Callable[[], datetime]
    wall: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    pointing: Pointing
    issuance: Issuance
    authorities: Authorities
    publish: Callable[[Claim], None]

    def arn(self, authority_id: str) -> str:
        """The ARN of an authority of this account and Region."""
        return authority_arn(self.unit.scope, authority_id)

    def own(self, arn: str) -> str:
        """The id of an authority of this account and Region. Raises AuthorityNotFound."""
        scope, authority_id = parse_authority_arn(arn)
        if scope != self.unit.scope:
            raise AuthorityNotFound(
                f"{arn} is not in account {self.unit.scope.account}, Region {self.unit.scope.region}:"
                " name its account with --account and its Region with --region"
            )
        return authority_id
