"""From YAML to a document of some model, and what is wrong with its form, at its place.

Owns: turning what the model found into findings a person can act on.
Never does: knowing programs: any model will do.
Tested in: tests/unit/ledger/programs/test_wrong_documents.py.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from connector.documents.form import KINDS, NUMBER, Loc, in_file
from connector.errors import ConfigError, Problem
from connector.ledger.programs.yaml_text import YamlText
from connector.ledger.programs.yaml_text import read_file as read_file

Model = TypeVar("Model", bound=BaseModel)


def parsed(model: type[Model], file: YamlText, page: str = "docs/ledger.md") -> Model:
    """The document; ConfigError names the first finding and counts the others.

    `page` is where a reader finds the keys explained.
    """
    found = findings(model, file, page)
    if isinstance(found, list):
        raise refusal(found)
    return found


def findings(
    model: type[Model], file: YamlText, page: str = "docs/ledger.md"
) -> Model | list[Problem]:
    """The document, or all that is wrong with its form."""
    if not isinstance(file.data, dict):
        name = next(iter(model.model_fields))
        message, remedy = "the file holds no table of keys", f"start it with `{name}: NAME`"
        return [Problem("document-not-a-table", message, remedy, file.subject())]
    try:
        return model.model_validate(file.data)
    except ValidationError as error:
        known = sorted(set(_keys(model.model_json_schema())))
        found = error.errors(include_url=False)
        # A list of one wrong entry is also told to be empty.
        told = [one for one in found if one["type"] != "too_short" or not one["input"]]
        return [_told(one, file, known, page) for one in told]


def refusal(problems: Sequence[Problem]) -> ConfigError:
    """The errors among the findings as one: the first, and how many more there are."""
    first, *others = [one for one in problems if one.severity == "error"]
    more = f" (and {len(others)} more, which `check` tells)" if others else ""
    return ConfigError(first.code, first.message + more, subject=first.subject, remedy=first.remedy)


def nearest(word: str, known: Sequence[str]) -> str:
    """The beginning of a remedy: what was probably meant, or nothing."""
    near = difflib.get_close_matches(word.casefold(), [one.casefold() for one in known], n=1)
    spelled = {one.casefold(): one for one in known}
    return f"did you mean `{spelled[near[0]]}`? " if near else ""


def _keys(schema: Any) -> Iterator[str]:
    """The keys of all tables of a schema."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _keys(part)


def _told(finding: Any, file: YamlText, known: Sequence[str], page: str) -> Problem:
    kind, loc, context = finding["type"], finding["loc"], finding.get("ctx", {})
    at = in_file(file.data, loc)
    subject = file.subject(*at)
    key = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        remedy = nearest(key, known) or f"remove it; {page} lists all keys"
        return Problem("document-unknown-key", f"unknown key `{key}`", remedy.rstrip(), subject)
    if kind == "missing":
        message, remedy = f"`{key}` is missing in {_spoken(at)}", f"add `{key}: …`; see {page}"
        return Problem("document-missing-key", message, remedy, subject)
    if kind == "value_error":
        # A model's own validator: two keys that cannot both be meant.
        return Problem("document-contradiction", str(context["error"]), f"see {page}", subject)
    if kind == "too_short" and isinstance(finding["input"], str):
        kind = "string_too_short"
    takes, remedy = _wanted(kind, context, finding["input"])
    given = "nothing" if finding["input"] is None else reprlib.repr(finding["input"])
    message = f"{_spoken(at)} takes {takes}, not {given}"
    return Problem("document-wrong-value", message, remedy or f"see {page}", subject)


def _spoken(at: Loc) -> str:
    """A place for people: the key, or which entry of the list."""
    if not at:
        return "the file"
    if isinstance(at[-1], int):
        return f"entry {at[-1] + 1} of `{at[-2]}`"
    inside = [part for part in at[:-1] if isinstance(part, int)]
    return f"`{at[-1]}` of entry {inside[-1] + 1}" if inside else f"`{at[-1]}`"


def _wanted(kind: str, context: Any, given: Any) -> tuple[str, str]:
    """What a key takes, and what to write."""
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], ("another form of text", ""))
    if kind in {"enum", "literal_error"}:
        names = re.findall(r"'([^']+)'", context["expected"])
        listed = ", ".join(names)
        return f"one of {listed}", f"{nearest(str(given), names)}write one of {listed}"
    takes, remedy = _KINDS.get(kind, ("something else", ""))
    return takes.format(**context), remedy.format(**context)


_KINDS = {
    **KINDS,
    "list_type": ("a list", "write `[ONE, ANOTHER]`, also for a single one"),
    "tuple_type": ("a list", "write `[ONE, ANOTHER]`, also for a single one"),
    "too_short": ("a list that is not empty", "name at least one, or leave the key out"),
    "number": NUMBER,
    "decimal_max_places": ("at most {decimal_places} decimals", "round it"),
    "day": ("a day", "write it as 2026-12-31"),
}
"""What a key takes, and what to write, by the kind of pydantic's finding."""
_PATTERNS = {
    r"^[a-z0-9][a-z0-9-]*$": (
        "a name of small letters, digits and hyphens",
        "write one such as `gold-club`",
    ),
    r"^[A-Z]{3}$": ("the code of a currency", "write three capitals, such as `EUR`"),
    r"^[1-9][0-9]{0,3} (day|month|year)s?$": ("a span of time", "write one such as `12 months`"),
}
"""The same for texts of a certain form."""
