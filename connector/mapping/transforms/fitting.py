"""The translations of one field out of the ways of its row.

Owns: fitting what arrives into the facets of its column, lookups at the end of a way, and what
counts in a comparison.
Never does: finding out what is wrong with a row (`compiling/compiler.py`); the way itself
(`route.py`).
Tested in: tests/unit/mapping/test_compiled.py, tests/unit/mapping/test_steps.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.mapping.columns import Column
from connector.mapping.references import Lookup
from connector.mapping.rows import FieldRow
from connector.mapping.transforms import translate
from connector.mapping.transforms.conversions import by_date
from connector.mapping.transforms.route import Leg, run
from connector.mapping.transforms.steps import Day, Instant
from connector.mapping.transforms.translate import Translation
from connector.mapping.values import Side


def fitted(
    ways: Mapping[Side, Sequence[Leg]],
    commerce: Column | None,
    dataverse: Column | None,
    lookup: Lookup | None,
) -> tuple[Translation, Translation]:
    """The translations to Dataverse and to commerce, into the facets of the columns."""
    made: dict[Side, Translation] = {}
    for side, column in ((Side.DATAVERSE, dataverse), (Side.COMMERCE, commerce)):
        if column is None:
            made[side] = translate.identity
        elif side not in ways:
            made[side] = translate.no_way
        elif lookup is None:
            made[side] = translate.chain(run(ways[side]), translate.fit(column))
        elif side is Side.DATAVERSE:
            made[side] = translate.chain(run(ways[side]), translate.to_reference(lookup))
        else:
            text = translate.chain(translate.from_reference(lookup), run(ways[side]))
            made[side] = translate.chain(text, translate.fit(column))
    return made[Side.DATAVERSE], made[Side.COMMERCE]


def named(ways: Mapping[Side, Sequence[Leg]], lookup: Lookup | None) -> Translation:
    """From the commerce value to the text the lookup is found by."""
    if lookup is None:
        return translate.identity
    return run(ways[Side.DATAVERSE]) if Side.DATAVERSE in ways else translate.no_way


def compared_by_date(row: FieldRow, commerce: Column, dataverse: Column) -> bool:
    """Where a step speaks of times it says itself what counts of them."""
    steps = [*(row.transform or ()), *(row.back or ())]
    timed = any(isinstance(step, (Instant, Day)) for step in steps)
    return not timed and by_date(row.type, commerce, dataverse)
