"""Server-side logic that keeps less than it was sent.

Owns: the losses a column can be given by a switch: cut text, round numbers.
Never does: applying them (`payloads.py`).
Tested in: tests/integration/sandbox/test_faults.py.
"""

from __future__ import annotations

from typing import Any

from connector.sandbox.dataverse.definitions.tables import Column
from connector.sandbox.dataverse.storage import Stored
from connector.sandbox.dataverse.writing.converters import Convert


def parse_loss(column: Column, value: dict[str, Any]) -> Convert | None:
    """What a column loses from now on; None is nothing.

    `{"truncate": n}` keeps n characters, `{"round": n}` n places (negative: tens, hundreds …).

    Raises `TypeError` if n is no whole number.
    """
    if "truncate" in value:
        length = _whole(value["truncate"])

        def truncate(stored: Stored) -> Stored:
            return stored[:length] if isinstance(stored, str) else stored

        return truncate
    if "round" in value:
        # Stored numbers count their last place, so places are counted from there.
        places = _whole(value["round"]) - column.places

        def nearest(stored: Stored) -> Stored:
            return round(stored, places) if isinstance(stored, int) else stored

        return nearest
    return None


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"a whole number is needed, not {value!r}")
    return value
