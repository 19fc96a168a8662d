"""ca_crl_shards"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

# What keystead's own authorities did before this revision, and those of the API by their configuration.
OWN = '{"CrlConfiguration": {"Enabled": true}, "OcspConfiguration": {"Enabled": false}}'


def moment() -> sa.types.TypeEngine[str]:
    """An aware moment: fixed-width text on SQLite, timestamptz on PostgreSQL."""
    return sa.String(27).with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column('ca_authority', sa.Column('revocation', sa.Text(), nullable=False, server_default='{}'))
    configured = sa.text(
        "UPDATE ca_authority SET revocation = COALESCE((SELECT c.revocation FROM ca_configuration c WHERE"
        " c.account = ca_authority.account AND c.region = ca_authority.region AND c.authority_id = ca_authority.id),"
        " :own)"
    )
    op.get_bind().execute(configured, {"own": OWN})
    op.drop_column('ca_configuration', 'revocation')
    op.add_column('ca_certificate', sa.Column('shard', sa.BigInteger(), nullable=True))
    op.add_column('ca_revocation', sa.Column('shard', sa.BigInteger(), nullable=True))
    op.add_column('ca_revocation', sa.Column('ordinal', sa.BigInteger(), nullable=False, server_default='0'))
    op.create_index('ix_ca_revocation_shard', 'ca_revocation', ['account', 'region', 'authority_id', 'shard', 'ordinal'])
    op.create_table('ca_crl_shard',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('shard', sa.BigInteger(), nullable=False),
    sa.Column('urls', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', 'shard', name=op.f('pk_ca_crl_shard'))
    )
    op.create_table('ca_published_crl',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('region', sa.String(), nullable=False),
    sa.Column('authority_id', sa.String(), nullable=False),
    sa.Column('shard', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('covers', sa.BigInteger(), nullable=False),
    sa.Column('this_update', moment(), nullable=False),
    sa.Column('next_update', moment(), nullable=False),
    sa.Column('crl', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'region', 'authority_id', 'shard', name=op.f('pk_ca_published_crl'))
    )
    op.execute(
        "INSERT INTO ca_crl_shard (account, region, authority_id, shard, urls)"
        " SELECT account, region, id, 0, '[]' FROM ca_authority WHERE certificate IS NOT NULL"
    )
    op.execute(
        "INSERT INTO ca_published_crl"
        " (account, region, authority_id, shard, number, covers, this_update, next_update, crl)"
        " SELECT account, region, authority_id, 0, number, covers, this_update, next_update, crl FROM ca_crl"
    )
    op.drop_table('ca_crl')
