"""Values as a person reads them in a table.

Owns: choices with the word they stand for, names before values where they are needed.
Never does: choosing which values are shown.
Tested in: tests/unit/cli/test_spoken.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector.mapping.document import MapDocument


def spoken(document: MapDocument, values: Mapping[str, Any] | None, *, named: bool = False) -> str:
    """Values by column name in one cell; with `named`, as `column=value`."""
    told = {name: document.spoken(name, value) for name, value in (values or {}).items()}
    return ", ".join(f"{name}={text}" if named else text for name, text in told.items())
