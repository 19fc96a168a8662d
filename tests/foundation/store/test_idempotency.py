"""The second call with one token gets the first one's answer, however the two raced."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, func, select

from foundation.store import Store, TokenReused, recall, remember
from foundation.store.tables import Idempotency
from tests.foundation.store.rows import HERE, OTHERS, Note, note

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ask(session: Session, token: str = "t", digest: bytes = b"digest", now: datetime = NOON) -> str | None:
    return recall(session, "RequestCertificate", token, digest, now)


def keep(session: Session, token: str = "t", result: str = "arn", now: datetime | None = None) -> None:
    at = now or NOON
    remember(session, "RequestCertificate", token, b"digest", result, at + HOUR, now=now)


def test_a_remembered_result_is_recalled_until_it_expires(any_store: Store) -> None:
    unit = any_store.unit(HERE)
    assert unit.write(ask) is None
    unit.write(keep)
    with unit.read() as session:
        assert ask(session) == "arn"
        assert ask(session, now=NOON + HOUR - timedelta(microseconds=1)) == "arn"
        assert ask(session, now=NOON + HOUR) is None
        assert ask(session, token="other") is None
        assert recall(session, "ImportCertificate", "t", b"digest", NOON) is None
    with any_store.unit(OTHERS).read() as session:
        assert ask(session) is None


def test_a_token_with_another_request_is_refused_while_it_lives(any_store: Store) -> None:
    any_store.unit(HERE).write(keep)
    with any_store.unit(HERE).read() as session:
        with pytest.raises(TokenReused):
            ask(session, digest=b"another")
        assert ask(session, digest=b"another", now=NOON + HOUR) is None


def test_an_expired_token_may_be_used_anew(any_store: Store) -> None:
    any_store.unit(HERE).write(keep)
    any_store.unit(HERE).write(lambda session: keep(session, result="new", now=NOON + 2 * HOUR))
    with any_store.unit(HERE).read() as session:
        assert ask(session, now=NOON + 2 * HOUR) == "new"


def test_expired_tokens_are_swept_along(any_store: Store) -> None:
    def old(session: Session) -> None:
        for number in range(6):
            keep(session, token=f"old{number}")

    def new(session: Session) -> None:
        for number in range(2):
            keep(session, token=f"new{number}", now=NOON + 2 * HOUR)
            session.flush()

    any_store.unit(HERE).write(old)
    any_store.unit(OTHERS).write(keep)
    any_store.unit(HERE).write(new)
    for scope, left in ((HERE, 2), (OTHERS, 1)):
        with any_store.unit(scope).read() as session:
            assert session.exec(select(func.count()).select_from(Idempotency)).one() == left


def test_eight_racing_calls_with_one_token_have_one_effect(any_store: Store) -> None:
    barrier = threading.Barrier(8)
    answers: list[str] = []

    def call(number: int) -> None:
        def body(session: Session) -> str:
            known = ask(session)
            if known is not None:
                return known
            session.add(note(HERE, f"by {number}"))
            keep(session, result=f"by {number}")
            return f"by {number}"

        barrier.wait()
        answers.append(any_store.unit(HERE).write(body))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    with any_store.unit(HERE).read() as session:
        assert session.exec(select(Note.name)).all() == [answers[0]]
    assert set(answers) == {answers[0]}
