"""A difference a person accepted is left alone until either side changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from connector.engine.news.absorb import Absorbed
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


@pytest.fixture
def accepted(loaded: Bench) -> Bench:
    """C1 is in conflict about its name, and a person accepted that it is."""
    loaded.edit(C, "C1", Name="ours")
    loaded.edit(D, "C1", name="theirs")
    loaded.sync()

    def work(run: MapRun) -> None:
        absorbed = Absorbed(run.work())
        record = loaded.record("C1")
        record.accepted = True
        record.due = run.now()
        absorbed.touch(record)
        run.commit(absorbed.seal(run))

    loaded.run(work, "discard")
    return loaded


def test_it_is_ignored(accepted: Bench) -> None:
    before = accepted.writes()
    assert accepted.sync().finished
    assert accepted.writes() == before
    assert accepted.open().open_conflicts("card", 0, 9) == []
    verdict = accepted.verify()
    assert [(f.verdict, f.reason) for f in verdict.findings] == [
        ("ignored", "a person accepted the difference")
    ]
    accepted.load(again=True)
    assert accepted.record("C1").accepted, "seeing again what is known is no news"
    assert accepted.writes() == before


NEWS: list[Callable[[Bench], None]] = [
    lambda bench: bench.edit(C, "C1", Level=1),
    lambda bench: bench.edit(D, "C1", level=1),
    lambda bench: bench.delete(D, "C1"),
    lambda bench: bench.commerce.put("Cards", "c-C1 ", Number="c1 ", Name="twin"),
]


@pytest.mark.parametrize("happens", NEWS)
def test_it_is_judged_anew_when_something_happens(
    accepted: Bench, happens: Callable[[Bench], None]
) -> None:
    happens(accepted)
    accepted.sync()
    assert not any(record.accepted for record in accepted.records()["c1"])


def test_verify_knows_news_before_it_is_read(accepted: Bench) -> None:
    accepted.sync()
    accepted.edit(D, "C1", name="else")
    (finding,) = accepted.verify().findings
    assert finding.verdict == "difference"
