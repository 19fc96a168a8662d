"""What an OCSP request can be answered with but a signed response (RFC 6960 4.2.1)."""

from typing import ClassVar


class Refused(Exception):
    """Answer with an OCSPResponse that has only a status. `status` is its OCSPResponseStatus."""

    status: ClassVar[int]

    def __init__(self, why: str) -> None:
        super().__init__(why)


class Malformed(Refused):
    """The request is not one of RFC 6960, or beyond the bounds that are stated here."""

    status = 1


class TryLater(Refused):
    """There is no answer now; the same question may be asked again."""

    status = 3


class Unauthorized(Refused):
    """This responder does not answer for that issuer (RFC 5019 2.2.3)."""

    status = 6
