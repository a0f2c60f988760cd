"""How a shop's database is reached, and what its errors become."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest
import sqlalchemy

from connector.endpoints.dynamicweb.database import Database
from connector.errors import AccessError, ConfigError, UnreachableError
from tests.unit.endpoints.dynamicweb.shop import REWARD, Shop


@pytest.mark.parametrize(
    "url", ["", "shop", "mysql://x/y", "sqlite:///nowhere/shop.db", "sqlite://", "https://x"]
)
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Database(url, section="sides.south")
    assert raised.value.code == "shop-url"
    assert raised.value.subject.field == "sides.south.url"


SERVER = "mssql+pyodbc://user@host/shop?driver=ODBC+Driver+18+for+SQL+Server"


def test_a_missing_driver_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyodbc", None)  # as if it were not installed
    with pytest.raises(ConfigError) as raised:
        Database(SERVER)
    assert raised.value.code == "shop-driver"
    assert "loyalty-dual-write[sqlserver]" in raised.value.remedy


def test_a_driver_without_its_library_names_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ImportError("libodbc.so.2: cannot open shared object file")

    monkeypatch.setattr(sqlalchemy, "create_engine", broken)
    with pytest.raises(ConfigError) as raised:
        Database(SERVER)
    assert (raised.value.code, "libodbc" in str(raised.value.cause)) == ("shop-driver", True)
    assert "unixODBC" in raised.value.remedy


def test_its_name_does_not_depend_on_who_signs_in(tmp_path: Path) -> None:
    one = Database("postgresql+psycopg://anna@db.example:5433/shop", "secret")
    other = Database("postgresql+psycopg://ben:word@db.example:5433/shop")
    assert one.name == other.name == "postgresql://db.example:5433/shop"
    (tmp_path / "shop.db").touch()
    assert Database(f"sqlite:///{tmp_path}/./shop.db").name == f"sqlite:{tmp_path}/shop.db"


def test_a_server_that_is_not_there_is_unreachable() -> None:
    database = Database("postgresql+psycopg://x@127.0.0.1:9/shop", "the password", timeout=2)
    with pytest.raises(UnreachableError) as raised, database.transaction():
        pass
    assert raised.value.code == "shop-unreachable"
    assert "the password" not in str(raised.value)


def test_a_locked_database_is_busy(shop: Shop, tmp_path: Path) -> None:
    database = Database(shop.url, timeout=0.1)
    other = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnreachableError) as raised, database.transaction(write=True):
        pass
    assert raised.value.code == "shop-busy"
    other.close()
    database.close()


def test_a_statement_that_is_refused_is_a_matter_of_rights(shop: Shop, postgresql_url: str) -> None:
    database = Database(postgresql_url)
    with pytest.raises(AccessError) as raised, database.transaction() as connection:
        connection.exec_driver_sql("SELECT 1 FROM nowhere")
    assert raised.value.code == "shop-refused"
    database.close()


def test_a_transaction_that_fails_leaves_nothing(shop: Shop) -> None:
    database = Database(shop.url)

    def work() -> None:
        with database.transaction(write=True) as connection:
            connection.execute(shop.tables.reward.insert().values(LoyaltyRewardName="Gold"))
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        work()
    database.close()
    with shop.endpoint() as endpoint:
        pages = list(endpoint.scan(REWARD, ("LoyaltyRewardName",), None))
    assert [row for page in pages for row in page.rows] == []
