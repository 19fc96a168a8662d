"""kms_grants"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[str]:
    """An aware moment: fixed-width text on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table('kms_grant',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('key_id', sa.String(), nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=True),
    sa.Column('grantee', sa.String(), nullable=False),
    sa.Column('retiring', sa.String(), nullable=True),
    sa.Column('operations', sa.Text(), nullable=False),
    sa.Column('context_equals', sa.Text(), nullable=True),
    sa.Column('context_subset', sa.Text(), nullable=True),
    sa.Column('source_arn', sa.String(), nullable=True),
    sa.Column('issuing_account', sa.String(), nullable=False),
    sa.Column('fingerprint', sa.String(), nullable=True),
    sa.Column('created_at', moment(), nullable=False),
    sa.Column('row_version', sa.BigInteger(), nullable=False),
    sa.Column('mac', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'key_id', 'id', name=op.f('pk_kms_grant')),
    sa.UniqueConstraint('account', 'region', 'key_id', 'fingerprint', name='uq_kms_grant_fingerprint')
    )
    op.create_index('ix_kms_grant_grantee', 'kms_grant', ['account', 'region', 'key_id', 'grantee', 'id'], unique=False)
    op.create_table('kms_retirable_grant',
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('retiring', sa.String(), nullable=False),
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('key_id', sa.String(), nullable=False),
    sa.Column('grant_id', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('region', 'retiring', 'account', 'key_id', 'grant_id', name=op.f('pk_kms_retirable_grant'))
    )
    op.create_index('ix_kms_retirable_grant_key', 'kms_retirable_grant', ['account', 'region', 'key_id', 'grant_id'], unique=False)
