"""A map as a YAML text that people like to read.

Owns: order, line breaks and quotes of a map file, in the manner of the shipped ones.
Never does: leaving anything out; every key of the map language is written alike.
Tested in: tests/unit/mapping/moving/test_round_trip.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

HEAD = "# yaml-language-server: $schema=./map.schema.json"
_WIDTH = 100
_FIRST = ("map", "title", "version", "commerce", "dataverse", "master", "conflict", "deletes")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?: [A-Za-z0-9_.-]+)*|[0-9]+(?:\.[0-9]+){2,}")
_WORDS = {"null", "true", "false"}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def yaml_text(
    head: Mapping[str, Any], rows: Sequence[tuple[Sequence[str], Mapping[str, Any]]]
) -> str:
    """A map's text from its head and its rows, each with the comments that stand above it.

    Comments of an empty row stand alone, for a row that is not there.
    """
    order = [*(key for key in _FIRST if key in head), *(key for key in head if key not in _FIRST)]
    lines = [HEAD]
    for key in order:
        lines += _entry(key, head[key], "")
    lines.append("fields:")
    for comments, row in rows:
        lines += [f"  # {_remark(comment)}" for comment in comments]
        if row:
            lines += _row(row)
    return "\n".join(lines) + "\n"


def _remark(text: str) -> str:
    """On one line, and without what YAML does not take even in a comment."""
    return " ".join(_UNPRINTABLE.sub("?", " ".join(text.split())).split())


def _row(row: Mapping[str, Any]) -> Iterator[str]:
    """On one line, unless it holds a table."""
    if not any(isinstance(value, (dict, list)) for value in row.values()):
        yield f"  - {_flow(row)}"
        return
    start = "  - "
    for key, value in row.items():
        entry = _entry(key, value, "    ")
        entry[0] = start + entry[0].strip()
        yield from entry
        start = "    "


def _entry(key: str, value: Any, indent: str) -> list[str]:
    flat = f"{indent}{scalar_text(key)}: {_flow(value)}"
    if len(flat) <= _WIDTH or not isinstance(value, dict) or not value:
        return [flat]
    lines = [f"{indent}{scalar_text(key)}:"]
    for name, part in value.items():
        lines += _entry(name, part, f"{indent}  ")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = (f"{scalar_text(key)}: {_flow(part)}" for key, part in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(part) for part in value) + "]"
    return scalar_text(value)


def scalar_text(value: Any) -> str:
    """One scalar so that it is read back as the same value of the same type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        written = format(Decimal(repr(value)), "f")
        return written if "." in written else f"{written}.0"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    return _UNPRINTABLE.sub(
        lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False)
    )
