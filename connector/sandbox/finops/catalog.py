"""Which entities there are.

Owns: the list, and looking one up.
Never does: defining one (`loyalty.py`, `masters.py`).
Tested in: tests/integration/sandbox/finops/test_metadata.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector.sandbox.finops.entities import Entity, Field
from connector.sandbox.finops.loyalty import CARDS, REWARD_POINTS
from connector.sandbox.finops.masters import MASTERS

ENTITIES: tuple[Entity, ...] = (CARDS, REWARD_POINTS, *MASTERS)
BY_SET: Mapping[str, Entity] = {one.set_name: one for one in ENTITIES}
"""Set names as they are written; the service does not take them in another case."""


def referring(target: Entity) -> Iterator[tuple[Entity, Field]]:
    """The fields that name rows of `target`."""
    for entity in ENTITIES:
        for one in entity.listed:
            if one.reference is not None and one.reference.target == target.set_name:
                yield entity, one
