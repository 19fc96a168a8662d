"""The job "ca.crl": an authority's CRLs (RFC 5280 5), each drawn up from one snapshot, signed, served and delivered.

Numbers only rise, over all of an authority's CRLs, and past what the trail has seen. What is revoked while a list is
being signed makes the next one due at once; any number of revocations before that make one list.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from sqlalchemy import Select
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from ca import crl
from ca.authorities import found
from ca.crl_journal import CrlJournal
from ca.errors import BucketDenied, BucketMissing, SinkUnavailable
from ca.keys import CA_KEY_SPECS
from ca.locations import COMPLETE, crl_url, object_key
from ca.pointing import Pointing
from ca.revocation_settings import SHARDS, RevocationSettings, read_settings
from ca.shards import MOST_URLS, publishes
from ca.signing import Signer
from ca.tables import AuthorityRow, CrlRow, RevocationRow, ShardRow
from foundation.store import Claim, Unit

MEDIA_TYPE: Final = "application/pkix-crl"  # RFC 2585 4.2
_DELIVER_AGAIN: Final = timedelta(minutes=15)  # AWS's interval (CrlConfiguration)


@dataclass(frozen=True, slots=True)
class Edition:
    """One CRL about to be drawn up: its number is reserved, and so are the names that it goes by."""

    authority: AuthorityRow
    settings: RevocationSettings
    shard: int
    urls: tuple[str, ...]
    number: int
    this_update: datetime
    next_update: datetime

    @property
    def key(self) -> tuple[str, str, str, int]:
        """The primary key of the list in `ca.tables`."""
        return (self.authority.account, self.authority.region, self.authority.id, self.shard)


class Publishing:
    """Publishes CRLs of the scope's authorities."""

    def __init__(
        self,
        unit: Unit,
        signer: Signer,
        *,
        now: Callable[[], datetime],
        crl_validity: timedelta,
        pointing: Pointing,
        journal: CrlJournal | None,
    ) -> None:
        """`crl_validity` is for authorities that say none. Without a journal nothing is remembered outside the database."""
        self._unit = unit
        self._signer = signer
        self._now = now
        self._crl_validity = crl_validity
        self._pointing = pointing
        self._journal = journal

    def publish(self, claim: Claim) -> None:
        """Publish the CRL that the claim names; the next is due at half of this one's life.

        The claim is finished in the commit that publishes, or, where there is a bucket, after the list is there: what
        was killed in between is done again. The work of an authority that is expired or deleted, or whose
        CRLs are switched off, ends. Raises SinkUnavailable, BucketMissing, BucketDenied when the list is served but
        could not be delivered to its bucket: it is due again in 15 minutes.
        """
        authority_id, _, shard = claim.subject.partition("/")
        highest = 0 if self._journal is None else self._journal.highest(self._unit.scope, authority_id)
        edition = self._unit.write(
            lambda session: self._reserve(session, claim, authority_id, int(shard or COMPLETE), highest)
        )
        if edition is None:
            return
        covers, signed = self._drawn_up(edition)

        def keep(unit: Unit) -> None:
            unit.write(lambda session: self._keep(session, edition, signed, covers, claim))

        if self._journal is None:
            keep(self._unit)
        else:
            details = {
                "certificateAuthorityId": authority_id,
                "crlNumber": edition.number,
                "partition": edition.shard,
            }
            self._journal.publish(self._unit.scope, authority_id, details, keep)
        if edition.settings.bucket is None:
            return
        undelivered = self._deliver(edition, edition.settings.bucket)
        self._unit.write(lambda session: self._finish(session, edition, covers, claim, undelivered))
        if undelivered is not None:
            raise undelivered

    def _reserve(
        self, session: Session, claim: Claim, authority_id: str, shard: int, highest: int
    ) -> Edition | None:
        now = self._now().replace(microsecond=0)
        authority = session.exec(select(AuthorityRow).where(AuthorityRow.id == authority_id)).one_or_none()
        row = _shard_row(session, authority_id, shard)
        if authority is None or row is None or not publishes(authority, now):
            claim.finish(session)
            return None
        settings = read_settings(authority.revocation)
        authority.crl_number = max(authority.crl_number, highest) + 1
        urls = self._named(authority_id, settings, row)
        session.add_all((authority, row))
        validity = (
            self._crl_validity
            if settings.expiration_days is None
            else timedelta(days=settings.expiration_days)
        )
        return Edition(authority, settings, shard, urls, authority.crl_number, now, now + validity)

    def _named(self, authority_id: str, settings: RevocationSettings, row: ShardRow) -> tuple[str, ...]:
        """The URLs that certificates know the shard by, with that of the public URL of today, kept in its row."""
        address = self._pointing.bucket_url(settings.bucket)
        wanted = [
            crl_url(authority_id, each, row.shard, self._pointing.public_url, address)
            for each in (settings, settings.at(self._pointing.public_url))
        ]
        urls = list(dict.fromkeys((*wanted, *json.loads(row.urls))))[:MOST_URLS]
        if urls != json.loads(row.urls):
            row.urls = json.dumps(urls)
        return tuple(urls)

    def _drawn_up(self, edition: Edition) -> tuple[int, bytes]:
        """What the list covers, and the list, signed. Its entries are read, written and forgotten: they may be many."""
        authority = edition.authority
        assert authority.certificate is not None  # an authority that publishes has one
        issuer = x509.load_der_x509_certificate(authority.certificate)
        with self._unit.read() as session:
            covers = found(session, authority.id).revocations
            tbs = crl.to_be_signed(
                crl.Contents(
                    algorithm=CA_KEY_SPECS[authority.key_spec].identifier,
                    issuer=issuer.subject.public_bytes(),
                    key_identifier=issuer.extensions.get_extension_for_class(
                        x509.SubjectKeyIdentifier
                    ).value.digest,
                    number=edition.number,
                    this_update=edition.this_update,
                    next_update=edition.next_update,
                    entries=_entries(session, edition),
                    urls=() if edition.shard == COMPLETE else edition.urls,
                )
            )
        return covers, self._signer.revocation_list(tbs, authority)

    def _deliver(
        self, edition: Edition, bucket: str
    ) -> SinkUnavailable | BucketMissing | BucketDenied | None:
        """Put the newest list that is kept into the bucket, and look again whether it still is: what went wrong, if anything.

        Of two that deliver at once (a claim ran out) either's put may land last. Each kept its list before, so
        whoever's that is sees the newest then, and puts it.
        """
        settings, sink, delivered = edition.settings, self._pointing.sink, 0
        if sink is None:
            return SinkUnavailable("there is no place for buckets in this process")
        key = object_key(edition.authority.id, settings, edition.shard)
        while True:
            with self._unit.read() as session:
                row = session.get(CrlRow, edition.key)
            if row is None or row.number == delivered:
                return None
            try:
                sink.put(bucket, key, row.crl, media_type=MEDIA_TYPE, public=settings.public_read)
            except (SinkUnavailable, BucketMissing, BucketDenied) as error:
                return error
            delivered = row.number

    def _keep(self, session: Session, edition: Edition, signed: bytes, covers: int, claim: Claim) -> None:
        """Publish, unless a higher number is out already."""
        row = session.get(CrlRow, edition.key)
        if row is None or row.number < edition.number:
            session.add(_published(row, edition, signed, covers))
        self._take_up(session, found(session, edition.authority.id))
        if edition.settings.bucket is None:
            self._finish(session, edition, covers, claim, None)

    def _finish(
        self, session: Session, edition: Edition, covers: int, claim: Claim, undelivered: Exception | None
    ) -> None:
        """Say when the next is due: at once after new revocations."""
        due = edition.this_update + (edition.next_update - edition.this_update) / 2
        if undelivered is not None:
            due = min(due, self._now() + _DELIVER_AGAIN)
        if _revoked_since(session, edition.authority.id, edition.shard, covers):
            due = self._now()
        claim.finish(session, due)

    def _take_up(self, session: Session, authority: AuthorityRow) -> None:
        """Let certificates name partitions by a new public URL, once every partition's CRL goes by that name too."""
        settings, public_url = read_settings(authority.revocation), self._pointing.public_url
        if not settings.partitioned or settings.public_url == public_url:
            return
        session.flush()
        rows = session.exec(select(ShardRow).where(ShardRow.authority_id == authority.id)).all()
        known = {row.shard: row.urls for row in rows}
        address = self._pointing.bucket_url(settings.bucket)
        for shard in range(1, SHARDS + 1):
            url = crl_url(authority.id, settings.at(public_url), shard, public_url, address)
            if url not in json.loads(known.get(shard, "[]")):
                return
        authority.revocation = json.dumps({**json.loads(authority.revocation), "PublicUrl": public_url})
        session.add(authority)


def _shard_row(session: Session, authority_id: str, shard: int) -> ShardRow | None:
    mine = select(ShardRow).where(ShardRow.authority_id == authority_id, ShardRow.shard == shard)
    return session.exec(mine).one_or_none()


def _entries(session: Session, edition: Edition) -> Iterator[tuple[str, datetime, str]]:
    """The entries in the order of revocation. One stays until one CRL after its certificate has run out (RFC 5280 3.3)."""
    authority_id, shard = edition.authority.id, edition.shard
    shown = session.exec(
        select(CrlRow.this_update).where(CrlRow.authority_id == authority_id, CrlRow.shard == shard)
    ).one_or_none()
    query: Select[str, datetime, str] = (
        sql_select(col(RevocationRow.serial), col(RevocationRow.revoked_at), col(RevocationRow.reason))
        .where(col(RevocationRow.authority_id) == authority_id)
        .order_by(col(RevocationRow.revoked_at), col(RevocationRow.serial))
    )
    if shard != COMPLETE:
        query = query.where(col(RevocationRow.shard) == shard)
    if shown is not None:
        query = query.where(col(RevocationRow.not_after) > shown)
    return ((serial, revoked_at, reason) for serial, revoked_at, reason in session.execute(query))


def _revoked_since(session: Session, authority_id: str, shard: int, covers: int) -> bool:
    later = select(RevocationRow.serial).where(
        RevocationRow.authority_id == authority_id, col(RevocationRow.ordinal) > covers
    )
    if shard != COMPLETE:
        later = later.where(RevocationRow.shard == shard)
    return session.exec(later.limit(1)).first() is not None


def _published(row: CrlRow | None, edition: Edition, signed: bytes, covers: int) -> CrlRow:
    row = row or CrlRow(
        account=edition.authority.account,
        region=edition.authority.region,
        authority_id=edition.authority.id,
        shard=edition.shard,
        number=0,
        covers=0,
        this_update=edition.this_update,
        next_update=edition.next_update,
        crl=b"",
    )
    row.number, row.covers, row.crl = edition.number, covers, signed
    row.this_update, row.next_update = edition.this_update, edition.next_update
    return row
