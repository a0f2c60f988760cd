"""Templates in the words of the map language, as plain data that is not checked yet.

Owns: which key of the map language says what dual-write says, row by row.
Never does: adding what the file does not say; `knowledge.py` does, and only to foreign files.
Tested in: tests/unit/mapping/moving/test_import.py, test_round_trip.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from connector.errors import Problem
from connector.mapping.filters.text import BadFilter
from connector.mapping.moving.query_range import dataverse_condition, to_odata
from connector.mapping.moving.template import LEFT_OUT, Template, TemplateRow
from connector.mapping.values import Side

Draft: TypeAlias = dict[str, Any]

DOUBLED = {"=": "><", ">": ">>", "<": "<<"}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_TRUTH = {"true": True, "false": False}
_BLANK = ("", "blank")
_EMPTY_DAY = re.compile(r"0?1/0?1/1900|1900-01-01(?:T00:00:00Z?)?")
_VERSION = re.compile(r"\d+(?:\.\d+){0,3}")


class NotExpressible(Exception):
    """A row the map language has no words for."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def scalar(text: str) -> bool | int | str:
    """A value as the map language writes it: true, 806380000, or the text itself."""
    if text.casefold() in _TRUTH:
        return _TRUTH[text.casefold()]
    return int(text) if _WHOLE.fullmatch(text) else text


def slug(title: str) -> str:
    """A map's name, from its title."""
    return re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-") or "map"


def draft_map(template: Template) -> tuple[Draft, list[Problem]]:
    """The head of a map, without its rows; a filter that has no equal is a problem."""
    draft: Draft = {
        "map": slug(template.commerce),
        "title": template.commerce,
        "commerce": {"entity": template.commerce},
        "dataverse": {"entity": template.dataverse},
    }
    if template.version is not None and _VERSION.fullmatch(template.version):
        parts = template.version.split(".")
        draft["version"] = ".".join([*parts, *["0"] * (4 - len(parts))])
    problems = []
    readers: tuple[tuple[Side, str, Callable[[str], str]], ...] = (
        (Side.COMMERCE, template.commerce_filter, to_odata),
        (Side.DATAVERSE, template.dataverse_filter, dataverse_condition),
    )
    for side, text, read in readers:
        if not text.strip():
            continue
        try:
            draft[side.value]["filter"] = read(text)
        except BadFilter as error:
            problems.append(
                Problem(
                    "import-filter",
                    f"the filter of {side} cannot be carried over: `{text[:200]}`: {error.message}",
                    f"the map is not written: without the filter it would take every row. "
                    f"{error.remedy}, in the file, and import again",
                    template.subject,
                    exit_code=LEFT_OUT,
                )
            )
    return draft, problems


def draft_row(row: TemplateRow) -> tuple[Draft, list[Problem]]:
    """One row, with what is worth a note; raises `NotExpressible`."""
    if row.commerce is None or row.dataverse is None:
        return _constant(row), []
    draft: Draft = {"commerce": row.commerce, "sync": row.way, "dataverse": row.dataverse}
    values, default, notes = _values(row)
    if values:
        draft["values"] = values
    if default:
        draft["default"] = default
    if values or default:
        draft["sync"] = DOUBLED[row.way]
    elif row.transformed and "." in row.dataverse:
        pass  # the lookup is the transform
    elif row.transformed and not row.pairs:
        raise _inexpressible(
            row,
            "the file says that the value is transformed, but not how",
            "add the row with its `values` or `default`; the JSON of the map has them",
        )
    return draft, notes


def _constant(row: TemplateRow) -> Draft:
    wanted: Side = Side.DATAVERSE if row.commerce is None else Side.COMMERCE
    column = row.dataverse if row.commerce is None else row.commerce
    if column is None:
        raise _inexpressible(row, "the row names no column", "remove it")
    if row.default in (None, ""):
        raise _inexpressible(
            row, "a constant without a value", f"add the row with `constant` for `{column}`"
        )
    against = "<" if wanted is Side.DATAVERSE else ">"
    if row.way == against:
        raise _inexpressible(
            row, "a constant that travels to the side without a column", "turn its direction"
        )
    sync = ">>" if wanted is Side.DATAVERSE else "<<"
    return {wanted.value: column, "sync": sync, "constant": scalar(str(row.default))}


def _values(row: TemplateRow) -> tuple[Draft, Draft, list[Problem]]:
    """Value map, defaults, and notes on pairs that are not needed."""
    values: Draft = {}
    default: Draft = {}
    notes: list[Problem] = []
    for left, right in row.pairs:
        blank_left, blank_right = (text.casefold() in _BLANK for text in (left, right))
        if (blank_right and _EMPTY_DAY.fullmatch(left)) or (blank_left and blank_right):
            notes.append(_note(row, f"`{left}` is an empty value here without being told"))
        elif blank_right:
            raise _inexpressible(
                row,
                f"`{left}` becomes an empty value",
                "leave the value out on the commerce side, or give it a value of its own",
            )
        elif blank_left:
            default["dataverse"] = scalar(right)
        elif values.setdefault(left, scalar(right)) != scalar(right):
            raise _inexpressible(row, f"`{left}` stands twice", "keep one of the two")
    if row.default not in (None, ""):
        if row.default_to.value in default:
            raise _inexpressible(row, "two values for an empty one", "keep one of the two")
        default[row.default_to.value] = scalar(str(row.default))
    return values, default, notes


def _inexpressible(row: TemplateRow, message: str, remedy: str) -> NotExpressible:
    return NotExpressible(
        Problem(
            "import-row",
            f"`{row.name}` is left out: {message}",
            remedy,
            row.subject,
            exit_code=LEFT_OUT,
        )
    )


def _note(row: TemplateRow, message: str) -> Problem:
    return Problem(
        "import-note", f"`{row.name}`: {message}", "nothing to do", row.subject, "info", exit_code=0
    )
