"""Indexes over some rows of a table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import DDLElement

from connector.ledger.ledger import Ledger
from connector.partial_index import partial_index
from connector.store.opening import open_store


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+psycopg://"])
def test_each_database_is_told_which_rows(url: str) -> None:
    metadata = sa.MetaData()
    table = sa.Table("lots", metadata, sa.Column("day", sa.Date), sa.Column("left", sa.Integer))
    partial_index("live", table.c.day, where=table.c.left > sa.literal_column("0"))
    said: list[str] = []
    dialect = sa.make_url(url).get_dialect()()

    def run(sql: DDLElement, *_: object, **__: object) -> None:
        said.append(str(sql.compile(dialect=dialect)))

    engine = sa.create_mock_engine(url, run)
    metadata.create_all(engine, checkfirst=False)
    assert said[1:] == ['CREATE INDEX live ON lots (day) WHERE "left" > 0']


def test_opening_a_sqlite_file_imports_no_other_database(tmp_path: Path) -> None:
    """Each command would wait for it; nor for alembic, where nothing is to be migrated."""
    ledger, state = f"sqlite:///{tmp_path}/ledger.db", f"sqlite:///{tmp_path}/state.db"
    Ledger.open(ledger).close()
    open_store(state).close()
    opened = (
        "import sys\n"
        "from connector.ledger.ledger import Ledger\n"
        "from connector.store.opening import open_store\n"
        f"Ledger.open({ledger!r}).close()\n"
        f"open_store({state!r}).close()\n"
        "print([one for one in sys.modules if 'postgresql' in one or 'alembic' in one])\n"
    )
    made = subprocess.run([sys.executable, "-c", opened], check=True, capture_output=True)
    assert made.stdout == b"[]\n"
