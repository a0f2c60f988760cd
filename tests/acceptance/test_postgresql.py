"""The main job with the state in PostgreSQL, as `store.url` and `store.password` say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.acceptance.conftest import members
from tests.acceptance.test_kill import CREATE, HELD, wait_until
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project
    from tests.postgresql import Server

COUNT = 3_000
BLOCKED = 806380003
PASSWORD = "correct horse"


@pytest.fixture
def moved(project: Project, postgresql: Server, postgresql_url: str) -> Project:
    """The project with its state in an empty database whose user needs a password."""
    name = str(sa.make_url(postgresql_url).database)
    postgresql.execute(f"ALTER DATABASE {name} OWNER TO guarded")
    project.environment |= {
        "DUALWRITE__STORE__URL": postgresql.url(name, "guarded"),
        "DUALWRITE__STORE__PASSWORD": "env:TEST_STORE_PASSWORD",
        "TEST_STORE_PASSWORD": PASSWORD,
    }
    return project


def test_load_edit_and_sync_with_the_state_in_postgresql(moved: Project) -> None:
    moved.import_cards(members(COUNT))
    loaded = moved.run("load", "--json").json
    assert loaded["finished"] is True
    assert len(moved.cards()) == COUNT
    assert not (moved.folder / "var" / "state.db").exists()

    moved.edit("M100001", msdyn_cardtendertype=BLOCKED)
    moved.json("ledger", "set", "M100002", "CardTenderType=Blocked")
    moved.forget_requests()
    moved.run("sync")
    assert moved.ledger("M100001")["CardTenderType"] == "Blocked"
    assert moved.cards()["M100002"]["msdyn_cardtendertype"] == BLOCKED
    assert sum(moved.written().values()) == 1

    moved.forget_requests()
    moved.run("sync")
    assert moved.written() == {}
    assert moved.verified()["compared"] >= COUNT


def test_a_server_that_goes_away_ends_the_run_with_4_and_the_next_one_finishes(
    moved: Project, postgresql: Server
) -> None:
    moved.import_cards(members(COUNT))
    name = sa.make_url(moved.environment["DUALWRITE__STORE__URL"]).database
    moved.fault(kind="slow", seconds=HELD, path="CRM.CreateMultiple")
    loading = moved.start("load", "--json")
    wait_until(moved, CREATE, 1)
    of_the_run = f"FROM pg_stat_activity WHERE datname = '{name}'"
    postgresql.execute(f"SELECT pg_terminate_backend(pid) {of_the_run}")
    moved.connector.disarm()
    out, err = loading.communicate(timeout=PATIENCE)
    assert loading.returncode == 4, err.decode()
    assert json.loads(out)["error"]["code"] == "state-unreachable", out

    assert moved.run("load", "--json").json["finished"] is True
    assert len(moved.cards()) == COUNT
    assert moved.verified()["compared"] >= COUNT


def test_a_wrong_password_ends_with_2_and_is_not_told(moved: Project) -> None:
    moved.environment["TEST_STORE_PASSWORD"] = "battery staple"
    refused = moved.call("status", "--json", code=2)
    assert refused.error["code"] == "state-access"
    assert "battery" not in refused.stdout + refused.stderr


def test_a_server_that_is_down_ends_with_4(moved: Project) -> None:
    moved.environment["DUALWRITE__STORE__URL"] = "postgresql+psycopg://guarded@127.0.0.1:1/db"
    for command in ("status", "sync", "load"):
        assert moved.call(command, "--json", code=4).error["code"] == "state-unreachable"
