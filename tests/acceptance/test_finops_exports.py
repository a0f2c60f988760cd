"""Finance and Operations whose changes are found by package exports, also killed in the middle."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import Project
from tests.acceptance.finops_project import Shop, finops_project
from tests.acceptance.living import living, until

if TYPE_CHECKING:
    from tests.conftest import FinopsSession, SignIn

COUNT = 30
PROJECT = "dualwrite cards"
CARDS_BY_EXPORT = f"""
[commerce.changes.entities.RetailLoyaltyCards]
by = "export"
project = "{PROJECT}"
"""
MAP = "loyalty-card"
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
    kinds = shop.clerk.get(f"{shop.clerk.host}/sandbox/requests").json()["kinds"]
    return sum(int(count) for kind, count in kinds.items() if path in kind)


def replaced(project: Project, number: str) -> object:
    return project.cards()[number]["msdyn_cardtendertype"]


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


def test_a_delete_comes_with_the_next_compare(loaded: tuple[Project, Shop]) -> None:
    project, shop = loaded
    shop.remove("55002")
    project.json("sync", "--map", MAP)
    assert "55002" in project.cards()
    project.environment["DUALWRITE__COMMERCE__CHANGES__SWEEP_MINUTES"] = "0.00001"
    project.json("sync", "--map", MAP)
    assert "55002" not in project.cards()
    project.verified()


@pytest.mark.parametrize(
    "trouble",
    [
        {"outcome": "Failed", "errors": ["The staging table is locked."]},
        {"outcome": "PartiallySucceeded"},
        {"outcome": "Canceled"},
        {"spoil": "truncated"},
        {"spoil": "missing-file"},
        {"spoil": "no-manifest"},
    ],
    ids=lambda trouble: "-".join(str(one) for one in trouble.values() if isinstance(one, str)),
)
def test_whatever_a_job_does_no_edit_is_lost(
    loaded: tuple[Project, Shop], trouble: dict[str, object]
) -> None:
    project, shop = loaded
    shop.edit("55001", CardTenderType="NoTender")
    shop.clerk.switch("runs", {"count": 1, **trouble})
    result = project.call("sync", "--map", MAP, "--json")
    assert result.json["synced"] == 1
    assert "compared in full" in result.stderr
    assert replaced(project, "55001") == 806380002
    assert project.json("sync", "--map", MAP)["synced"] == 0


def test_a_package_of_something_else_is_said_and_loses_nothing(
    loaded: tuple[Project, Shop],
) -> None:
    project, shop = loaded
    shop.edit("55001", CardTenderType="NoTender")
    shop.clerk.switch("runs", {"count": 1, "spoil": "unknown-entity"})
    error = project.call("sync", "--map", MAP, "--json", code=2).error
    assert error["code"] == "export-project-misfit"
    assert project.json("sync", "--map", MAP)["synced"] == 1


def test_a_project_that_is_not_there_is_named(loaded: tuple[Project, Shop]) -> None:
    project, _ = loaded
    config = project.folder / "config/connector.toml"
    config.write_text(config.read_text().replace(PROJECT, "another one"))
    error = project.call("sync", "--map", MAP, "--json", code=2).error
    assert error["code"] == "export-refused"
    assert "another one" in error["message"]


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
@pytest.mark.parametrize(
    "path", [START, "GetExecutionSummaryStatus", "GetExportedPackageUrl", "blobs", "RetailLoyaltyC"]
)
@pytest.mark.parametrize("late", [0.0, 0.5], ids=["before", "after"])
def test_a_killed_sync_ends_the_same(loaded: tuple[Project, Shop], path: str, late: float) -> None:
    """Killed while it waits for an answer, before or after the service has done what it asked."""
    project, shop = loaded
    shop.edit("55001", CardTenderType="NoTender")
    shop.put(cards(3, 56_000))
    project.edit("55003", msdyn_cardtendertype=806380001)
    shop.clerk.switch("faults", {"kind": "slow", "seconds": 1.0, "path": path, "count": 50})
    before = asked(shop, path)
    process = project.start("sync", "--map", MAP, "--json")
    until(f"a request to {path}", lambda: asked(shop, path) > before or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    time.sleep(late)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    shop.clerk.delete(f"{shop.clerk.host}/sandbox/faults")
    time.sleep(1.2)  # what was under way arrives, although nobody waits for its answer
    project.json("sync", "--map", MAP)
    project.json("sync", "--map", MAP)
    project.verified()
    assert replaced(project, "55001") == 806380002
    assert {"56000", "56001", "56002"} <= project.cards().keys()
    assert project.json("sync", "--map", MAP)["synced"] == 0
