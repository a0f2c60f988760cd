"""Finance and Operations whose changes are found by package exports, also killed in the middle."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import Project
from tests.acceptance.finops_project import Shop, finops_project
from tests.acceptance.living import living, until
from tests.acceptance.test_kill import HELD
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.conftest import FinopsSession, SignIn

COUNT = 30
PROJECT = "dualwrite cards"
CARDS_BY_EXPORT = f"""
[commerce.changes.entities.RetailLoyaltyCards]
by = "export"
project = "{PROJECT}"
"""
MAP, MAP_ENTITY = "loyalty-card", "RetailLoyaltyCards"
START = "ExportToPackage"


def cards(count: int, start: int = 55_000) -> list[dict[str, object]]:
    return [{"CardNumber": f"{start + n}", "CardTenderType": "AsCardTender"} for n in range(count)]


@pytest.fixture
def both(
    tmp_path: Path,
    sandbox: dict[str, Any],
    finops: FinopsSession,  # empties the environment
    sign_in: SignIn,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[tuple[Project, Shop]]:
    project, shop = finops_project(tmp_path / "project", sandbox, sign_in)
    with (project.folder / "config/connector.toml").open("a") as config:
        config.write(CARDS_BY_EXPORT)
    capsys.readouterr()
    project.connector.switch("reset")
    shop.clerk.switch("tracking", {"entity": "RetailLoyaltyCards", "mode": "entire"})
    shop.clerk.switch(
        "projects",
        {
            "name": PROJECT,
            "entities": ["RetailLoyaltyCards"],
            "format": "CSV",
            "refresh": "IncrementalPush",
        },
    )
    yield project, shop
    project.end()
    shop.clerk.close()


@pytest.fixture
def loaded(both: tuple[Project, Shop]) -> tuple[Project, Shop]:
    project, shop = both
    shop.put(cards(COUNT))
    project.json("load")
    project.json("sync")
    return both


def asked(shop: Shop, path: str) -> int:
    """Requests to the environment whose kind names a path."""
    return sum(int(count) for kind, count in shop.clerk.told()["kinds"].items() if path in kind)


def replaced(project: Project, number: str) -> object:
    return project.cards()[number]["msdyn_cardtendertype"]


def refusal(project: Project) -> dict[str, Any]:
    """The error a sync of cards ends with."""
    (one,) = project.json("sync", "--map", MAP, code=2)["maps"]
    error: dict[str, Any] = one["error"]
    return error


def test_the_whole_story(both: tuple[Project, Shop]) -> None:
    project, shop = both
    shop.put(cards(COUNT))
    assert project.json("check")["problems"] == []
    assert project.json("load")["loaded"] == COUNT
    project.verified()
    project.json("sync")

    shop.edit("55001", CardTenderType="NoTender")
    shop.put(cards(1, 56_000))
    project.edit("55003", msdyn_cardtendertype=806380001)
    exports = asked(shop, START)
    planned = project.json("plan", "--map", MAP)
    assert planned["writes"] == 3, "a dry run sees what a run will see"
    assert asked(shop, START) == exports, "and takes none of its news"
    assert project.json("sync", "--map", MAP)["synced"] == 3
    assert asked(shop, START) > exports
    project.verified()
    assert replaced(project, "55001") == 806380002
    assert "56000" in project.cards()
    assert shop.cards()["55003"]["CardTenderType"] == "AsContactTender"
    assert project.json("sync", "--map", MAP)["synced"] == 0


def test_whatever_a_job_does_no_edit_is_lost(loaded: tuple[Project, Shop]) -> None:
    project, shop = loaded
    troubles: list[dict[str, object]] = [
        {"outcome": "Failed", "errors": ["The staging table is locked."]},
        {"outcome": "PartiallySucceeded"},
        {"spoil": "truncated"},
        {"spoil": "unknown-entity"},
    ]
    for number, trouble in enumerate(troubles):
        shop.edit(f"5500{number}", CardTenderType="NoTender")
        shop.clerk.switch("runs", {"count": 1, **trouble})
        result = project.call("sync", "--map", MAP, "--json")
        assert result.json["synced"] == 1, trouble
        assert "compared in full" in result.stderr
        assert replaced(project, f"5500{number}") == 806380002
        if number == 0:
            (lost,) = project.json("check")["problems"]
            assert lost["code"] == "export-lost"
            assert "ended as Failed" in lost["message"]
    assert project.json("sync", "--map", MAP)["synced"] == 0

    shop.remove("55009")
    project.json("sync", "--map", MAP)
    assert "55009" in project.cards(), "an export tells of no delete"
    project.environment["DUALWRITE__COMMERCE__CHANGES__SWEEP_MINUTES"] = "0.00001"
    project.json("sync", "--map", MAP)
    assert "55009" not in project.cards()
    project.verified()


def test_projects_that_do_not_fit_are_named(loaded: tuple[Project, Shop]) -> None:
    project, shop = loaded
    config = project.folder / "config/connector.toml"
    text = config.read_text()
    config.write_text(text.replace(PROJECT, "Another one"))
    (missing,) = project.json("check", code=2)["problems"]
    assert missing["code"] == "export-project-missing"
    assert PROJECT in missing["message"]
    project.json("sync", "--map", MAP)  # compares: this project told nothing yet
    error = refusal(project)
    assert error["code"] == "export-refused"
    assert "Another one" in error["message"]

    points = {"name": "Points", "entities": ["RetailLoyaltyRewardPoints"], "format": "CSV"}
    shop.clerk.switch("projects", {**points, "refresh": "IncrementalPush"})
    config.write_text(text.replace(PROJECT, "Points"))
    project.json("sync", "--map", MAP)
    project.json("sync", "--map", MAP)
    shop.edit("55001", CardTenderType="NoTender")
    error = refusal(project)
    assert error["code"] == "export-project-misfit"
    assert "CardNumber" in error["message"]
    assert project.json("sync", "--map", MAP)["synced"] == 1, "it is compared next"
    notes = project.json("check", "--notes", code=0)["problems"]
    (found,) = [one for one in notes if one["code"] == "changes-found" and MAP_ENTITY in str(one)]
    assert "found by export; there is: snapshot (rows have ETags)" in found["message"]


@pytest.mark.slow
def test_live_mode_finds_edits_by_exports(loaded: tuple[Project, Shop], tmp_path: Path) -> None:
    project, shop = loaded
    often = {"SERVE__POLL_MIN": "0.2", "SERVE__POLL_MAX": "0.5", "COMMERCE__CHANGES__EVERY": "0.5"}
    shop.clerk.switch("runs", {"seconds": 0.3})
    with living(project, tmp_path, **often) as live:
        live.comes_to("active")
        shop.edit("55001", CardTenderType="NoTender")
        until("the edit", lambda: replaced(project, "55001") == 806380002)
        project.edit("55003", msdyn_cardtendertype=806380001)
        until("the answer", lambda: shop.cards()["55003"]["CardTenderType"] == "AsContactTender")
        assert live.ends() == 143
        assert "Traceback" not in live.said()
    project.verified()


@pytest.mark.slow
def test_syncs_that_are_killed_anywhere_end_the_same(loaded: tuple[Project, Shop]) -> None:
    """Killed while it waits for an answer, when the service has begun with it or has done it."""
    project, shop = loaded
    paths = (START, "GetExecutionSummaryStatus", "blobs")  # all others: unit tests
    for number, path in enumerate(paths):
        card = f"5500{number}"
        shop.edit(card, CardTenderType="NoTender")
        shop.put(cards(1, 56_000 + number))
        project.edit(f"5501{number}", msdyn_cardtendertype=806380001)
        held = {"kind": "slow", "seconds": HELD, "path": path, "count": 10**6}
        shop.clerk.switch("faults", held)
        before = asked(shop, path)
        process = project.start("sync", "--map", MAP, "--json")
        until(f"{path} is asked", lambda path=path, before=before: asked(shop, path) > before)  # type: ignore[misc]
        process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE) == -signal.SIGKILL
        shop.clerk.disarm()  # what was under way arrives, although nobody waits for its answer
        project.json("sync", "--map", MAP)
        project.json("sync", "--map", MAP)
        project.verified()
        assert replaced(project, card) == 806380002, path
        assert f"{56_000 + number}" in project.cards(), path
    assert project.json("sync", "--map", MAP)["synced"] == 0
