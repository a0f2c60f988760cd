"""What the JSON of dual-write cannot say, beside it in a member of its own.

Owns: the member `x-dualwrite`: what differs between a map and what its JSON alone would give.
Never does: knowing single keys of the map language; whatever it grows to, travels.
Tested in: tests/unit/mapping/moving/test_round_trip.py.

Each difference is kept as a pair, what the JSON alone says and what the map says. Where somebody
has changed the JSON since, its first half no longer fits: then the JSON is right, and the
difference is told of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.errors import Problem, Subject
from connector.mapping.moving.draft import Draft
from connector.mapping.moving.template import LEFT_OUT

_Change: TypeAlias = tuple[Any, Any]
"""What the JSON alone says, and what is meant; None stands for nothing."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChangedRow(_Part):
    """A row the JSON has, found by its two columns."""

    row: tuple[str, str]
    set: dict[str, _Change]


class OwnRow(_Part):
    """A row the JSON has no form for, and where it stands."""

    at: int = Field(ge=0)
    row: dict[str, Any]


class Extension(_Part):
    """The member `x-dualwrite`."""

    format: Literal[1] = 1
    spelling: list[str] = []
    """Columns and symbols of commerce that dual-write spells otherwise."""
    map: dict[str, _Change] = {}
    rows: list[ChangedRow] = []
    only: list[OwnRow] = []


def read_extension(data: object) -> Extension | None:
    """The member as it was written; None where it is none of ours."""
    try:
        return Extension.model_validate(data)
    except ValidationError:
        return None


def difference(
    head: Draft, rows: Sequence[Draft | None], meant_head: Draft, meant_rows: Sequence[Draft]
) -> dict[str, Any]:
    """What is to be added to a map's JSON: `rows[i]` is what it gives for `meant_rows[i]`.

    None stands for a row that the JSON has no form for.
    """
    pairs = list(zip(rows, meant_rows, strict=True))
    spelling = _spelling(pairs)
    changed: list[ChangedRow] = []
    own: list[OwnRow] = []
    for index, (row, meant) in enumerate(pairs):
        if row is None:
            own.append(OwnRow(at=index, row=meant))
            continue
        _spell(row, spelling)
        changes = _changes(row, meant)
        if changes:
            changed.append(ChangedRow(row=_names(meant), set=changes))
    made = Extension(
        spelling=list(spelling.values()), map=_changes(head, meant_head), rows=changed, only=own
    )
    return {"format": made.format, **made.model_dump(mode="json", exclude_defaults=True)}


def applied(
    extension: Extension, head: Draft, rows: Sequence[Draft], subject: Subject
) -> tuple[list[Draft], list[Problem]]:
    """The rows with what the extension adds; head and rows are changed in place.

    Problems where the JSON was changed since.
    """
    spelling = {name.casefold(): name for name in extension.spelling}
    for row in rows:
        _spell(row, spelling)
    problems = [_stale(subject, key) for key in _apply(head, extension.map)]
    by_names = {_names(row): row for row in rows}
    for entry in extension.rows:
        found = by_names.get(entry.row)
        if found is not None:  # else it was removed since
            told = " ".join(entry.row)
            problems += [_stale(subject, f"{told}, {key}") for key in _apply(found, entry.set)]
    made = list(rows)
    for own in extension.only:
        made.insert(own.at, deepcopy(own.row))
    return made, problems


def _names(row: Draft) -> tuple[str, str]:
    """A column stands in one row only, so that both together name a row."""
    return str(row.get("commerce", "")), str(row.get("dataverse", ""))


def _spelling(pairs: Sequence[tuple[Draft | None, Draft]]) -> dict[str, str]:
    """Columns and symbols of commerce that dual-write spells otherwise, by folded name."""
    spelling: dict[str, str] = {}
    for row, meant in pairs:
        if row is not None:
            written = {row.get("commerce"), *row.get("values", ()), *_looked_up(row)}
            for name in (meant.get("commerce"), *(meant.get("values") or ()), *_looked_up(meant)):
                if isinstance(name, str) and name not in written:
                    spelling.setdefault(name.casefold(), name)
    return spelling


def _spell(row: Draft, spelling: Mapping[str, str]) -> None:
    if isinstance(row.get("commerce"), str):
        row["commerce"] = spelling.get(row["commerce"].casefold(), row["commerce"])
    if isinstance(row.get("lookup"), dict):
        row["lookup"] = {
            there: spelling.get(str(name).casefold(), name) for there, name in row["lookup"].items()
        }
    if isinstance(row.get("values"), dict):
        row["values"] = {
            spelling.get(name.casefold(), name): value for name, value in row["values"].items()
        }


def _looked_up(row: Draft) -> list[Any]:
    """The commerce columns of a lookup by several."""
    lookup = row.get("lookup")
    return list(lookup.values()) if isinstance(lookup, dict) else []


def _changes(before: Draft, after: Draft) -> dict[str, _Change]:
    """By key: what stands there, and what is meant."""
    return {
        key: (before.get(key), after.get(key))
        for key in [*before, *(key for key in after if key not in before)]
        if not _same(before.get(key), after.get(key))
    }


def _apply(draft: Draft, changes: Mapping[str, _Change]) -> Iterator[str]:
    """Make the changes whose first half still stands; the keys of those it does not."""
    for key, (was, meant) in changes.items():
        if not _same(draft.get(key), was):
            yield key
        elif meant is None:
            draft.pop(key, None)
        else:
            draft[key] = deepcopy(meant)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, and 1 is not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _stale(subject: Subject, part: str) -> Problem:
    return Problem(
        "import-extension-stale",
        f"the map was changed after its export, `x-dualwrite` no longer fits: {part}",
        "the JSON counts; look at this part of the written map",
        subject,
        "warning",
        exit_code=LEFT_OUT,
    )
