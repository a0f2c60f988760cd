"""Random maps and records for properties of the planner.

A few shapes of map cover every symbol, transform and group; values are few, so that sides often
meet by chance. `Lost` and 3 are choices no value map knows, `XXX` and `guid-xxx` name rows that
are not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import product

from hypothesis import strategies as st

from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side, Value
from connector.store.record import Presence, Record
from tests.unit.engine.building import CURRENCY, STATUS, both, compiled

AMOUNT = "commerce: Amount, sync: '=', dataverse: amount"
SHAPES: dict[str, Sequence[str]] = {
    "plain": (both("A"), both("B")),
    "one way": (
        both("A"),
        "commerce: B, sync: '>', dataverse: b",
        "commerce: C, sync: '<', dataverse: c",
    ),
    "groups": (both("A", ", together: g"), both("B", ", together: g"), both("C")),
    "values": (
        STATUS,
        f"{AMOUNT}, together: g",
        both("A", ", together: g"),
    ),
    "made": (
        both("A"),
        "sync: '>>', dataverse: b, constant: fixed",
        "commerce: C, sync: '>>', dataverse: c, default: {dataverse: none}",
        "commerce: D, sync: '><', dataverse: d, default: {commerce: left, dataverse: right}",
        "commerce: E, sync: '<<', dataverse: e, values: {x: one, y: two}",
    ),
    "lookup": (CURRENCY, both("A"), "commerce: F, sync: '=', dataverse: later"),
}
VALUES: dict[str, Sequence[Value]] = {
    "Status": ("Open", "open", "Closed", "Lost"),
    "status": (1, 2, 3),
    "Amount": (Decimal("1.005"), Decimal("1.001"), Decimal("2.000")),
    "amount": (Decimal("1.00"), Decimal("1.01"), Decimal("2.00")),
    "Currency": ("EUR", "DKK", "eur", "XXX"),
    "currencyid": ("guid-eur", "guid-dkk", "guid-xxx"),
    "e": ("one", "two"),
    "E": ("x", "y"),
    "state": (0, 1),
}
KEYS = ("K", "k ")
INACTIVE = ", inactive: {column: state, value: 1}"


def _made(shape: str, policy: str, master: str, deletes: str, blank: str) -> CompiledMap:
    inactive = INACTIVE if deletes == "deactivate" else ""
    other = "restore" if deletes == "deactivate" else deletes
    made = compiled(
        *SHAPES[shape],
        inactive=inactive,
        conflict=policy,
        master=master,
        deletes=f"{{commerce: {deletes}, dataverse: {other}}}",
        blank_wins=blank,
    )
    for lookup in made.lookups:
        lookup.add("guid-eur", "EUR")
        lookup.add("guid-dkk", "DKK")
    return made


MAPS = [
    _made(*options)
    for options in product(
        SHAPES,
        ("manual", "manual", "dataverse", "latest"),
        ("commerce", "dataverse"),
        ("propagate", "restore", "deactivate", "ignore"),
        ("false", "true"),
    )
]


MOSTLY = st.sampled_from([True, True, True, True, False])


def maps() -> st.SearchStrategy[CompiledMap]:
    """Any of the maps."""
    return st.sampled_from(MAPS)


def images(map: CompiledMap, side: Side) -> st.SearchStrategy[Image]:
    """An image with the record's key, in some spelling."""
    key = map.keys[side][0]
    return st.tuples(
        *(
            st.sampled_from(KEYS)
            if index == key
            else st.sampled_from((None, *VALUES.get(column.name, ("x", "y"))))
            for index, column in enumerate(map.columns[side])
        )
    )


@st.composite
def records(draw: st.DrawFn, map: CompiledMap) -> Record:
    """A record with any presence, any sight, and any agreed pair or none."""
    made = Record(7, map.name, "k", due=0.0)
    agreed = draw(MOSTLY)
    for side in Side:
        state = made.side(side)
        present = draw(MOSTLY)
        if present:
            state.presence = Presence.PRESENT
            state.image = draw(images(map, side))
            state.modified_at = draw(st.none() | st.sampled_from([0.0, 4.0, 20.0]))
        if agreed:
            half = draw(images(map, side))
            state.agreed = state.image if present and draw(st.booleans()) else half
            state.image = state.image or half
        if present or agreed:
            state.id, state.version = f"{side}-1", "1"
    return made


@st.composite
def cases(draw: st.DrawFn) -> tuple[CompiledMap, Record]:
    """A map and a record of it."""
    map = draw(maps())
    return map, draw(records(map))


def sides_match(map: CompiledMap, commerce: Image, dataverse: Image, leave: set[str]) -> bool:
    """Whether both images are equal under the map, groups named in `leave` aside."""
    return all(group.same(commerce, dataverse) for group in map.groups if group.name not in leave)
