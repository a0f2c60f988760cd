"""Opening a store: find or make the database, bring its schema up to date, or refuse it.

Owns: which databases are accepted, and running the migrations.
Never does: anything to a database that is newer than this program or is not a sync state.
Tested in: tests/unit/store/test_opening.py, tests/unit/store/test_migrations.py.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from connector.errors import ConfigError, StateError
from connector.store.database import Database, explained
from connector.store.dialect import Sqlite, network_filesystem
from connector.store.schema import REVISION
from connector.store.sql_store import SqlStore

MIGRATIONS = Path(__file__).parent / "migrations"

_VERSION = sa.text("SELECT version_num FROM alembic_version")


def open_store(url: str) -> SqlStore:
    """The sync state at `url`, such as `sqlite:///var/state.db`; made if it does not exist.

    Raises ConfigError `store-url` when the URL cannot name one, StateError `state-newer`,
    `state-foreign`, `state-network` or `state-unusable` when what is there cannot be used.
    """
    parsed = _parse(url)
    path = Path(str(parsed.database))
    _make_folder(path)
    kind = network_filesystem(path)
    if kind is not None:
        raise StateError(
            "state-network",
            f"{path} is on a network file system ({kind}), where SQLite cannot lock",
            remedy="put the store on a local disk, or use a database server",
        )
    dialect = Sqlite()
    engine = sa.create_engine(parsed, hide_parameters=True)
    dialect.prepare(engine)
    try:
        with explained():
            _bring_up_to_date(engine, str(path))
            return SqlStore(Database(engine, dialect))
    except BaseException:
        engine.dispose()
        raise


def _parse(url: str) -> sa.URL:
    cause = None
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
            return parsed
        cause = "only a SQLite file can hold the sync state"
    except (ArgumentError, NoSuchModuleError) as error:
        cause = str(error)
    raise ConfigError(
        "store-url",
        "this URL cannot name a store",
        cause=cause,
        remedy="write store.url like sqlite:///var/state.db",
    )


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            "state-unusable",
            f"the folder of {path} cannot be made",
            cause=str(error),
            remedy="choose another place as store.url, or correct the permissions",
        ) from error


def _bring_up_to_date(engine: sa.Engine, name: str) -> None:
    """Run migrations if the database is empty or older; the common case is one small query."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if _revision(connection, name) == REVISION:
            return
    with engine.begin() as connection:  # another process may have migrated meanwhile
        revision = _revision(connection, name)
        if revision != REVISION:
            _migrate(connection, revision, name)


def _revision(connection: sa.Connection, name: str) -> str | None:
    """The revision of the schema, None for an empty database."""
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables or "sequences" not in tables:
        raise StateError(
            "state-foreign",
            f"{name} is a database of something else: it holds {', '.join(sorted(tables)[:5])}",
            remedy="choose another file as store.url",
        )
    revision: str | None = connection.execute(_VERSION).scalar()
    return revision


def _migrate(connection: sa.Connection, revision: str | None, name: str) -> None:
    # Alembic takes longer to import than a current database takes to open.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StateError(
            "state-newer",
            f"{name} was written by a newer version of this program (schema {revision})",
            remedy=f"update the program, which knows schemas up to {REVISION}",
        )
    command.upgrade(config, "head")
