"""Answering OCSP requests: from memory while an answer is young and nothing was revoked, else signed anew.

An answer is signed at the first question and again from half of its validity on. A revocation raises the authority's
generation in its own commit, so every worker looks again at what it has kept; what did not change is kept.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ca.errors import CaError, NotPublished, SignatureMismatch
from ca.ocsp.budget import Budget
from ca.ocsp.cache import Bounded
from ca.ocsp.errors import TryLater, Unauthorized
from ca.ocsp.question import CertId, Question, read_question
from ca.ocsp.records import UNKNOWN, Found, key_bits, look_up, signer_key
from ca.ocsp.signers import signer_label
from ca.ocsp.tables import SignerRow
from ca.ocsp.wording import Status, key_hash_of, response_data, successful
from ca.revocation_settings import generation_of
from ca.tables import PlaceRow
from foundation.store import Scope, StoreError, Unit
from kms.hsm import Asker, CoreClient, CoreError

VALID_FOR: Final = timedelta(hours=2)  # so that an answer in use was produced within the hour (SECURITY 2.10)
UNKNOWN_FOR: Final = timedelta(minutes=5)  # a serial number may be given out meanwhile
KEPT: Final = 4096  # answers of about 1 KB in each worker
_ASKER: Final = Asker("ocsp", "acm-pca.amazonaws.com")


@dataclass(frozen=True, slots=True)
class Answer:
    """A signed OCSPResponse, DER. `refresh_at` is when it is signed anew, or None where nobody may keep it."""

    body: bytes
    produced_at: datetime
    until: datetime
    refresh_at: datetime | None
    etag: str


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    statuses: tuple[Status, ...]
    generation: int

    def serves(self, generation: int, now: datetime) -> bool:
        return self.generation == generation and self.young(now)

    def young(self, now: datetime) -> bool:
        return self.answer.refresh_at is not None and now < self.answer.refresh_at


class MakesSigners(Protocol):
    """The signer of an authority: see `CaService.ocsp_signer`."""

    def __call__(self, scope: Scope, authority_id: str, /) -> SignerRow: ...


class Responder:
    """Answers for all authorities of the deployment. Thread-safe; one in each process.

    unit: of the SYSTEM scope, without an event. generation: see `Store.generation`.
    """

    def __init__(
        self,
        unit: Unit,
        core: CoreClient,
        signers: MakesSigners,
        *,
        generation: Callable[[str], int],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._unit = unit
        self._core = core
        self._signers = signers
        self._generation = generation
        self._now = now
        self._budget = Budget(monotonic)
        self._places: dict[str, Scope] = {}
        self._keys: Bounded[tuple[str, bytes], tuple[str, bytes]] = Bounded(KEPT)  # request -> its CertID
        self._kept: Bounded[tuple[str, bytes], _Kept] = Bounded(KEPT)

    def answer(self, authority_id: str, request: bytes) -> Answer:
        """The answer of that authority's responder to an OCSPRequest (DER).

        Raises Refused (Malformed, Unauthorized, TryLater), and NotPublished for an authority that there is not.
        """
        generation, now = self._generation(generation_of(authority_id)), self._now()
        key = self._keys.get((authority_id, request))
        kept = None if key is None else self._kept.get(key)
        if kept is not None and kept.serves(generation, now):
            return kept.answer
        scope = self._place(authority_id)
        question = read_question(request)
        try:
            if question.nonce is None and len(question.certificates) == 1:
                key = (authority_id, question.certificates[0].der)
                self._keys.put((authority_id, request), key)
                return self._keepable(scope, key, question, generation)
            return self._fresh(scope, authority_id, question, generation)
        except (CaError, CoreError, StoreError) as error:
            raise TryLater(f"{type(error).__name__}: {error}") from error

    def _keepable(self, scope: Scope, key: tuple[str, bytes], question: Question, generation: int) -> Answer:
        """The answer about one certificate, without a nonce."""
        now, kept = self._now(), self._kept.get(key)
        if kept is not None and kept.serves(generation, now):
            return kept.answer
        found = self._look_up(scope, key[0], question.certificates)
        if kept is not None and kept.young(now) and kept.statuses == found.statuses:
            self._kept.put(key, replace(kept, generation=generation))
            return kept.answer
        if UNKNOWN in found.statuses:
            self._afford()
            return self._signed(scope, key[0], question, found)
        answer = self._signed(scope, key[0], question, found)
        self._kept.put(key, _Kept(answer, found.statuses, generation))
        return answer

    def _fresh(self, scope: Scope, authority_id: str, question: Question, generation: int) -> Answer:
        """An answer for this request alone; beyond the budget, the kept one without the nonce (RFC 5019 4)."""
        if not self._budget.take():
            if len(question.certificates) > 1:
                raise TryLater("too many requests that no kept answer is for")
            key = (authority_id, question.certificates[0].der)
            return self._keepable(scope, key, replace(question, nonce=None), generation)
        return self._signed(
            scope, authority_id, question, self._look_up(scope, authority_id, question.certificates)
        )

    def _afford(self) -> None:
        if not self._budget.take():
            raise TryLater("too many questions about unknown certificates")

    def _place(self, authority_id: str) -> Scope:
        scope = self._places.get(authority_id)
        if scope is None:
            with self._unit.read() as session:
                place = session.get(PlaceRow, authority_id)
            if place is None:
                raise NotPublished(f"there is no certificate authority {authority_id}")
            scope = self._places[authority_id] = Scope(place.account, place.region)
        return scope

    def _look_up(self, scope: Scope, authority_id: str, asked: tuple[CertId, ...]) -> Found:
        unit = self._unit.at(scope, because="OCSP answers anybody who has a certificate")
        with unit.read() as session:
            return look_up(session, authority_id, asked, self._now())

    def _signed(self, scope: Scope, authority_id: str, question: Question, found: Found) -> Answer:
        now = self._now().replace(microsecond=0)
        signer = found.signer
        if signer is None or signer.not_after is None or signer.not_after <= now:
            signer = self._signers(scope, authority_id)
        unknown = UNKNOWN in found.statuses
        until = min(now + (UNKNOWN_FOR if unknown else VALID_FOR), signer.not_after or now)
        if until <= now or signer.certificate is None:
            raise Unauthorized("the authority ends now")
        answers = tuple(zip(question.certificates, found.statuses, strict=True))
        to_be_signed = response_data(
            key_hash_of(key_bits(signer.public_key)), now, until, answers, question.nonce
        )
        body = successful(to_be_signed, self._signature(signer, to_be_signed), signer.certificate)
        lasting = question.nonce is None and len(answers) == 1 and not unknown
        return Answer(
            body=body,
            produced_at=now,
            until=until,
            refresh_at=now + (until - now) / 2 if lasting else None,
            etag=hashlib.sha256(body).hexdigest(),
        )

    def _signature(self, signer: SignerRow, to_be_signed: bytes) -> bytes:
        signature = self._core.sign(
            signer.key_token, signer_label(signer), _ASKER, "ECDSA_SHA_256", to_be_signed, kind="ocsp"
        )
        try:
            signer_key(signer.public_key).verify(signature, to_be_signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise SignatureMismatch("the core's signature does not match the OCSP signer's key") from error
        return signature
