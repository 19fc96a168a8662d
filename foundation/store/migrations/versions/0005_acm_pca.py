"""acm_pca"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[str]:
    """An aware moment: fixed-width text on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table('ca_configuration',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('usage_mode', sa.String(), nullable=False),
    sa.Column('signing_algorithm', sa.String(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('csr_extensions', sa.Text(), nullable=True),
    sa.Column('revocation', sa.Text(), nullable=False),
    sa.Column('key_storage', sa.String(), nullable=False),
    sa.Column('tags', sa.Text(), nullable=False),
    sa.Column('policy', sa.Text(), nullable=True),
    sa.Column('before_deletion', sa.String(), nullable=True),
    sa.Column('restorable_until', moment(), nullable=True),
    sa.Column('changed_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', name=op.f('pk_ca_configuration'))
    )
    op.create_table('ca_permission',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('principal', sa.String(), nullable=False),
    sa.Column('source_account', sa.String(), nullable=False),
    sa.Column('actions', sa.Text(), nullable=False),
    sa.Column('created_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', 'principal', 'source_account', name=op.f('pk_ca_permission'))
    )
