"""A side that takes every write, whatever the row holds by then: only its values tell of edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.mapping.values import Side
from connector.store.work import ChangeKind
from tests.integration.engine.conftest import map_text

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench
    from tests.integration.engine.scripted import Fault

C, D = Side.COMMERCE, Side.DATAVERSE


def unguarded(make_bench: MakeBench, *, names_modifiers: bool) -> Bench:
    """A card on both sides, whose commerce row takes every write."""
    bench = make_bench(map_text())
    bench.commerce.ids, bench.commerce.preconditions = "key", "none"
    bench.commerce.names_modifiers = names_modifiers
    bench.new(C, "N1", "name")
    bench.load()
    return bench


def between(bench: Bench, **values: str | int) -> None:
    """Somebody edits the row right after our last look at it, and right before our write."""

    def edit() -> None:
        bench.commerce.before_write = lambda: None
        bench.edit(C, "N1", **values)

    bench.commerce.before_write = edit


@pytest.mark.parametrize("names_modifiers", [True, False])
@pytest.mark.parametrize("fault", [None, "lost-after"])
def test_an_edit_right_before_our_write_of_another_column_travels(
    make_bench: MakeBench, names_modifiers: bool, fault: Fault | None
) -> None:
    """We wrote to the row last, and yet not all that differs is our doing."""
    bench = unguarded(make_bench, names_modifiers=names_modifiers)
    bench.edit(D, "N1", level=5)
    between(bench, Name="theirs")
    faults = [fault]
    bench.commerce.fault = lambda _operation: faults.pop() if faults else None
    for _ in range(3):
        bench.sync()
        bench.ahead += 5
    assert faults == []
    assert bench.card(C, "N1")["Name"] == bench.card(D, "N1")["name"] == "theirs"
    assert bench.card(C, "N1")["Level"] == bench.card(D, "N1")["level"] == 5
    seen = [row.after for row in bench.history("N1") if row.kind is ChangeKind.SEEN]
    assert {"Name": "theirs"}.items() <= (seen[-1] or {}).items(), "the edit is on record"
    bench.assert_settled()


def test_our_own_write_is_no_edit(make_bench: MakeBench) -> None:
    """The reply is lost, nobody was there: what we wrote is told from an edit by its value."""
    bench = unguarded(make_bench, names_modifiers=True)
    bench.edit(D, "N1", level=5, name="ours")
    faults: list[Fault] = ["lost-after"]
    bench.commerce.fault = lambda _operation: faults.pop() if faults else None
    bench.sync()
    seen = [row.side for row in bench.history("N1") if row.kind is ChangeKind.SEEN]
    assert seen == [D]
    assert bench.writes() == 2, "a create, an update, and no second one"
    bench.assert_settled()
