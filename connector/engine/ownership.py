"""Several ledgers and one Dataverse: which of them a row belongs to.

Owns: telling a card whose key stands in Dataverse on a row of another ledger.
Never does: choosing between the two cards, or taking a row from another ledger.
Tested in: tests/unit/engine/test_ownership.py, tests/acceptance/test_ledgers.py.

A map says whose its rows are by a column it fills with a constant and filters by.
"""

from __future__ import annotations

from connector.errors import Problem, Subject
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Side, Value
from connector.store.record import Presence, Record

CODE = "key-of-another"


def of_another(record: Record, map: CompiledMap) -> Problem | None:
    """Why a card that never met the Dataverse row under its key cannot travel; None where it may.

    The row is outside the map because it bears another owner than the map gives to its rows.
    """
    commerce, dataverse = record.commerce, record.dataverse
    both = commerce.presence is dataverse.presence is Presence.PRESENT
    if not both or commerce.agreed is not None or dataverse.image is None:
        return None
    for column, place, ours in owners(map):
        held = dataverse.image[place]
        if held == ours:
            continue
        whose = "nobody" if held is None else f"`{held}`"
        system = map.document.system(Side.COMMERCE)
        return Problem(
            CODE,
            f"the key of this card of `{ours}` ({system}) stands in dataverse on row "
            f"{dataverse.id}, which belongs to {whose}",
            f"give one of the two cards another key, or, if they are one card, write {column} = "
            f"{ours!r} on that row; then this record travels by itself",
            Subject(map=record.map, side=Side.DATAVERSE.value, record=str(record.number)),
        )
    return None


def owners(map: CompiledMap) -> list[tuple[str, int, Value]]:
    """Columns that tell whose a Dataverse row is: (name, place in the image, value of this map)."""
    filter = map.filters.get(Side.DATAVERSE)
    if filter is None:
        return []
    return [
        (f.column(Side.DATAVERSE) or "", place, f.translation_to(Side.DATAVERSE)(None))
        for f in map.fields
        if f.index(Side.COMMERCE) < 0 and (place := f.index(Side.DATAVERSE)) in filter.places
    ]
