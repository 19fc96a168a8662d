"""ca_ocsp_audit"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[str]:
    """An aware moment: fixed-width text on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table('ca_ocsp_signer',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('key_token', sa.LargeBinary(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('certificate', sa.LargeBinary(), nullable=True),
    sa.Column('not_before', moment(), nullable=True),
    sa.Column('not_after', moment(), nullable=True),
    sa.Column('created_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', 'number', name=op.f('pk_ca_ocsp_signer'))
    )
    op.create_table('ca_audit_report',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('bucket', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('format', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('created_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', 'id', name=op.f('pk_ca_audit_report'))
    )
