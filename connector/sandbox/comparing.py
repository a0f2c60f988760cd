"""How the service compares text, as functions that SQLite calls.

Owns: case folding, trailing blanks, the wildcards of LIKE.
Never does: SQL.
Tested in: tests/integration/sandbox/test_filters.py.

Facts: "Dataverse Web API: webapi/query/filter-rows" (no case, `%`, `_` and `[]`); trailing
blanks do not count, as in SQL Server.
"""

from __future__ import annotations

import re
from functools import lru_cache


def fold(text: str | None) -> str | None:
    """The form in which the service compares text: no case, no trailing blanks."""
    return None if text is None else text.rstrip(" ").casefold()


def matches(text: str | None, pattern: str) -> bool | None:
    """SQL Server's LIKE over already folded text; null stays unknown."""
    return None if text is None else _like(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _like(pattern: str) -> re.Pattern[str]:
    pieces: list[str] = []
    for piece in re.findall(r"\[\^?[^\]]+\]|.", pattern, re.DOTALL):
        if piece == "%":
            pieces.append(".*")
        elif piece == "_":
            pieces.append(".")
        elif len(piece) > 1:
            inside = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            pieces.append(f"[{inside}]")
        else:
            pieces.append(re.escape(piece))
    return re.compile("".join(pieces), re.DOTALL)
