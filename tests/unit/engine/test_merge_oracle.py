"""The merge of one group against an oracle that is obviously right.

The oracle knows values by finite tables of its own, what each becomes on the other side, and
says in words what a person would expect: every policy, direction, transform, master, null and
modification time, groups of one to three fields, agreed pairs that differ (a target that keeps
less) and first contact.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeAlias

from hypothesis import event, given, settings
from hypothesis import strategies as st

from connector.engine.merge import Merged, Need, Pair, merge
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.document import Policy
from connector.mapping.values import Side, Value
from tests.unit.engine.building import COMMERCE, DATAVERSE, compiled, group, image

# ------------------------------------------------------------------ the oracle

Table: TypeAlias = Mapping[Value, Value]
Values: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True)
class Kind:
    """A sort of field: what each value becomes there and back; what lacks cannot travel."""

    row: str
    left: str
    right: str
    there: Table
    back: Table
    transforms: bool = False


@dataclass(frozen=True)
class Case:
    """What both sides hold, what they agreed on, and the rules."""

    names: tuple[str, ...]
    way: str
    left: Values
    right: Values
    agreed: tuple[Values, Values] | None
    policy: Policy
    master: Side
    blank_wins: bool
    times: tuple[float | None, float | None]


def oracle(case: Case) -> str:
    """`nothing`, `equal`, `drift`, `ask`, or which side wins, over an edit or not."""
    left_edited = case.agreed is None or case.left != case.agreed[0]
    right_edited = case.agreed is None or case.right != case.agreed[1]
    if not left_edited and not right_edited:
        return "nothing"
    fields = zip(case.names, case.left, case.right, strict=True)
    if all(equal(KINDS[name], left, right, case.way) for name, left, right in fields):
        return "equal"
    if case.agreed is None:
        return first_meeting(case)
    if case.way != "=":
        source_edited, target_edited = left_edited, right_edited
        if case.way == "<":
            source_edited, target_edited = right_edited, left_edited
        return wins(SOURCE[case.way], target_edited) if source_edited else "drift"
    if left_edited and right_edited:
        chosen = {
            Policy.COMMERCE: COMMERCE,
            Policy.DATAVERSE: DATAVERSE,
            Policy.LATEST: later(case),
        }
        return "ask" if case.policy is Policy.MANUAL else wins(chosen[case.policy], True)
    return wins(COMMERCE if left_edited else DATAVERSE, False)


def equal(kind: Kind, left: Value, right: Value, way: str) -> bool:
    """Translating one side's value gives the other's, in a direction that travels."""
    there = way in "=>" and left in kind.there and kind.there[left] == right
    back = way in "=<" and right in kind.back and kind.back[right] == left
    return there or back


def first_meeting(case: Case) -> str:
    """The giver's value counts; where it has none, the taker's travels if it may."""
    giver = SOURCE.get(case.way, case.master)
    gives, takes = (case.left, case.right) if giver is COMMERCE else (case.right, case.left)
    held = any(value is not None for value in takes)
    if held and not case.blank_wins and all(value is None for value in gives):
        return wins(giver.other, False) if case.way == "=" else "drift"
    return wins(giver, held)


def later(case: Case) -> Side:
    """Who edited last, by clocks that are good to five seconds; else the master."""
    left, right = case.times
    if left is None or right is None or abs(left - right) <= 5:
        return case.master
    return COMMERCE if left > right else DATAVERSE


def wins(winner: Side, over_an_edit: bool) -> str:
    """In words."""
    return f"{winner} wins" + (" over an edit" if over_an_edit else "")


SOURCE = {">": COMMERCE, "<": DATAVERSE}


# ------------------------------------------------------------------ its tables


def numbers(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


SAME: Table = {None: None, "x": "x", "y": "y"}
FINE, ROUND = numbers("1.005", "1.001", "2.000", "1.010"), numbers("1.00", "1.00", "2.00", "1.01")
KINDS: Mapping[str, Kind] = {
    "text": Kind("commerce: A, sync: '{}', dataverse: a", "A", "a", SAME, SAME),
    "another text": Kind("commerce: B, sync: '{}', dataverse: b", "B", "b", SAME, SAME),
    "choice": Kind(
        "commerce: Status, sync: '{}', dataverse: status, values: {{Open: 1, Closed: 2}}",
        "Status",
        "status",
        {None: None, "Open": 1, "open": 1, "Closed": 2},
        {None: None, 1: "Open", 2: "Closed"},
        transforms=True,
    ),
    "rounded": Kind(
        "commerce: Amount, sync: '{}', dataverse: amount",
        "Amount",
        "amount",
        {None: None, **dict(zip(FINE, ROUND, strict=True))},
        {None: None, **{number: number for number in ROUND}},
    ),
    "filled": Kind(
        "commerce: C, sync: '{}', dataverse: c, default: {{commerce: l, dataverse: r}}",
        "C",
        "c",
        {None: "r", "x": "x", "l": "l", "r": "r"},
        {None: "l", "x": "x", "l": "l", "r": "r"},
        transforms=True,
    ),
    "reference": Kind(
        "commerce: Currency, sync: '{}', dataverse: currencyid.code",
        "Currency",
        "currencyid",
        {None: None, "EUR": "guid-eur", "eur": "guid-eur", "DKK": "guid-dkk"},
        {None: None, "guid-eur": "EUR", "guid-dkk": "DKK"},
    ),
}
STRANGE: Mapping[str, tuple[Sequence[Value], Sequence[Value]]] = {
    "choice": (["Lost"], [3]),
    "reference": (["XXX"], ["guid-xxx"]),
}
"""Values that stand on a side and cannot travel."""


def held_left(name: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([*KINDS[name].there, *STRANGE.get(name, ([], []))[0]])


def held_right(name: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([*KINDS[name].back, *STRANGE.get(name, ([], []))[1]])


EDITED = st.sampled_from([True, True, False])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Values that often equal each other under the map, or what was agreed."""
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3, unique=True))
    left = tuple(draw(held_left(name)) for name in names)
    right = tuple(draw(held_right(name)) for name in names)
    if draw(st.booleans()):
        pairs = zip(names, left, right, strict=True)
        right = tuple(KINDS[name].there.get(left, right) for name, left, right in pairs)
    agreed = None
    if draw(st.integers(0, 3)):
        halves = (
            tuple(draw(held_left(name)) for name in names),
            tuple(draw(held_right(name)) for name in names),
        )
        agreed = (
            halves[0] if draw(EDITED) else left,
            halves[1] if draw(EDITED) else right,
        )  # fmt: skip
    times = st.none() | st.sampled_from([0.0, 3.0, 5.0, 8.0, 10.1, 20.0])
    return Case(
        tuple(names),
        draw(st.sampled_from("===><")),
        left,
        right,
        agreed,
        draw(st.sampled_from(list(Policy))),
        draw(st.sampled_from(list(Side))),
        draw(st.booleans()),
        (draw(times), draw(times)),
    )


# ------------------------------------------------------------------ the comparison


@functools.cache
def made(names: tuple[str, ...], way: str) -> tuple[CompiledMap, Group]:
    """The group as the compiler makes it."""
    rows = [
        KINDS[name].row.format(SYMBOLS[way] if KINDS[name].transforms else way) + ", together: g"
        for name in names
    ]
    map = compiled(*rows)
    for lookup in map.lookups:
        lookup.add("guid-eur", "EUR")
        lookup.add("guid-dkk", "DKK")
    return map, group(map, "g")


SYMBOLS = {"=": "><", ">": ">>", "<": "<<"}


def spoken(found: Merged) -> str:
    """The verdict of the merge in the oracle's words."""
    if found.need is Need.WRITE:
        assert found.target is not None
        return wins(found.target.other, found.overwrites)
    words = {Need.NOTHING: "nothing", Need.AGREE: "equal", Need.DRIFT: "drift"}
    return words.get(found.need, "ask")


@settings(max_examples=settings().max_examples * 5)
@given(cases())
def test_the_merge_says_what_the_oracle_says(case: Case) -> None:
    map, group = made(case.names, case.way)
    kinds = [KINDS[name] for name in case.names]

    def pair(left: Values, right: Values, *times: float | None) -> Pair:
        return Pair(
            image(map, COMMERCE, {k.left: value for k, value in zip(kinds, left, strict=True)}),
            image(map, DATAVERSE, {k.right: value for k, value in zip(kinds, right, strict=True)}),
            *times,
        )

    found = merge(
        replace(group, policy=case.policy),
        pair(case.left, case.right, *case.times),
        pair(*case.agreed) if case.agreed is not None else None,
        case.master,
        case.blank_wins,
    )
    event(oracle(case))
    assert spoken(found) == oracle(case)
