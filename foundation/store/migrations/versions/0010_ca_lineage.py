"""ca_lineage"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[str]:
    """An aware moment: fixed-width text on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column('ca_authority', sa.Column('key_origin', sa.String(), nullable=False, server_default='KEYSTEAD'))
    op.create_table('ca_succession',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('successor_id', sa.String(), nullable=False),
    sa.Column('succeeded_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', name=op.f('pk_ca_succession'))
    )
    op.create_table('ca_cross_certificate',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('issuer_id', sa.String(), nullable=False),
    sa.Column('serial', sa.String(), nullable=False),
    sa.Column('certificate', sa.LargeBinary(), nullable=False),
    sa.Column('chain', sa.LargeBinary(), nullable=False),
    sa.Column('not_after', moment(), nullable=False),
    sa.Column('created_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', 'number', name=op.f('pk_ca_cross_certificate'))
    )
    op.create_table('ca_lock',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('locked_token', sa.LargeBinary(), nullable=False),
    sa.Column('crl_days', sa.BigInteger(), nullable=False),
    sa.Column('locked_at', moment(), nullable=False),
    sa.Column('unlocked_until', moment(), nullable=True),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', name=op.f('pk_ca_lock'))
    )
