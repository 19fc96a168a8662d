"""ca_compromised_key"""

import hashlib

import sqlalchemy as sa
from alembic import op
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ca_compromised_key',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('key_digest', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'key_digest', name=op.f('pk_ca_compromised_key'))
    )
    _take_over()


def _take_over() -> None:
    """What was revoked for compromise before: each key once in its account and Region."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT c.account, c.region, c.certificate FROM ca_revocation AS r JOIN ca_certificate AS c"
            " ON c.account = r.account AND c.region = r.region AND c.authority_id = r.authority_id"
            " AND c.serial = r.serial WHERE r.reason IN ('KEY_COMPROMISE', 'CERTIFICATE_AUTHORITY_COMPROMISE')"
            " AND c.certificate IS NOT NULL"
        )
    )
    found = {(account, region, digest) for account, region, der in rows for digest in _digest(der)}
    if found:
        connection.execute(
            sa.text("INSERT INTO ca_compromised_key (account, region, key_digest) VALUES (:account, :region, :digest)"),
            [{"account": account, "region": region, "digest": digest} for account, region, digest in found],
        )


def _digest(der: bytes) -> list[bytes]:
    """None of a key that no certificate here can have again."""
    try:
        key = x509.load_der_x509_certificate(bytes(der)).public_key()
        return [hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()]
    except (ValueError, UnsupportedAlgorithm):
        return []
