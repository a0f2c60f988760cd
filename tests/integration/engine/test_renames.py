"""The three ways out for a changed key, each from every side, and killed anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.engine.decisions.renames import Way, resolve_renamed
from connector.engine.decisions.undecided import Undecided
from connector.mapping.values import Side
from tests.integration.engine.conftest import map_text
from tests.integration.engine.crashing import Snapshot
from tests.integration.engine.scripted import Killed, Moments

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench, MakeBench

C, D = Side.COMMERCE, Side.DATAVERSE
NUMBER = {C: "Number", D: "number"}
NAME = {C: "Name", D: "name"}


def keys(bench: Bench, side: Side) -> set[str]:
    return set((bench.commerce if side is C else bench.dataverse).by_key(TABLE[side]))


TABLE = {C: "Cards", D: "cards"}


def rename(bench: Bench, side: Side, old: str, new: str) -> None:
    """Somebody changes the key of a card, and its name with it."""
    bench.edit(side, old, **{NUMBER[side]: new, NAME[side]: f"was {old}"})


def parked(bench: Bench, code: str = "key-") -> list[int]:
    """The records whose key is in question, or that are parked at all."""
    return [
        record.number
        for records in bench.records().values()
        for record in records
        if record.problem is not None and record.problem.code.startswith(code)
    ]


def resolved(bench: Bench, way: Way) -> tuple[int, list[Undecided]]:
    """A person decides everything that is parked."""
    refused: list[Undecided] = []
    numbers = parked(bench)
    count = bench.run(
        lambda run: resolve_renamed(
            run,
            list(run.store.by_numbers(run.layout, numbers).values()),
            way,
            "anna",
            refused.append,
        ),
        "resolve",
    )
    return count, refused


@pytest.fixture(params=list(Side))
def renamed(request: pytest.FixtureRequest, loaded: Bench) -> tuple[Bench, Side]:
    """C1 was renamed to N1 on one side."""
    rename(loaded, request.param, "C1", "N1")
    loaded.sync()
    assert len(parked(loaded)) == 1
    return loaded, request.param


def test_old_key(renamed: tuple[Bench, Side]) -> None:
    bench, side = renamed
    assert resolved(bench, Way.OLD_KEY) == (1, [])
    assert "n1" not in keys(bench, C) | keys(bench, D)
    assert bench.card(side.other, "C1")[NAME[side.other]] == "was C1"
    assert any("old-key" in (row.detail or "") for row in bench.history("C1"))
    bench.assert_settled()


def test_new_card(renamed: tuple[Bench, Side]) -> None:
    bench, side = renamed
    assert resolved(bench, Way.NEW_CARD) == (1, [])
    for one in Side:
        assert bench.card(one, "N1")[NAME[one]] == "was C1"
        # A card that left commerce is deleted, one that left Dataverse is restored there.
        assert ("c1" in keys(bench, one)) is (side is D)
    bench.assert_settled()


def test_rename(renamed: tuple[Bench, Side]) -> None:
    bench, _ = renamed
    number = bench.record("C1").number
    before = bench.writes()
    assert resolved(bench, Way.RENAME) == (1, [])
    assert bench.record("N1").number == number
    for one in Side:
        assert "c1" not in keys(bench, one)
        assert bench.card(one, "N1")[NAME[one]] == "was C1"
    assert bench.writes() == before + 1
    bench.assert_settled()


def test_rename_is_refused_where_another_card_has_the_key(loaded: Bench) -> None:
    loaded.edit(D, "C1", number="new")
    loaded.sync()
    loaded.new(C, "new")
    loaded.sync()
    (_, (refused,)) = resolved(loaded, Way.RENAME)
    assert refused.problem.code == "key-taken"
    assert loaded.card(C, "C1")["Name"] == "C1"


def test_rename_takes_the_key_of_a_card_that_is_gone(loaded: Bench) -> None:
    loaded.delete(C, "C2")
    loaded.sync()
    rename(loaded, D, "C1", "C2")
    loaded.sync()
    assert resolved(loaded, Way.RENAME) == (1, [])
    assert loaded.card(C, "C2")["Name"] == "was C1"
    loaded.assert_settled()


def test_two_cards_cannot_be_renamed_to_one_key(loaded: Bench) -> None:
    loaded.edit(D, "C1", number="new")
    loaded.edit(C, "C2", Number="new")
    loaded.sync()
    count, (refused,) = resolved(loaded, Way.RENAME)
    assert (count, refused.problem.code) == (1, "key-taken")


def test_two_cards_that_swapped_their_numbers_find_each_other(loaded: Bench) -> None:
    loaded.edit(D, "C1", number="swap", name="one")
    loaded.edit(D, "C2", number="C1", name="two")
    loaded.edit(D, "swap", number="C2")
    loaded.sync()
    assert len(parked(loaded)) == 2
    before = loaded.writes()
    assert resolved(loaded, Way.NEW_CARD) == (2, [])
    assert loaded.card(C, "C2")["Name"] == "one"
    assert loaded.card(C, "C1")["Name"] == "two"
    assert loaded.writes() == before + 2, "the rows stay, only their pairs change"
    loaded.assert_settled()


@pytest.mark.parametrize("way", list(Way))
def test_a_key_put_back_meanwhile_needs_no_way(renamed: tuple[Bench, Side], way: Way) -> None:
    bench, side = renamed
    bench.edit(side, "N1", **{NUMBER[side]: "C1"})
    count, (refused,) = resolved(bench, way)
    assert (count, refused.problem.code) == (0, "changed")
    bench.sync()
    bench.assert_settled()


@pytest.mark.parametrize("side", list(Side))
def test_an_emptied_key_is_written_back(loaded: Bench, side: Side) -> None:
    loaded.edit(side, "C1", **{NUMBER[side]: None})
    loaded.sync()
    _, (refused,) = resolved(loaded, Way.NEW_CARD)
    assert refused.problem.code == "way-unknown"
    assert resolved(loaded, Way.OLD_KEY) == (1, [])
    loaded.assert_settled()


@pytest.mark.parametrize("way", [Way.OLD_KEY, Way.RENAME])
@pytest.mark.parametrize("fault", ["rejected", "transient", "lost-before", "lost-after"])
def test_a_key_that_cannot_be_written_is_never_taken_for_agreed(
    renamed: tuple[Bench, Side], way: Way, fault: str
) -> None:
    bench, side = renamed
    system = bench.commerce if (side is C) is (way is Way.OLD_KEY) else bench.dataverse
    system.fault = lambda _operation: fault  # type: ignore[assignment, return-value]
    resolved(bench, way)
    system.fault = lambda _operation: None
    bench.sync()
    if parked(bench, ""):
        assert bench.verify().excused > 0
        bench.run(lambda run: again(bench, run), "retry")
        for _ in range(2):
            if parked(bench):
                resolved(bench, Way.OLD_KEY)
    expected = "c1" if way is Way.OLD_KEY else "n1"
    assert expected in keys(bench, C) & keys(bench, D)
    bench.assert_settled()


def again(bench: Bench, run: object) -> None:
    from connector.engine.decisions.again import try_again
    from connector.engine.runs.run import MapRun

    assert isinstance(run, MapRun)
    try_again(run, list(run.store.by_numbers(run.layout, parked(bench, "")).values()))


@pytest.mark.parametrize("way", list(Way))
@pytest.mark.parametrize("side", list(Side))
def test_killed_anywhere_nothing_is_lost_or_doubled(
    make_bench: MakeBench, side: Side, way: Way
) -> None:
    last = 0
    bench = make_bench(map_text())
    bench.new(C, "C1")
    bench.load()
    rename(bench, side, "C1", "N1")
    bench.sync()
    renamed = Snapshot(bench)
    for moment in range(1, 60):
        renamed.restore(Moments(kill_at=moment))
        try:
            resolved(bench, way)
            break
        except Killed:
            last = moment
        bench.reopen()
        bench.sync()
        for _ in range(3):
            if parked(bench):
                resolved(bench, Way.OLD_KEY if way is Way.RENAME else way)
        bench.assert_settled()
        assert keys(bench, C) == keys(bench, D)
        held = {bench.card(one, key)[NAME[one]] for one in Side for key in keys(bench, one)}
        assert "was C1" in held
        bench.close()
    assert 5 < last < 59
