"""What Alembic runs for each command: on the connection it is handed, in one transaction, DDL included."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from foundation.store.columns import UtcDateTime


def render_type(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Revisions name plain SQLAlchemy types, so that they stay what they were when our classes change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "moment()"
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=render_type,
    # SQLite and PostgreSQL can both take back DDL; Alembic does not believe it of SQLite unless told.
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
