"""For developers: `python -m foundation.store.migrations NUMBER MESSAGE` writes the next revision from the tables.

Read what it wrote and mend it: it sees new tables, columns and indexes, not data and not renames. Then set
`schema.HEAD` to the number.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy.engine import Engine

from foundation.store import schema
from foundation.store.engine import BEGIN_OPTION, sqlite_engine


def write_revision(number: str, message: str) -> None:
    """Compare an empty database, brought to the newest revision, with the tables."""
    schema.import_tables()
    with tempfile.TemporaryDirectory() as directory:
        engine: Engine = sqlite_engine(Path(directory, "empty.db"), writer=True).execution_options(
            **{BEGIN_OPTION: "BEGIN IMMEDIATE"}
        )
        with engine.connect() as connection:
            config = schema.alembic_config(connection)
            command.upgrade(config, "head")
            command.revision(config, message, autogenerate=True, rev_id=number)
        engine.dispose()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write_revision(*sys.argv[1:])
