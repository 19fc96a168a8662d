"""Which CRLs an authority keeps up, and when each is due: number 0 is the complete one, the others are partitions."""

import json
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from ca.locations import COMPLETE, crl_url
from ca.pointing import Pointing
from ca.revocation_settings import SHARDS, read_settings
from ca.states import AUTHORITY_STATES, state_at
from ca.tables import AuthorityRow, CrlRow, ShardRow
from foundation.store import cancel, schedule
from kms.hsm import is_locked

CRL_JOB: Final = "ca.crl"
MOST_URLS: Final = 16
"""Names that one CRL goes by, counting those of earlier configurations, which certificates still bear."""


def open_shards(session: Session, authority: AuthorityRow, pointing: Pointing, now: datetime) -> None:
    """Begin the CRLs that the authority's configuration asks for, and make all of its CRLs due.

    Called in the write that changes the configuration, or lets the authority publish (again). Nothing is due while its
    CRLs are switched off.
    """
    settings = read_settings(authority.revocation)
    if not settings.crl:
        return
    if settings.partitioned and settings.public_url is None:
        kept = {**json.loads(authority.revocation), "PublicUrl": pointing.public_url}
        authority.revocation = json.dumps(kept)
        settings = read_settings(authority.revocation)
    rows = {
        row.shard: row
        for row in session.exec(select(ShardRow).where(ShardRow.authority_id == authority.id)).all()
    }
    address = pointing.bucket_url(settings.bucket)
    for shard in range(1, SHARDS + 1) if settings.partitioned else (COMPLETE,):
        url = crl_url(authority.id, settings, shard, pointing.public_url, address)
        row = rows.setdefault(
            shard,
            ShardRow(
                account=authority.account,
                region=authority.region,
                authority_id=authority.id,
                shard=shard,
                urls="[]",
            ),
        )
        row.urls = json.dumps(list(dict.fromkeys((url, *json.loads(row.urls))))[:MOST_URLS])
        session.add(row)
    for shard in rows:
        schedule(session, CRL_JOB, subject_of(authority.id, shard), now, only_earlier=True)


def make_due(session: Session, authority: AuthorityRow, shard: int | None, now: datetime) -> None:
    """A certificate of that shard was revoked: the complete CRL and the shard's are due, where the authority has them."""
    if not read_settings(authority.revocation).crl:
        return
    kept = select(ShardRow.shard).where(ShardRow.authority_id == authority.id)
    for each in session.exec(kept.where(col(ShardRow.shard).in_((COMPLETE, shard or COMPLETE)))).all():
        schedule(session, CRL_JOB, subject_of(authority.id, each), now, only_earlier=True)


def close_shards(session: Session, authority_id: str) -> None:
    """Forget the CRLs of an authority that is going for good."""
    for row in session.exec(select(ShardRow).where(ShardRow.authority_id == authority_id)).all():
        cancel(session, CRL_JOB, subject_of(authority_id, row.shard))
        session.delete(row)
    for published in session.exec(select(CrlRow).where(CrlRow.authority_id == authority_id)).all():
        session.delete(published)


def subject_of(authority_id: str, shard: int) -> str:
    """What the job's claims name a CRL by."""
    return authority_id if shard == COMPLETE else f"{authority_id}/{shard}"


def publishes(authority: AuthorityRow, now: datetime) -> bool:
    """Whether it keeps up CRLs now: its state lets it, they are switched on, and its key is not locked."""
    state = state_at(authority.status, authority.not_after, now)
    able = "crl" in AUTHORITY_STATES[state] and not is_locked(authority.key_token)
    return able and read_settings(authority.revocation).crl
