"""The migrations end in exactly the schema that the code reads and writes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from connector.store.opening import MIGRATIONS, open_store
from connector.store.schema import REVISION, SEQUENCES, metadata
from tests.postgresql import Server


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database the migrations have made, on each kind of server."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    open_store(url).close()
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def fresh(request: pytest.FixtureRequest, migrated: sa.Engine, tmp_path: Path) -> Iterator[Any]:
    """A database of the same kind with the tables as `schema.py` has them."""
    if migrated.dialect.name == "sqlite":
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
        metadata.create_all(engine)
        yield engine
        engine.dispose()
        return
    server: Server = request.getfixturevalue("postgresql")
    name = server.database()
    engine = sa.create_engine(server.url(name))
    metadata.create_all(engine)
    yield engine
    engine.dispose()
    server.drop(name)


POSTGRESQL_PARTS = """
SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""


def parts(engine: sa.Engine) -> set[str]:
    """What the CREATE statements of a database say: one entry per table column and the like.

    The order within a table is left out: a column added later stands behind the constraints.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            every = [part for (part,) in connection.exec_driver_sql(POSTGRESQL_PARTS)]
        return {part for part in every if "alembic_version" not in part}
    query = sa.text("SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    found = set()
    with engine.connect() as connection:
        for table, sql in connection.execute(query):
            if table in ("alembic_version", "sqlite_sequence"):
                continue
            kind, _, body = re.sub(r"\s+", " ", sql).partition(" (")
            if kind.startswith("CREATE INDEX"):
                found.add(f"{kind} ({body}")
                continue
            for part in re.split(r", (?![^(]*\))", body.removesuffix(")")):
                found.add(f"{table}: {part.strip()}")
    return found


def test_alembic_finds_no_difference(migrated: sa.Engine) -> None:
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_partial_indexes_and_constraints_are_equal_too(
    migrated: sa.Engine, fresh: sa.Engine
) -> None:
    assert parts(migrated) == parts(fresh)
    assert len(parts(fresh)) > 100


def test_the_revision_the_code_expects_is_the_head(migrated: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION
    with migrated.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == REVISION


def test_every_sequence_has_its_row(migrated: sa.Engine) -> None:
    with migrated.connect() as connection:
        rows = connection.execute(sa.text("SELECT name, next FROM sequences")).fetchall()
    assert {tuple(row) for row in rows} == {(name, 1) for name in SEQUENCES}


def test_a_downgrade_leaves_nothing_and_can_be_taken_back(migrated: sa.Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with migrated.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert parts(migrated) == set()
    with migrated.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    assert len(parts(migrated)) > 100


def test_a_person_can_read_the_state_with_the_shell(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    store = open_store(f"sqlite:///{file}")
    store.start_run("sync", "loyalty-card", "f", 1.5)
    store.close()
    with sqlite3.connect(file) as connection:
        row = connection.execute("SELECT command, map, started FROM runs").fetchone()
    connection.close()
    assert row == ("sync", "loyalty-card", 1.5)
