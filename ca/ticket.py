"""The right to one signature: it is given for bytes that passed the lints, and it is used up by signing them."""

from cryptography import x509

from ca.lints import Case, lint
from ca.profiles import Profile


class TicketUsed(RuntimeError):
    """A ticket was redeemed twice: a bug of ours, which must not become a second signature."""


class Ticket:
    """To-be-signed bytes that passed every lint, because making a ticket is linting them.

    `ca.signing` takes nothing but tickets, so nothing is signed that was not linted, and each ticket signs once.
    """

    __slots__ = ("_used", "certificate", "profile")

    def __init__(
        self,
        certificate: x509.Certificate,
        issuer: x509.Certificate | None,
        profile: Profile,
        above: tuple[x509.Certificate, ...] = (),
    ) -> None:
        """Lint a draft against its issuer (None: it is a root), those above it, and its profile. Raises LintFailure."""
        lint(Case(certificate, certificate if issuer is None else issuer, profile, above))
        self.certificate = certificate
        self.profile = profile
        self._used = False

    @property
    def tbs(self) -> bytes:
        """The bytes, to be written down before they are signed."""
        return self.certificate.tbs_certificate_bytes

    def redeem(self) -> bytes:
        """The bytes, to be signed now. Raises TicketUsed the second time."""
        if self._used:
            raise TicketUsed(f"the ticket for serial {self.certificate.serial_number:x} was used before")
        self._used = True
        return self.tbs
