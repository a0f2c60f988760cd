"""The id a row gets on the side it is added to.

Owns: that the same row of the same source gets the same id, whoever adds it and how often.
Never does: knowing a row's content; two rows of one key are two rows.
Tested in: tests/unit/engine/test_append_ids.py.
"""

from __future__ import annotations

from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1c7a52-5d0b-4f5e-9a39-1f2f6a0d7c11")


def id_of(map: str, world: str, row: str) -> str:
    """The id under `map` of the row with this id in the source called `world`."""
    return str(uuid5(_NAMESPACE, "\x1e".join((map, world, row))))
