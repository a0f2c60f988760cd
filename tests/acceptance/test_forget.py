"""A card holder asks to be forgotten: nothing of them stays in the state, and nothing too early."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP = "loyalty-card"
NUMBER = "Secret-4711"
DOWN: dict[str, Any] = {
    "DUALWRITE__DATAVERSE__URL": "https://127.0.0.1:9",
    "DUALWRITE__DATAVERSE__AUTHORITY": "https://127.0.0.1:9/tenant",
}


def told_of(project: Project, *words: str) -> list[str]:
    """Everything in the state that holds one of these words, in any case."""
    found = []
    with closing(sqlite3.connect(project.folder / "var" / "state.db")) as state:
        tables = state.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in state.execute(f"SELECT * FROM {table}"):
                text = " ".join(str(cell) for cell in row).casefold()
                found += [f"{table}: {row}" for word in words if word.casefold() in text]
    return found


def a_life(project: Project) -> None:
    """A card with edits, a conflict, a refusal, and an end on both sides."""
    project.import_cards([{"CardNumber": NUMBER}, {"CardNumber": "M2"}])
    project.json("load")
    project.edit(NUMBER, msdyn_cardtendertype=806380001, msdyn_partynumber="P-SECRET")
    project.call("ledger", "set", NUMBER, "CardTenderType=NoTender")
    project.json("sync", code=3)
    resolve = ("conflicts", "resolve", MAP, NUMBER, "--with", "dataverse")
    project.json(*resolve, code=3)
    project.call(*resolve, code=2)  # an error kept with its run


def test_everything_goes_and_a_card_that_comes_back_is_new(project: Project) -> None:
    a_life(project)
    project.json("ledger", "delete", NUMBER)
    project.json("sync")
    number = project.json("history", NUMBER)["records"][0]["record"]
    assert told_of(project, NUMBER, "P-SECRET")
    told = project.json("forget", NUMBER.lower(), "--yes")
    assert told["forgotten"] == [{"map": MAP, "record": number}]
    assert told["rows"]["records"] == 1
    assert told["rows"]["changes"] > 3
    assert told["rows"]["runs"] == 0, "errors of runs name records by number"
    assert told_of(project, NUMBER, "P-SECRET") == []
    assert project.json("sync")["synced"] == 0
    assert project.verified()["compared"] == 1

    again = project.json("history", NUMBER)
    assert again["records"] == []
    assert [one["map"] for one in again["forgotten"]] == [MAP]
    assert NUMBER in project.call("history", NUMBER).stdout
    error = project.call("forget", NUMBER, "--yes", "--json", code=2).error
    assert error["code"] == "forgotten-already"

    project.import_cards([{"CardNumber": NUMBER}])
    assert project.json("sync")["synced"] == 1
    (story,) = project.json("history", NUMBER)["records"]
    assert story["record"] != number
    assert project.json("history", NUMBER)["forgotten"]
    project.verified()


def test_a_card_on_a_side_is_not_forgotten(project: Project) -> None:
    a_life(project)
    error = project.call("forget", NUMBER, "--yes", "--json", code=2).error
    assert error["code"] == "card-exists"
    assert error["subject"]["side"] == "commerce"
    # Gone in one system, and the state does not know yet that it stands in the other.
    project.json("ledger", "delete", NUMBER)
    error = project.call("forget", NUMBER, "--yes", "--json", code=2).error
    assert error["subject"]["side"] == "dataverse"
    assert any(one.startswith("records:") for one in told_of(project, NUMBER))


def test_a_key_is_no_record_number_of_somebody_else(project: Project) -> None:
    """Cards are numbered, and so are records: card 1 is gone, record 1 is a kind of points."""
    project.import_points([{"RewardPointId": "P-1", "RewardPointType": "Quantity"}])
    project.json("load", "--map", "loyalty-reward-points")
    record = project.json("history", "P-1")["records"][0]["record"]
    key = str(record)
    project.import_cards([{"CardNumber": key}, {"CardNumber": "M2"}])
    project.json("load", "--map", MAP)
    project.json("ledger", "delete", key)
    project.json("sync")
    told = project.json("forget", key, "--yes")
    assert [one["map"] for one in told["forgotten"]] == [MAP]
    assert project.json("history", "P-1")["records"][0]["record"] == record
    assert project.call("forget", key, "--yes", "--json", code=2).error["code"] == (
        "forgotten-already"
    )


def test_a_side_that_cannot_be_asked_keeps_it(project: Project) -> None:
    project.import_cards([{"CardNumber": NUMBER}, {"CardNumber": "M2"}])
    project.json("load")
    project.json("ledger", "delete", NUMBER)
    project.json("sync")
    project.call("forget", NUMBER, "--yes", "--json", code=4, **DOWN)
    assert told_of(project, NUMBER)


def test_it_is_not_done_without_being_asked(project: Project) -> None:
    project.import_cards([{"CardNumber": NUMBER}, {"CardNumber": "M2"}])
    project.json("load")
    project.json("ledger", "delete", NUMBER)
    project.json("sync")
    error = project.call("forget", NUMBER, "--json", code=2).error
    assert error["code"] == "confirm-needed"
    assert project.call("forget", "M77", "--json", code=2).error["code"] == "record-unknown"
    assert told_of(project, NUMBER)
