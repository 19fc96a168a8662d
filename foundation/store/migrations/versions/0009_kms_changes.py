"""kms_changes"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('kms_change',
    sa.Column('generation', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('generation', 'subject', name=op.f('pk_kms_change'))
    )


def downgrade() -> None:
    op.drop_table('kms_change')
