"""Records gone from both sides are forgotten in the end; late news of them begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.base import Page, Row
from connector.engine.news.absorb import absorb
from connector.engine.runs.run import MapRun
from connector.mapping.values import Side

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE


def purge(bench: Bench) -> dict[str, int]:
    """Forget all that is old enough, with everything old enough."""

    def work(run: MapRun) -> dict[str, int]:
        later = run.now() + 1
        return dict(
            run.store.purge(
                run.lease,
                later,
                audit_before=later,
                runs_before=later,
                tombstones_before=later,
                limit=1000,
            )
        )

    found = bench.run(work, "purge")
    assert isinstance(found, dict)
    return found


@pytest.fixture
def purged(loaded: Bench) -> Bench:
    """C1 was deleted on both sides, and its tombstone is gone."""
    loaded.delete(C, "C1")
    loaded.sync()
    loaded.sync()
    assert purge(loaded)["records"] == 1
    assert loaded.open().by_ids(loaded.layout(), C, ["c-C1"]) == {}
    return loaded


def test_what_is_alive_stays(purged: Bench) -> None:
    assert len(purged.records()) == 7
    purged.assert_settled()


@pytest.mark.parametrize("side", [C, D])
def test_late_news_of_a_delete_is_nothing(purged: Bench, side: Side) -> None:
    def work(run: MapRun) -> None:
        page = Page((), deleted=["c-C1", "00000000-0000-4000-8000-000000000001"])
        absorbed = absorb(run, side, run.numbers("tick"), page)
        assert not absorbed.work
        run.commit(absorbed.seal(run))

    before = purged.writes()
    purged.run(work)
    purged.sync()
    assert purged.writes() == before


@pytest.mark.parametrize("side", [C, D])
def test_a_card_with_the_old_key_is_a_new_card(purged: Bench, side: Side) -> None:
    purged.new(side, "C1", "anew")
    purged.sync()
    assert purged.card(D, "C1")["name"] == purged.card(C, "C1")["Name"] == "anew"
    assert [row.kind.value for row in purged.history("C1")] == ["create"]
    purged.assert_settled()


def test_the_very_row_come_back_is_a_new_card(purged: Bench) -> None:
    """As out of a recycle bin, under its old id."""
    purged.commerce.put("Cards", "c-C1", Number="C1", Name="back", Active="Yes")
    purged.sync()
    assert purged.card(D, "C1")["name"] == "back"
    purged.assert_settled()


def test_news_older_than_every_tombstone_is_put_right_by_the_comparison(purged: Bench) -> None:
    """No page is as old as a tombstone lives; if one were, its card would stand on one side."""

    def work(run: MapRun) -> None:
        image = tuple(
            {"Number": "C1", "Name": "ghost", "Active": "Yes"}.get(name)
            for name in run.map.column_names(C)
        )
        absorbed = absorb(run, C, 1, Page([Row("c-C1", "1", image)]))
        run.commit(absorbed.seal(run))

    purged.run(work)
    purged.sync()
    assert purged.verify().differences == 1
    assert purged.repair().findings == []
    assert "c1" not in purged.dataverse.by_key("cards")
    purged.assert_settled()
