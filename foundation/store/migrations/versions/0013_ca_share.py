"""ca_share"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[str]:
    """An aware moment: fixed-width text on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column('ca_configuration', sa.Column('waited_until', moment(), nullable=True))
    op.create_table('ca_share',
    sa.Column('consumer', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('owner', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('consumer', 'region', 'authority_id', name=op.f('pk_ca_share'))
    )
    op.create_index('ix_ca_share_authority_id', 'ca_share', ['authority_id'])
