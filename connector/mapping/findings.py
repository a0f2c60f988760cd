"""What is wrong with a map file, said at its place and with a remedy.

Owns: turning what the document model found into one `MapError` a person can act on.
Never does: checking anything itself.
Tested in: tests/unit/mapping/test_document.py.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from connector.errors import MapError
from connector.mapping.yaml_file import YamlFile


class Contradiction(ValueError):
    """Two parts of a map that cannot both be meant; `at` is the place below the block."""

    def __init__(self, message: str, *at: str | int) -> None:
        super().__init__(message)
        self.at = at


def map_error(file: YamlFile, error: ValidationError, known_keys: Sequence[str]) -> MapError:
    """The first finding with its place, and how many more there are."""
    findings = error.errors(include_url=False)
    # A value that fits no branch of a union has one finding for each branch.
    places = {
        finding["loc"] if finding["type"] == "missing" else _data_path(file.data, finding["loc"])
        for finding in findings
    }
    first = findings[0]
    at = _data_path(file.data, first["loc"])
    message, remedy, code = _explain(first, at, known_keys)
    contradiction = first.get("ctx", {}).get("error")
    if isinstance(contradiction, Contradiction):
        at = (*at, *contradiction.at)
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    name = file.data.get("map")
    subject = file.subject(*at, map=name if isinstance(name, str) else None)
    return MapError(code, message + more, subject=subject, remedy=remedy)


def _data_path(data: Any, loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The part of a pydantic location that exists in the file: union branches do not."""
    path: list[int | str] = []
    for part in loc:
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _explain(
    finding: Any, at: tuple[int | str, ...], known_keys: Sequence[str]
) -> tuple[str, str, str]:
    kind, loc = finding["type"], finding["loc"]
    where = ".".join(str(part) for part in at) or "the map"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(loc[-1]), known_keys, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "remove it; docs/maps.md lists all keys"
        return f"unknown key `{loc[-1]}`", hint, "map-unknown-key"
    if kind == "missing":
        return f"`{loc[-1]}` is missing in {where}", f"add `{loc[-1]}`", "map-missing-key"
    if kind == "value_error":
        text = finding["msg"].removeprefix("Value error, ")
        return (
            text,
            "correct the row as described; docs/maps.md shows examples",
            "map-contradiction",
        )
    allowed = finding.get("ctx", {}).get("expected")
    remedy = f"write one of {allowed}" if allowed else "docs/maps.md describes this key"
    return (
        f"{where}: {finding['msg']}, got {reprlib.repr(finding['input'])}",
        remedy,
        "map-wrong-value",
    )
