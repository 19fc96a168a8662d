"""Tags on certificates: at most 50, unique keys, `aws:` reserved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlmodel import Session, col, select

from acm.errors import InvalidTag, TooManyTags
from acm.tables import CertificateTag
from foundation.store import Scope

TAG_LIMIT = 50
_RESERVED = "aws:"


def judge_tags(tags: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """Tags as key → value; raise InvalidTag for a reserved or repeated key, TooManyTags beyond 50."""
    judged: dict[str, str | None] = {}
    for tag in tags:
        key, value = tag["Key"], tag.get("Value")
        if key.lower().startswith(_RESERVED) or (value or "").lower().startswith(_RESERVED):
            raise InvalidTag(f'Tag keys and values cannot begin with "{_RESERVED}": {key}')
        if key in judged:
            raise InvalidTag(f"The tag key {key} is there more than once")
        judged[key] = value
    if len(judged) > TAG_LIMIT:
        raise TooManyTags(f"A certificate may have {TAG_LIMIT} tags; this request has {len(judged)}")
    return judged


def tags_of(session: Session, certificate_id: str) -> dict[str, str | None]:
    """A certificate's tags, by key in order."""
    return {row.key: row.value for row in _rows(session, certificate_id)}


def put_tags(session: Session, scope: Scope, certificate_id: str, tags: Mapping[str, str | None]) -> None:
    """Add tags, replacing the values of keys that exist; raise TooManyTags when more than 50 would result."""
    present = {row.key: row for row in _rows(session, certificate_id)}
    total = len(present.keys() | tags.keys())
    if total > TAG_LIMIT:
        raise TooManyTags(f"A certificate may have {TAG_LIMIT} tags; this one would have {total}")
    for key, value in tags.items():
        row = present.get(key) or CertificateTag(
            account=scope.account, region=scope.region, certificate_id=certificate_id, key=key
        )
        row.value = value
        session.add(row)


def drop_tags(session: Session, certificate_id: str, tags: Iterable[Mapping[str, Any]]) -> None:
    """Remove tags: by key alone, or, where a value is given, only if it is the tag's value."""
    present = {row.key: row for row in _rows(session, certificate_id)}
    for tag in tags:
        row = present.get(tag["Key"])
        if row is not None and ("Value" not in tag or tag["Value"] == (row.value or "")):
            session.delete(row)
            del present[tag["Key"]]


def _rows(session: Session, certificate_id: str) -> list[CertificateTag]:
    mine = select(CertificateTag).where(CertificateTag.certificate_id == certificate_id)
    return list(session.exec(mine.order_by(col(CertificateTag.key))))
