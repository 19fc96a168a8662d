"""clock_leaps"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[str]:
    """An aware moment: fixed-width text on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table('clock_beat',
    sa.Column('boot', sa.String(), nullable=False),
    sa.Column('booted_at', moment(), nullable=False),
    sa.Column('beat_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('boot', name=op.f('pk_clock_beat'))
    )
    op.create_table('clock_leap',
    sa.Column('boot', sa.String(), nullable=False),
    sa.Column('ended_at', moment(), nullable=False),
    sa.Column('began_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('boot', 'ended_at', name=op.f('pk_clock_leap'))
    )
