"""ca_log"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ca_log_pending',
    sa.Column('leaf', sa.LargeBinary(), nullable=False),
    sa.Column('entry', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('leaf', name=op.f('pk_ca_log_pending'))
    )
    op.create_table('ca_log_tile',
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('level', 'number', name=op.f('pk_ca_log_tile'))
    )
    op.create_table('ca_log_head',
    sa.Column('single', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('origin', sa.String(), nullable=False),
    sa.Column('key_token', sa.LargeBinary(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('root', sa.LargeBinary(), nullable=False),
    sa.Column('checkpoint_size', sa.BigInteger(), nullable=False),
    sa.Column('checkpoint', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('single', name=op.f('pk_ca_log_head'))
    )
    _take_in_the_past(op.get_bind())


def _take_in_the_past(connection: sa.Connection) -> None:
    """What was issued and revoked before there was a log goes into it as well (the form of ca/log/entries.py)."""
    keys = {
        (row.account, row.region, row.id): hashlib.sha256(row.public_key).hexdigest()
        for row in connection.execute(sa.text("SELECT account, region, id, public_key FROM ca_authority"))
    }
    issued = sa.text(
        "SELECT account, region, authority_id, serial, tbs, certificate FROM ca_certificate"
    )
    waiting: dict[bytes, bytes] = {}
    for row in connection.execute(issued, execution_options={"yield_per": 1000}):
        tbs = bytes(row.tbs) if row.certificate is None else _tbs(bytes(row.certificate))
        issuer = keys[row.account, row.region, row.authority_id]
        _wait(waiting,
            {"type": "issued", "issuer": issuer, "serial": row.serial, "tbs": hashlib.sha256(tbs).hexdigest()}
        )
    revoked = sa.text(
        "SELECT account, region, authority_id, serial, reason FROM ca_revocation"
    )
    for row in connection.execute(revoked):
        issuer = keys[row.account, row.region, row.authority_id]
        _wait(waiting, {"type": "revoked", "issuer": issuer, "serial": row.serial, "reason": row.reason})
    put = sa.text("INSERT INTO ca_log_pending (leaf, entry) VALUES (:leaf, :entry)")
    rows = [{"leaf": leaf, "entry": entry} for leaf, entry in waiting.items()]
    for at in range(0, len(rows), 1000):
        connection.execute(put, rows[at : at + 1000])


def _wait(waiting: dict[bytes, bytes], fields: dict[str, str]) -> None:
    entry = json.dumps(fields, separators=(",", ":")).encode()
    waiting[hashlib.sha256(b"\x00" + entry).digest()] = entry


def _tbs(certificate: bytes) -> bytes:
    """The first element of a SEQUENCE, DER."""
    start = _content(certificate, 0)[0]
    return certificate[start : _content(certificate, start)[1]]


def _content(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins, and where it ends."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + size], "big"), begin + size
    return begin, begin + length
