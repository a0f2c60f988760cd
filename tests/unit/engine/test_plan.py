"""What one record needs: presence, policies, waits, conflicts, and what a write carries."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest

from connector.engine.plan import STICKY, Action, Kind, Write, plan
from connector.errors import Problem
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Side, Value
from connector.store.record import Conflict, Wait
from tests.unit.engine.building import (
    COMMERCE,
    CURRENCY,
    DATAVERSE,
    STATUS,
    both,
    compiled,
    record,
    unknown,
)

AB = compiled(both("A"), both("B"))
DELETING = compiled(both("A"), deletes="{dataverse: propagate}")
XX = ({"A": "x", "B": "x"}, {"a": "x", "b": "x"})


def only(action: Action) -> Write:
    """The one write of an action."""
    (write,) = action.writes
    return write


def names(groups: object) -> list[str]:
    return [group.name for group in groups]  # type: ignore[attr-defined]


def is_empty(action: Action) -> bool:
    return action == Action()


# ------------------------------------------------------------------ presence


def test_a_record_both_sides_agree_on_needs_nothing() -> None:
    assert is_empty(plan(record(AB, *XX, XX), AB))


@pytest.mark.parametrize("agreed", [None, XX])
def test_a_record_on_neither_side_needs_nothing(agreed: tuple[dict, dict] | None) -> None:  # type: ignore[type-arg]
    assert is_empty(plan(record(AB, None, None, agreed), AB))


@pytest.mark.parametrize("sides", [(COMMERCE,), (DATAVERSE,), (COMMERCE, DATAVERSE)])
def test_unknown_sides_are_read_first(sides: tuple[Side, ...]) -> None:
    made = record(AB, {"A": "y"}, {"a": "z"}, XX)
    for side in sides:
        unknown(made.side(side))
    action = plan(made, AB)
    assert action.reads == sides
    assert action == Action(reads=sides)


def test_a_side_that_is_there_but_was_not_seen_is_read_first() -> None:
    made = record(AB, *XX, XX)
    made.dataverse.image = None
    assert plan(made, AB) == Action(reads=(DATAVERSE,))


@pytest.mark.parametrize("code", sorted(STICKY))
def test_a_problem_of_identity_is_not_planned_away(code: str) -> None:
    made = record(AB, {"A": "y"}, {"a": "z"}, XX)
    made.problem = Problem(code, "m", "r")
    assert plan(made, AB) == Action(problem=made.problem)


def test_any_other_problem_is_planned_anew() -> None:
    made = record(AB, {"A": "y", "B": "x"}, XX[1], XX)
    made.problem = Problem("dataverse-refused", "m", "r")
    assert only(plan(made, AB)).values == {"a": "y"}


# ------------------------------------------------------------------ one side only, never agreed


@pytest.mark.parametrize(
    ("present", "values", "expected"),
    [
        (COMMERCE, {"A": "x"}, {"id": "K", "a": "x"}),
        (DATAVERSE, {"a": "x", "b": "y"}, {"Id": "K", "A": "x", "B": "y"}),
    ],
)
def test_a_record_on_one_side_is_created_on_the_other(
    present: Side, values: dict[str, Value], expected: dict[str, Value]
) -> None:
    sides = (values, None) if present is COMMERCE else (None, values)
    write = only(plan(record(AB, *sides), AB))
    assert (write.side, write.kind) == (present.other, Kind.CREATE)
    assert (write.id, write.version) == (None, None)
    assert write.values == expected
    assert names(write.groups) == ["Id", "A", "B"]
    assert not write.lost


def test_a_create_that_was_intended_goes_out_again_under_its_id() -> None:
    made = record(AB, {"A": "x"}, None, ({"A": "x"}, {"a": "x"}))
    made.dataverse.id, made.unconfirmed = "chosen", True
    write = only(plan(made, AB))
    assert (write.kind, write.id) == (Kind.CREATE, "chosen")


def test_a_one_way_map_creates_one_way() -> None:
    map = compiled(
        "commerce: A, sync: '>', dataverse: a",
        key="commerce: Id, sync: '>', dataverse: id, key: true",
    )
    assert only(plan(record(map, {"A": "x"}, None), map)).side is DATAVERSE
    action = plan(record(map, None, {"a": "x"}), map)
    assert action == Action(ignored=True)


def test_a_create_carries_what_travels_there() -> None:
    map = compiled(
        "commerce: A, sync: '>', dataverse: a",
        "commerce: B, sync: '<', dataverse: b",
        "commerce: C, sync: '=', dataverse: later",
        "sync: '>>', dataverse: d, constant: fixed",
        "commerce: E, sync: '>>', dataverse: e, default: {dataverse: none given}",
    )
    write = only(plan(record(map, {"A": "x", "B": "y", "C": "z"}, None), map))
    assert write.values == {"id": "K", "a": "x", "d": "fixed", "e": "none given"}
    assert names(write.groups) == ["Id", "A", "d", "E"]


# ------------------------------------------------------------------ updates


def test_only_changed_columns_are_written_under_the_version_that_was_seen() -> None:
    made = record(AB, {"A": "y", "B": "x"}, XX[1], XX)
    made.dataverse.version = "17"
    write = only(plan(made, AB))
    assert write == Write(
        DATAVERSE,
        Kind.UPDATE,
        "dataverse-1",
        "17",
        {"a": "y"},
        {"a": "x"},
        groups=write.groups,
        source=made.commerce.image,
    )
    assert names(write.groups) == ["A"]


def test_edits_of_both_sides_travel_at_once() -> None:
    action = plan(record(AB, {"A": "y", "B": "x"}, {"a": "x", "b": "z"}, XX), AB)
    assert {write.side: dict(write.values) for write in action.writes} == {
        DATAVERSE: {"a": "y"},
        COMMERCE: {"B": "z"},
    }


def test_the_key_is_never_written_in_an_update() -> None:
    map = compiled(both("A"))
    made = record(map, {"Id": "k", "A": "y"}, {"id": "K ", "a": "x"}, ({"A": "x"}, {"a": "x"}))
    action = plan(made, map)
    assert only(action).values == {"a": "y"}
    assert names(action.agree) == ["Id"]


def test_the_value_that_gives_way_is_in_before_and_its_group_in_lost() -> None:
    map = compiled(both("A"), both("B"), conflict="commerce")
    write = only(plan(record(map, {"A": "y", "B": "y"}, {"a": "z", "b": "x"}, XX), map))
    assert write.before == {"a": "z", "b": "x"}
    assert names(write.groups) == ["A", "B"]
    assert names(write.lost) == ["A"]


def test_a_group_writes_only_those_of_its_columns_that_differ() -> None:
    map = compiled(both("A", ", together: g"), both("B", ", together: g"))
    write = only(plan(record(map, {"A": "y", "B": "x"}, XX[1], XX), map))
    assert (write.values, write.before) == ({"a": "y"}, {"a": "x"})
    assert names(write.groups) == ["g"]


def test_a_partner_that_is_the_same_under_the_map_is_not_cut() -> None:
    # Commerce keeps three decimals, Dataverse two: 1.005 and 1.00 are the same there.
    map = compiled(
        "commerce: Amount, sync: '=', dataverse: amount, together: g", both("A", ", together: g")
    )
    agreed: tuple[dict[str, Value], dict[str, Value]] = (
        {"Amount": Decimal("1.005"), "A": "x"},
        {"amount": Decimal("1.00"), "a": "x"},
    )
    write = only(plan(record(map, agreed[0], {**agreed[1], "a": "y"}, agreed), map))
    assert (write.side, write.values) == (COMMERCE, {"A": "y"})


def test_equal_edits_agree_without_a_write() -> None:
    action = plan(record(AB, {"A": "y", "B": "x"}, {"a": "y", "b": "x"}, XX), AB)
    assert names(action.agree) == ["A"]
    assert not action.writes


def test_first_contact_takes_the_master_and_fills_its_blanks() -> None:
    action = plan(record(AB, {"A": "x"}, {"a": "z", "b": "y"}), AB)
    right, left = sorted(action.writes, key=lambda write: write.side, reverse=True)
    assert (right.values, names(right.lost), right.before) == ({"a": "x"}, ["A"], {"a": "z"})
    assert (left.values, left.lost, left.before) == ({"B": "y"}, (), {"B": None})
    assert names(action.agree) == ["Id"]


# ------------------------------------------------------------------ conflicts


def test_a_conflict_is_of_its_group_and_the_rest_goes_on() -> None:
    action = plan(record(AB, {"A": "y", "B": "y"}, {"a": "z", "b": "x"}, XX), AB)
    assert action.conflicts == [
        Conflict(
            "A",
            {COMMERCE: {"A": "x"}, DATAVERSE: {"a": "x"}},
            {COMMERCE: {"A": "y"}, DATAVERSE: {"a": "z"}},
        )
    ]
    assert only(action).values == {"b": "y"}


def test_a_group_is_in_conflict_as_one() -> None:
    map = compiled(both("A", ", together: g"), both("B", ", together: g"))
    action = plan(record(map, {"A": "y", "B": "x"}, {"a": "x", "b": "z"}, XX), map)
    (conflict,) = action.conflicts
    assert conflict.group == "g"
    assert conflict.seen == {COMMERCE: {"A": "y", "B": "x"}, DATAVERSE: {"a": "x", "b": "z"}}
    assert not action.writes


def test_the_policy_of_a_field_goes_before_that_of_the_map() -> None:
    map = compiled(both("A", ", conflict: dataverse"), both("B"), conflict="commerce")
    made = record(map, {"A": "y", "B": "y"}, {"a": "z", "b": "z"}, XX)
    assert {w.side: dict(w.values) for w in plan(made, map).writes} == {
        COMMERCE: {"A": "z"},
        DATAVERSE: {"b": "y"},
    }


def test_latest_compares_the_times_of_the_record() -> None:
    map = compiled(both("A"), both("B"), conflict="latest", master="dataverse")
    edits: tuple[dict[str, Value], dict[str, Value]] = ({"A": "y", "B": "x"}, {"a": "z", "b": "x"})
    for times, target in (((106.0, 100.0), DATAVERSE), ((104.0, 100.0), COMMERCE)):
        assert only(plan(record(map, *edits, XX, times=times), map)).side is target


# ------------------------------------------------------------------ drift


def test_drift_is_left_standing_until_the_source_moves() -> None:
    map = compiled("commerce: A, sync: '>', dataverse: a", both("B"))
    action = plan(record(map, {"A": "x", "B": "y"}, {"a": "edited", "b": "x"}, XX), map)
    assert names(action.drift) == ["A"]
    assert only(action).values == {"b": "y"}
    write = only(plan(record(map, {"A": "y", "B": "x"}, {"a": "edited", "b": "x"}, XX), map))
    assert (write.values, write.before, names(write.lost)) == ({"a": "y"}, {"a": "edited"}, ["A"])


# ------------------------------------------------------------------ waits

MONEY = ({"A": "x", "Currency": "EUR"}, {"a": "x", "currencyid": "guid-eur"})


def money(*rows: str) -> CompiledMap:
    """A map with a currency lookup that knows EUR."""
    map = compiled(both("A"), CURRENCY, *rows)
    map.lookups[0].add("guid-eur", "EUR")
    return map


def test_a_group_waits_for_its_target_and_the_rest_goes_on() -> None:
    map = money()
    action = plan(record(map, {"A": "y", "Currency": "DKK"}, MONEY[1], MONEY), map)
    assert action.waits == [Wait("Currency", DATAVERSE, "currencies", "code", "DKK")]
    assert only(action).values == {"a": "y"}
    map.lookups[0].add("guid-dkk", "DKK")
    arrived = plan(record(map, {"A": "x", "Currency": "DKK"}, MONEY[1], MONEY), map)
    assert only(arrived).values == {"currencyid": "guid-dkk"}
    assert not arrived.waits


def test_a_reference_to_a_row_nobody_knows_waits_by_id() -> None:
    map = money()
    action = plan(record(map, MONEY[0], {"a": "x", "currencyid": "guid-new"}, MONEY), map)
    assert action.waits == [Wait("Currency", DATAVERSE, "currencies", "", "guid-new")]
    assert not action.writes


def test_a_create_does_not_wait_for_one_group() -> None:
    map = money()
    action = plan(record(map, {"A": "x", "Currency": "DKK"}, None), map)
    write = only(action)
    assert write.values == {"id": "K", "a": "x"}
    assert names(write.groups) == ["Id", "A"]
    assert action.waits == [Wait("Currency", DATAVERSE, "currencies", "code", "DKK")]


def test_a_group_waits_as_one() -> None:
    map = compiled(f"{CURRENCY}, together: g", both("A", ", together: g"), both("B"))
    action = plan(record(map, {"Currency": "DKK", "A": "y", "B": "y"}, XX[1], XX), map)
    assert [wait.group for wait in action.waits] == ["g"]
    assert only(action).values == {"b": "y"}


# ------------------------------------------------------------------ values that cannot travel


def test_an_untranslatable_value_parks_the_record_naming_the_field() -> None:
    map = compiled(STATUS, both("A"))
    agreed: tuple[dict[str, Value], dict[str, Value]] = (
        {"Status": "Open", "A": "x"},
        {"status": 1, "a": "x"},
    )
    action = plan(record(map, {"Status": "Lost", "A": "y"}, agreed[1], agreed), map)
    assert action.problem is not None
    assert action.problem.code == "choice-unknown"
    assert (action.problem.subject.map, action.problem.subject.field) == ("thing", "Status")
    assert action.problem.subject.record == "7"
    assert not action.writes


def test_a_parked_record_writes_nothing_to_either_side() -> None:
    map = compiled(STATUS, both("A"))
    agreed: tuple[dict[str, Value], dict[str, Value]] = (
        {"Status": "Open", "A": "x"},
        {"status": 1, "a": "x"},
    )
    action = plan(record(map, {"Status": "Lost", "A": "x"}, {"status": 1, "a": "z"}, agreed), map)
    assert action.problem is not None
    assert not action.writes


def test_a_record_parked_at_first_contact_agrees_on_nothing_yet() -> None:
    map = compiled(STATUS, both("A"))
    action = plan(record(map, {"Status": "Lost", "A": "x"}, {"status": 1, "a": "x"}), map)
    assert action.problem is not None
    assert not action.agree
    agreed: tuple[dict[str, Value], dict[str, Value]] = ({"A": "x"}, {"status": 1, "a": "x"})
    later = plan(record(map, {"Status": "Lost", "A": "y"}, {"status": 1, "a": "y"}, agreed), map)
    assert later.problem is not None
    assert names(later.agree) == ["A"]


def test_a_parked_record_keeps_its_conflicts() -> None:
    map = compiled(STATUS, both("A"))
    agreed: tuple[dict[str, Value], dict[str, Value]] = (
        {"Status": "Open", "A": "x"},
        {"status": 1, "a": "x"},
    )
    action = plan(record(map, {"Status": "Lost", "A": "y"}, {"status": 1, "a": "z"}, agreed), map)
    assert action.problem is not None
    assert [conflict.group for conflict in action.conflicts] == ["A"]


def test_an_untranslatable_create_is_parked_and_not_sent() -> None:
    map = compiled(STATUS, both("A"))
    action = plan(record(map, {"Status": "Lost", "A": "y"}, None), map)
    assert action.problem is not None
    assert action.problem.subject.field == "Status"
    assert not action.writes


def test_an_untranslatable_value_that_does_not_travel_harms_nothing() -> None:
    map = compiled(STATUS, both("A"))
    agreed: tuple[dict[str, Value], dict[str, Value]] = (
        {"Status": "Lost", "A": "x"},
        {"status": 1, "a": "x"},
    )
    assert only(plan(record(map, {**agreed[0], "A": "y"}, agreed[1], agreed), map)).values == {
        "a": "y"
    }


# ------------------------------------------------------------------ purity


@pytest.mark.parametrize(
    "map", [AB, compiled(both("A"), deletes="{dataverse: propagate}"), money()]
)
@pytest.mark.parametrize("commerce", [None, {"A": "y"}])
@pytest.mark.parametrize("dataverse", [None, {"a": "z"}])
def test_planning_changes_nothing(
    map: CompiledMap, commerce: dict[str, Value] | None, dataverse: dict[str, Value] | None
) -> None:
    for agreed in (None, ({"A": "x"}, {"a": "x"})):
        made = record(map, commerce, dataverse, agreed)
        before = copy.deepcopy(made)
        first = plan(made, map)
        assert made == before
        assert plan(made, map) == first
