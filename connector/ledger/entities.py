"""Every entity of the ledger.

Owns: the list, and finding one in it.
Never does: describing an entity; each has a module of its own.
Tested in: tests/unit/ledger/test_schema.py.
"""

from __future__ import annotations

from connector.errors import MapError, Subject
from connector.ledger.corrections.entity import CORRECTIONS
from connector.ledger.fields import fold
from connector.ledger.schema import CARDS, REWARD_POINTS, EntityType
from connector.ledger.shown.entities import SHOWN

ENTITIES: tuple[EntityType, ...] = (CARDS, REWARD_POINTS, *SHOWN, CORRECTIONS)


def entity_type(name: str) -> EntityType:
    """The entity of that name or alias without regard to case; MapError `entity-unknown`."""
    for one in ENTITIES:
        if fold(name) in (fold(one.name), one.alias):
            return one
    raise MapError(
        "entity-unknown",
        f"the ledger has no entity '{name}'",
        remedy=f"use one of: {', '.join(one.name for one in ENTITIES)}",
        subject=Subject(entity=name),
    )
