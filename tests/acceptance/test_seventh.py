"""Every seventh write fails in another way, and every card arrives exactly once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from tests.acceptance.conftest import members
from tests.acceptance.living import until

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

WAYS = ("throttle", "unavailable", "drop", "lost-reply")


@pytest.fixture(autouse=True)
def hurry() -> Iterator[None]:
    """Every wait is asked for in full and takes a tenth of it."""
    sleep = time.sleep
    with mock.patch("time.sleep", lambda seconds: sleep(seconds / 10)):
        yield


def faults_met(project: Project) -> dict[str, int]:
    """How often each way to fail was taken since the last reset."""
    told: dict[str, int] = project.agent.told()["faults"]
    return told


def every_seventh_write_fails(project: Project, *ways: str) -> None:
    first, *then = ways
    project.fault(kind=first, then=then, every=7, count=10**6, method="POST")


def card(told: dict[str, Any]) -> dict[str, Any]:
    """What a command did to the cards."""
    (outcome,) = [one for one in told["maps"] if one["map"] == "loyalty-card"]
    return dict(outcome)


def until_finished(project: Project, *command: str) -> list[dict[str, Any]]:
    """A schedule: the same command again until it has nothing left."""
    told: list[dict[str, Any]] = []

    def finished() -> bool:
        told.append(project.json(*command))
        return bool(told[-1]["finished"])

    until(f"{' '.join(command)} has nothing left", finished)
    return told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "ways"), [(10_000, WAYS), *[(1_000, (way,)) for way in WAYS]], ids=str
)
def test_every_card_arrives_once(project: Project, count: int, ways: tuple[str, ...]) -> None:
    batch = count // 100
    project.environment["DUALWRITE__DATAVERSE__BATCH_SIZE"] = str(batch)
    cards = members(count)
    project.import_cards(cards)
    every_seventh_write_fails(project, *ways)

    loads = until_finished(project, "load", "--map", "loyalty-card")
    loads += until_finished(project, "sync", "--map", "loyalty-card")
    arrived = project.cards()  # no number twice
    assert set(arrived) == {one["CardNumber"] for one in cards}
    assert sum(card(told)["counts"].get("parked", 0) for told in loads) == 0

    met = faults_met(project)
    assert set(met) == set(ways)
    assert sum(met.values()) >= 100 // 7
    asked = sum(card(told)["counts"].get("throttled_dataverse", 0) for told in loads)
    waited = sum(card(told)["counts"].get("waited_dataverse", 0) for told in loads)
    assert asked == met.get("throttle", 0)
    assert waited >= asked  # the sandbox says `Retry-After: 1`

    edits = [{"CardNumber": one["CardNumber"], "ReplacementCardNumber": "E"} for one in cards]
    edited = 30 * batch
    project.import_cards(edits[:edited])
    until_finished(project, "sync", "--map", "loyalty-card")
    rows = project.cards()
    assert len(rows) == count
    assert sum(row["msdyn_replacementcardnumber"] == "E" for row in rows.values()) == edited

    project.forget_requests()
    assert project.json("verify", "--map", "loyalty-card")["equal"] is True
    assert project.json("sync", "--map", "loyalty-card")["synced"] == 0


def test_a_person_reads_how_often_it_was_throttled(project: Project) -> None:
    project.import_cards(members(3))
    project.fault(kind="throttle", retry_after=1, count=2, path="CreateMultiple")
    told = project.call("load", "--map", "loyalty-card")
    line = "loyalty-card: dataverse asked to slow down 2 times; requests waited 2 s for it"
    assert line in told.stderr
    (run,) = project.json("status", "--map", "loyalty-card")["maps"]
    assert run["last_run"]["outcome"] == "done"
