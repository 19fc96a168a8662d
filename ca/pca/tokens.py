"""IssueCertificate's idempotency tokens: the second call with one within five minutes gets the first one's claim."""

from sqlmodel import Session

from ca.issue import RowsBeside
from ca.pca.context import Context
from ca.pca.errors import InvalidArgs
from ca.pca.lifecycle import IDEMPOTENT_FOR
from foundation.store import TokenReused, Unit, recall, remember

_OPERATION = "IssueCertificate"


class TokenTaken(Exception):
    """Another call with the token committed its intent meanwhile, under `claim`."""

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim


class Token:
    """One call's token, in the caller's account and Region, with a digest of what was asked with it."""

    def __init__(self, context: Context, token: str, digest: bytes) -> None:
        self._context = context
        self._token = token
        self._digest = digest

    def first(self) -> str | None:
        """The claim of an earlier call. Raises InvalidArgs for a token that came with other parameters."""
        with self._context.unit.read() as session:
            return self._recalled(session)

    def kept_beside(self, unit: Unit, claim: str, beside: RowsBeside) -> RowsBeside:
        """`beside`, and the token with the intent: in its commit where the authority is the caller's, else before it.

        The intent then raises TokenTaken if another call came first.
        """
        if unit.scope != self._context.unit.scope:
            self._context.unit.write(lambda session: self._keep(session, claim))
            return beside

        def intent(session: Session) -> None:
            self._keep(session, claim)
            beside.intent(session)

        return RowsBeside(intent, beside.result)

    def _keep(self, session: Session, claim: str) -> None:
        first, now = self._recalled(session), self._context.now()
        if first is not None:
            raise TokenTaken(first)
        until = now + IDEMPOTENT_FOR
        remember(session, _OPERATION, self._token, self._digest, claim, until, now=now)

    def _recalled(self, session: Session) -> str | None:
        try:
            return recall(session, _OPERATION, self._token, self._digest, self._context.now())
        except TokenReused as error:
            raise InvalidArgs(str(error)) from error
