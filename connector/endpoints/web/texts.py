"""Text no service takes.

Owns: which characters neither XML nor a database stores.
Never does: deciding what becomes of a record that holds one.
Tested in: tests/unit/endpoints/dataverse/test_rows.py, tests/contract/endpoints/test_writes.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.mapping.values import Value

# Services fail on them with an unclear message.
_UNTAKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def untaken_text(values: Mapping[str, Value]) -> str | None:
    """The first column whose text holds a character no service takes."""
    for name, value in values.items():
        if isinstance(value, str) and _UNTAKEN.search(value):
            return name
    return None
