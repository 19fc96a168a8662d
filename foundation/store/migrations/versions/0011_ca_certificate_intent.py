"""ca_certificate_intent"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    intent = sa.text("status = 'INTENT'")
    op.create_index(
        'ix_ca_certificate_intent',
        'ca_certificate',
        ['account', 'region', 'created_at'],
        sqlite_where=intent,
        postgresql_where=intent,
    )
