"""The three-way merge of one group: every case by table; `test_merge_oracle.py` has the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.engine.merge import Merged, Need, Pair, merge
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.document import Policy
from connector.mapping.values import Image, Side, Value
from tests.unit.engine.building import (
    COMMERCE,
    DATAVERSE,
    STATUS,
    both,
    compiled,
    group,
    image,
)

TWO_WAY = compiled(both("A"))
TO_RIGHT = compiled("commerce: A, sync: '>', dataverse: a")
TO_LEFT = compiled("commerce: A, sync: '<', dataverse: a")

NOTHING = Merged(Need.NOTHING)
AGREE = Merged(Need.AGREE)
DRIFT = Merged(Need.DRIFT)
CONFLICT = Merged(Need.CONFLICT)
RIGHT = Merged(Need.WRITE, DATAVERSE)
LEFT = Merged(Need.WRITE, COMMERCE)
RIGHT_OVER = Merged(Need.WRITE, DATAVERSE, True)
LEFT_OVER = Merged(Need.WRITE, COMMERCE, True)


def verdict(
    map: CompiledMap,
    commerce: Value,
    dataverse: Value,
    agreed: tuple[Value, Value] | None = None,
    *,
    policy: Policy = Policy.MANUAL,
    master: Side = COMMERCE,
    blank_wins: bool = False,
    times: tuple[float | None, float | None] = (None, None),
) -> Merged:
    """The verdict on field A."""
    made = group(map, "A")
    ruled = Group(made.name, made.fields, policy)

    def pair(left: Value, right: Value) -> tuple[Image, Image]:
        return image(map, COMMERCE, {"A": left}), image(map, DATAVERSE, {"a": right})

    base = Pair(*pair(*agreed)) if agreed is not None else None
    return merge(ruled, Pair(*pair(commerce, dataverse), *times), base, master, blank_wins)


# ------------------------------------------------------------------ first contact


@pytest.mark.parametrize(
    ("commerce", "dataverse", "master", "blank_wins", "expected"),
    [
        ("x", "x", COMMERCE, False, AGREE),
        (None, None, COMMERCE, False, AGREE),
        ("x", "y", COMMERCE, False, RIGHT_OVER),
        ("x", "y", DATAVERSE, False, LEFT_OVER),
        ("x", None, COMMERCE, False, RIGHT),
        (None, "y", DATAVERSE, False, LEFT),
        (None, "y", COMMERCE, False, LEFT),
        ("x", None, DATAVERSE, False, RIGHT),
        (None, "y", COMMERCE, True, RIGHT_OVER),
        ("x", None, DATAVERSE, True, LEFT_OVER),
    ],
)
def test_first_contact_both_ways(
    commerce: Value, dataverse: Value, master: Side, blank_wins: bool, expected: Merged
) -> None:
    found = verdict(TWO_WAY, commerce, dataverse, master=master, blank_wins=blank_wins)
    assert found == expected


@pytest.mark.parametrize("master", list(Side))
@pytest.mark.parametrize(
    ("map", "commerce", "dataverse", "blank_wins", "expected"),
    [
        (TO_RIGHT, "x", "y", False, RIGHT_OVER),
        (TO_RIGHT, "x", None, False, RIGHT),
        (TO_RIGHT, None, "y", False, DRIFT),
        (TO_RIGHT, None, "y", True, RIGHT_OVER),
        (TO_LEFT, "x", "y", False, LEFT_OVER),
        (TO_LEFT, None, "y", False, LEFT),
        (TO_LEFT, "x", None, False, DRIFT),
    ],
)
def test_first_contact_one_way(
    map: CompiledMap,
    commerce: Value,
    dataverse: Value,
    blank_wins: bool,
    expected: Merged,
    master: Side,
) -> None:
    found = verdict(map, commerce, dataverse, master=master, blank_wins=blank_wins)
    assert found == expected


# ------------------------------------------------------------------ since they agreed

AGREED = ("x", "x")


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize(
    ("commerce", "dataverse", "expected"),
    [
        ("x", "x", NOTHING),
        ("y", "x", RIGHT),
        (None, "x", RIGHT),
        ("x", "y", LEFT),
        ("x", None, LEFT),
        ("y", "y", AGREE),
        (None, None, AGREE),
    ],
)
def test_edits_that_do_not_contradict(
    commerce: Value, dataverse: Value, expected: Merged, policy: Policy
) -> None:
    assert verdict(TWO_WAY, commerce, dataverse, AGREED, policy=policy) == expected


@pytest.mark.parametrize("master", list(Side))
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy.MANUAL, CONFLICT),
        (Policy.COMMERCE, RIGHT_OVER),
        (Policy.DATAVERSE, LEFT_OVER),
    ],
)
@pytest.mark.parametrize(("commerce", "dataverse"), [("y", "z"), (None, "z"), ("y", None)])
def test_contradicting_edits_go_by_the_policy(
    commerce: Value, dataverse: Value, policy: Policy, expected: Merged, master: Side
) -> None:
    found = verdict(TWO_WAY, commerce, dataverse, AGREED, policy=policy, master=master)
    assert found == expected


@pytest.mark.parametrize(
    ("times", "by_master", "expected"),
    [
        ((100.0, 90.0), False, RIGHT_OVER),
        ((90.0, 100.0), False, LEFT_OVER),
        ((105.1, 100.0), False, RIGHT_OVER),
        ((100.0, 105.1), False, LEFT_OVER),
        ((105.0, 100.0), True, None),
        ((100.0, 105.0), True, None),
        ((100.0, 100.0), True, None),
        ((None, 100.0), True, None),
        ((100.0, None), True, None),
        ((None, None), True, None),
    ],
)
@pytest.mark.parametrize("master", list(Side))
def test_latest_needs_two_times_and_five_seconds(
    times: tuple[float | None, float | None],
    by_master: bool,
    expected: Merged | None,
    master: Side,
) -> None:
    if by_master:
        expected = RIGHT_OVER if master is COMMERCE else LEFT_OVER
    found = verdict(TWO_WAY, "y", "z", AGREED, policy=Policy.LATEST, master=master, times=times)
    assert found == expected


@pytest.mark.parametrize(
    ("map", "commerce", "dataverse", "expected"),
    [
        (TO_RIGHT, "y", "x", RIGHT),
        (TO_RIGHT, "x", "y", DRIFT),
        (TO_RIGHT, "x", None, DRIFT),
        (TO_RIGHT, "y", "z", RIGHT_OVER),
        (TO_RIGHT, None, "z", RIGHT_OVER),
        (TO_RIGHT, "y", "y", AGREE),
        (TO_LEFT, "x", "y", LEFT),
        (TO_LEFT, "y", "x", DRIFT),
        (TO_LEFT, "y", "z", LEFT_OVER),
    ],
)
def test_a_one_way_field_knows_no_conflict(
    map: CompiledMap, commerce: Value, dataverse: Value, expected: Merged
) -> None:
    for policy in Policy:
        assert verdict(map, commerce, dataverse, AGREED, policy=policy) == expected


@pytest.mark.parametrize(
    ("commerce", "dataverse", "expected"),
    [
        ("anna", None, AGREE),  # we wrote since: that is nobody's edit
        ("anna", "bob", LEFT),
        ("eve", None, LEFT_OVER),
    ],
)
def test_who_changed_a_row_last_is_not_forgotten_when_we_write(
    commerce: Value, dataverse: Value, expected: Merged
) -> None:
    usual = group(TO_LEFT, "A")
    made = Group("A", (replace(usual.fields[0], dataverse="ModifiedBy"),), usual.policy)

    def pair(left: Value, right: Value) -> Pair:
        return Pair(image(TO_LEFT, COMMERCE, {"A": left}), image(TO_LEFT, DATAVERSE, {"a": right}))

    agreed = pair("anna", "anna")
    assert merge(made, pair(commerce, dataverse), agreed, DATAVERSE, False) == expected


def test_a_target_that_keeps_less_is_no_edit() -> None:
    # The target cut the value; both halves of the pair are as each side holds it.
    assert verdict(TWO_WAY, "long", "lo", ("long", "lo")) == NOTHING
    assert verdict(TWO_WAY, "longer", "lo", ("long", "lo")) == RIGHT
    assert verdict(TWO_WAY, "long", "me", ("long", "lo")) == LEFT


# ------------------------------------------------------------------ groups and transforms


def test_a_group_is_one_value() -> None:
    map = compiled(both("A", ", together: g"), both("B", ", together: g"))
    made = group(map, "g")
    base = Pair(
        image(map, COMMERCE, {"A": "1", "B": "day"}), image(map, DATAVERSE, {"a": "1", "b": "day"})
    )
    seen = Pair(
        image(map, COMMERCE, {"A": "2", "B": "day"}),
        image(map, DATAVERSE, {"a": "1", "b": "year"}),
    )
    assert merge(made, seen, base, COMMERCE, False) == CONFLICT
    half = Pair(seen.commerce, image(map, DATAVERSE, {"b": "day"}))
    assert merge(made, half, None, COMMERCE, False) == RIGHT_OVER
    blank = Pair(image(map, COMMERCE, {}), half.dataverse)
    assert merge(made, blank, None, COMMERCE, False) == LEFT


@pytest.mark.parametrize(
    ("rows", "commerce", "dataverse", "expected"),
    [
        ("sync: '>>', dataverse: a, constant: 'k'", {}, {"a": "k"}, AGREE),
        ("sync: '>>', dataverse: a, constant: 'k'", {}, {}, RIGHT),
        ("sync: '>>', dataverse: a, constant: 'k'", {}, {"a": "z"}, RIGHT_OVER),
        ("commerce: A, sync: '<<', constant: 'k'", {}, {}, LEFT),
        ("commerce: A, sync: '>>', dataverse: a, default: {dataverse: d}", {}, {}, RIGHT),
        ("commerce: A, sync: '>>', dataverse: a, default: {dataverse: d}", {}, {"a": "d"}, AGREE),
        ("commerce: A, sync: '>>', dataverse: a, default: {dataverse: d}", {}, {"a": "z"}, DRIFT),
        ("commerce: A, sync: '><', dataverse: a, default: {dataverse: d}", {}, {"a": "z"}, LEFT),
    ],
)
def test_constants_and_defaults_at_first_contact(
    rows: str, commerce: dict[str, Value], dataverse: dict[str, Value], expected: Merged
) -> None:
    map = compiled(rows)
    seen = Pair(image(map, COMMERCE, commerce), image(map, DATAVERSE, dataverse))
    assert merge(map.groups[1], seen, None, COMMERCE, False) == expected


def test_a_constant_edited_where_it_was_written_is_drift() -> None:
    map = compiled("sync: '>>', dataverse: a, constant: 'k'")
    base = Pair(image(map, COMMERCE, {}), image(map, DATAVERSE, {"a": "k"}))
    seen = Pair(base.commerce, image(map, DATAVERSE, {"a": "z"}))
    assert merge(map.groups[1], seen, base, COMMERCE, False) == DRIFT


def test_an_unknown_choice_equals_nothing() -> None:
    map = compiled(STATUS)
    seen = Pair(image(map, COMMERCE, {"Status": "Lost"}), image(map, DATAVERSE, {"status": 1}))
    assert merge(group(map, "Status"), seen, None, COMMERCE, False) == RIGHT_OVER
