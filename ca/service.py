"""The CA's one door for other rooms."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from ca.errors import CaError
from ca.orders import AuthorityView, CaSettings, Issued, IssueOrder

if TYPE_CHECKING:
    from foundation.store import Claim, Unit
    from kms.hsm import Asker, CoreClient


class CaService:
    def __init__(
        self,
        unit: "Unit",
        asker: "Asker",
        core: "CoreClient",
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        settings: CaSettings | None = None,
    ) -> None:
        raise CaError("signatures only, for the first minutes")

    def create_root(
        self, subject: x509.Name | str, spec: str, validity: timedelta, *, role: str | None = None
    ) -> AuthorityView: ...
    def create_subordinate(
        self,
        parent_arn: str,
        subject: x509.Name | str,
        spec: str,
        validity: timedelta,
        *,
        role: str | None = None,
    ) -> AuthorityView: ...
    def init(
        self, spec: str | None = None
    ) -> tuple[AuthorityView, AuthorityView]: ...  # root, subordinate; `keystead ca init`
    def deployment_hierarchy(
        self, purpose: str = "deployment"
    ) -> AuthorityView: ...  # the issuing subordinate, SYSTEM scope; purpose "door": for the HTTPS door, no CRL, made on the `now` passed in
    def issue(self, order: IssueOrder) -> Issued: ...
    def authority(self, arn_or_id: str) -> AuthorityView: ...
    def authorities(self) -> list[AuthorityView]: ...
    def roots(self) -> list[str]: ...  # PEM
    def crl(self, authority_arn: str) -> bytes: ...
    def revoke(self, authority_arn: str, serial: str, reason: str) -> None: ...
    def disable(self, authority_arn: str) -> None: ...
    def enable(self, authority_arn: str) -> None: ...
    def republish(self, claim: "Claim") -> None: ...  # job "ca.crl"
