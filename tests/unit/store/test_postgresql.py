"""The PostgreSQL store at the edges: who is let in, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from connector.errors import (
    AccessError,
    ConfigError,
    DualWriteError,
    StateError,
    UnreachableError,
)
from connector.mapping.values import Side, ValueType
from connector.store.opening import open_store
from connector.store.record import Record
from connector.store.sql_store import SqlStore
from connector.store.work import Work
from tests.postgresql import Server

COLUMNS = {Side.COMMERCE: (("a", ValueType.TEXT),), Side.DATAVERSE: (("b", ValueType.TEXT),)}
CARD = "6001-2345-6789"


@pytest.fixture
def state(postgresql: Server) -> str:
    """The URL of an empty state."""
    return postgresql.empty_state()


@pytest.fixture
def store(state: str) -> Iterator[SqlStore]:
    store = open_store(state)
    yield store
    store.close()


def database(url: str) -> str:
    return str(sa.make_url(url).database)


def refusal(open_it: Callable[[], SqlStore]) -> DualWriteError:
    """Why it was not opened."""
    with pytest.raises(DualWriteError) as caught:
        open_it().close()
    assert caught.value.remedy
    return caught.value


# ---------------------------------------------------------------------------- who is let in


def test_the_password_comes_beside_the_url(postgresql: Server, postgresql_url: str) -> None:
    name = database(postgresql_url)
    postgresql.execute(f"ALTER DATABASE {name} OWNER TO guarded")
    open_store(postgresql.url(name, "guarded"), "correct horse").close()


@pytest.mark.parametrize("password", [None, "battery staple"])
def test_a_wrong_or_missing_password_is_refused_and_never_told(
    postgresql: Server, postgresql_url: str, password: str | None
) -> None:
    url = postgresql.url(database(postgresql_url), "guarded")
    error = refusal(lambda: open_store(url, password))
    assert (error.code, error.exit_code) == ("state-access", 2)
    assert isinstance(error, AccessError)
    assert "battery" not in str(error)
    assert "store.password" in error.remedy


def test_a_password_within_the_url_is_refused_and_never_told() -> None:
    error = refusal(lambda: open_store("postgresql+psycopg://me:battery@host/db"))
    assert isinstance(error, ConfigError)
    assert error.code == "store-url"
    assert "battery" not in str(error)


@pytest.mark.parametrize(
    ("user", "database", "told"),
    [("postgres", "no_such", '"no_such" does not exist'), ("nobody", "postgres", '"nobody"')],
)
def test_a_database_or_user_that_does_not_exist_is_named(
    postgresql: Server, user: str, database: str, told: str
) -> None:
    error = refusal(lambda: open_store(postgresql.url(database, user)))
    assert (error.code, error.exit_code) == ("state-access", 2)
    assert told in str(error)


def test_a_user_who_may_not_make_tables_is_told_so(postgresql: Server, postgresql_url: str) -> None:
    url = postgresql.url(database(postgresql_url), "guarded")
    error = refusal(lambda: open_store(url, "correct horse"))
    assert error.code == "state-access"
    assert "permission denied for schema public" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://me@127.0.0.1:1/db",
        "postgresql+psycopg://me@/db?host=/nowhere/at/all",
        "postgresql://me@no-such-host.invalid/db?connect_timeout=2",
    ],
)
def test_a_server_that_is_not_there_is_unreachable(url: str) -> None:
    error = refusal(lambda: open_store(url))
    assert isinstance(error, UnreachableError)
    assert (error.code, error.exit_code) == ("state-unreachable", 4)


def test_a_server_that_is_full_may_have_room_later(postgresql: Server, postgresql_url: str) -> None:
    name = database(postgresql_url)
    postgresql.execute(
        f"ALTER DATABASE {name} OWNER TO guarded", f"ALTER DATABASE {name} CONNECTION LIMIT 0"
    )
    error = refusal(lambda: open_store(postgresql.url(name, "guarded"), "correct horse"))
    assert (error.code, error.exit_code) == ("state-unreachable", 4)


def test_without_the_driver_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = refusal(lambda: open_store("postgresql+psycopg://me@127.0.0.1:1/db"))
    assert (error.code, error.exit_code) == ("store-driver", 2)
    assert error.remedy == "pip install 'loyalty-dual-write[postgresql]'"


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://me@host", "postgresql+asyncpg://host/db", "postgres://host/db"]
)
def test_other_urls_cannot_name_a_store(url: str) -> None:
    assert refusal(lambda: open_store(url)).code == "store-url"


# ---------------------------------------------------------------------------- what is refused


def foreign(server: Server, name: str) -> None:
    server.execute("CREATE TABLE customers (id INTEGER)", database=name)


def newer(server: Server, name: str) -> None:
    open_store(server.url(name)).close()
    server.execute("UPDATE alembic_version SET version_num = '0999'", database=name)


def standby(server: Server, name: str) -> None:
    server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [(foreign, "state-foreign"), (newer, "state-newer"), (standby, "state-read-only")],
)
def test_what_is_not_our_state_is_refused_and_left_alone(
    postgresql: Server, postgresql_url: str, spoil: Callable[[Server, str], None], code: str
) -> None:
    name = database(postgresql_url)
    spoil(postgresql, name)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    before = postgresql.execute(tables, database=name)
    assert refusal(lambda: open_store(postgresql_url)).code == code
    assert postgresql.execute(tables, database=name) == before


def test_a_state_may_live_in_a_schema_of_its_own(postgresql: Server, postgresql_url: str) -> None:
    name = database(postgresql_url)
    foreign(postgresql, name)
    postgresql.execute("CREATE SCHEMA dualwrite", database=name)
    store = open_store(f"{postgresql_url}&options=-csearch_path%3Ddualwrite")
    assert store.numbers("record", 1) == 1
    store.close()
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    assert postgresql.execute(tables, database=name) == [("customers",)]


def test_a_database_that_cannot_hold_every_character_is_refused(postgresql: Server) -> None:
    name = postgresql.database("ENCODING 'LATIN1' LOCALE 'C'")
    error = refusal(lambda: open_store(postgresql.url(name)))
    assert error.code == "state-encoding"
    assert "UTF8" in error.remedy
    postgresql.drop(name)


def test_a_row_that_is_there_already_is_told_without_its_values(store: SqlStore) -> None:
    layout, lease = store.layout("m", COLUMNS), store.acquire("m", "me", 60)
    store.commit(lease, Work(1, 1.0, inserted=[Record(1, "m", CARD)]))
    with pytest.raises(StateError) as caught:
        store.commit(lease, Work(1, 1.0, inserted=[Record(2, "m", CARD)]))
    assert caught.value.code == "state-contradiction"
    assert CARD not in str(caught.value)
    assert list(store.by_keys(layout, [CARD])) == [CARD]


def test_a_value_no_text_column_can_hold_leaves_the_connection_usable(store: SqlStore) -> None:
    layout, lease = store.layout("m", COLUMNS), store.acquire("m", "me", 60)
    with pytest.raises(StateError) as caught:
        store.commit(lease, Work(1, 1.0, inserted=[Record(1, "m", "nul \x00")]))
    assert caught.value.code == "state-unusable"
    store.commit(lease, Work(1, 1.0, inserted=[Record(1, "m", "c1")]))
    assert store.by_numbers(layout, [1])[1].key == "c1"
