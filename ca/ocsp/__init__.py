"""The OCSP responder (RFC 6960, RFC 5019): delegated signers, and answers that are kept while they are true."""

from ca.ocsp.errors import Malformed, Refused, TryLater, Unauthorized
from ca.ocsp.question import MAX_REQUEST, read_question
from ca.ocsp.responder import Answer, Responder
from ca.ocsp.signers import OCSP_JOB, Signers
from ca.ocsp.wording import unsuccessful

__all__ = [
    "MAX_REQUEST",
    "OCSP_JOB",
    "Answer",
    "Malformed",
    "Refused",
    "Responder",
    "Signers",
    "TryLater",
    "Unauthorized",
    "read_question",
    "unsuccessful",
]
