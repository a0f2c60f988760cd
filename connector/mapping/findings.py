"""What is wrong with a map file, said at its place and with a remedy.

Owns: turning what the document model found into one `MapError` a person can act on.
Never does: checking anything itself.
Tested in: tests/unit/mapping/test_document.py.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from connector.documents.form import KINDS, NUMBER, Loc, in_file
from connector.errors import MapError, Problem
from connector.mapping.words import HOMES, KEYS_OF_OTHERS, STEPS_OF_OTHERS
from connector.mapping.yaml_file import YamlFile

EXAMPLES = {
    "map": "map: loyalty-card",
    "version": "version: 1.0.0.0",
    "commerce": "commerce: {entity: ENTITY_SET}",
    "dataverse": "dataverse: {entity: ENTITY_SET}",
    "entity": "entity: ENTITY_SET",
    "inactive": "inactive: {column: NAME, value: VALUE}",
    "owner": "owner: {team: NAME}",
    "company": "company: default",
    "companies": "companies: {CODE: {team: NAME}}",
    "deletes": "deletes: {commerce: propagate, dataverse: restore}",
    "fields": 'fields: [{commerce: NAME, sync: "=", dataverse: name, key: true}]',
    "row": '{commerce: NAME, sync: "=", dataverse: name}',
    "sync": 'sync: "="',
    "values": "values: {COMMERCE: DATAVERSE}",
    "default": "default: {dataverse: VALUE}",
    "join": "join: {columns: [A, B], by: ' '}",
    "lookup": "lookup: {THERE: COMMERCE, ALSO_THERE: ANOTHER}",
    "unmatched": "unmatched: {dataverse: VALUE}",
    "transform": "transform: [trim, {truncate: 10}]",
    "back": "back: [trim]",
    "case": "case: upper",
    "truncate": "truncate: 10",
    "scale": "scale: 0.01",
    "custom": "custom: NAME",
    "split": "split: {by: ' ', part: 1}",
    "regex": "regex: {match: '^0+', replace: ''}",
    "instant": "instant: {zone: Europe/Berlin}",
    "date": "date: {zone: Europe/Berlin}",
}
"""How a key is written, for those whose form is not plain."""


class Contradiction(ValueError):
    """Two parts of a map that cannot both be meant; `at` is the place below the block."""

    def __init__(
        self,
        message: str,
        *at: str | int,
        code: str = "map-contradiction",
        remedy: str,
    ) -> None:
        super().__init__(message)
        self.at = at
        self.code = code
        self.remedy = remedy


def map_error(
    file: YamlFile,
    error: ValidationError,
    known_keys: Sequence[str],
    examples: Mapping[str, str] = EXAMPLES,
    unknown: str = "remove it; docs/maps.md lists all keys",
) -> MapError:
    """The first finding with its place, and how many more there are; `found` has them all.

    `unknown` is what to do about a key that resembles none of those known.
    """
    found = list(_problems(file, error, known_keys, examples, unknown))
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    raised = MapError(first.code, first.message + more, subject=first.subject, remedy=first.remedy)
    raised.found = found
    return raised


def _problems(
    file: YamlFile,
    error: ValidationError,
    known_keys: Sequence[str],
    examples: Mapping[str, str],
    unknown: str,
) -> Iterator[Problem]:
    """One finding for each place."""
    name = file.data.get("map")
    # A value that fits no branch of a union has one finding for each branch.
    places: dict[Loc, list[Any]] = {}
    findings = error.errors(include_url=False)
    for finding in findings:
        missing = finding["type"] == "missing"
        place = finding["loc"] if missing else in_file(file.data, finding["loc"])
        if not (missing and _misspelled(finding, findings)):
            places.setdefault(place, []).append(finding)
    for of_place in places.values():
        first = of_place[0]
        at = in_file(file.data, first["loc"])
        contradiction = first.get("ctx", {}).get("error")
        if isinstance(contradiction, Contradiction):
            at = (*at, *contradiction.at)
            message, remedy, code = str(contradiction), contradiction.remedy, contradiction.code
        else:
            kinds = {finding["type"] for finding in of_place}
            message, remedy, code = _explain(first, at, kinds, known_keys, unknown)
            example = _example(at, examples)
            if first["type"] in _FORMS and example is not None:
                remedy = f"write `{example}`"
        subject = file.subject(*at, map=name if isinstance(name, str) else None)
        yield Problem(code, message, remedy, subject)


def _misspelled(missing: Any, findings: Sequence[Any]) -> bool:
    """Whether an unknown key of the same block explains why one is missing."""
    *block, name = missing["loc"]
    for other in findings:
        *beside, key = other["loc"]
        unknown = other["type"] == "extra_forbidden" and beside == block
        near = unknown and difflib.get_close_matches(str(key), [str(name)])
        if near or (unknown and _of_others(str(key))):
            return True
    return False


def _explain(
    finding: Any, at: Loc, kinds: set[str], known_keys: Sequence[str], unknown: str
) -> tuple[str, str, str]:
    """Message, remedy and code of what pydantic found."""
    kind, loc, context = finding["type"], finding["loc"], finding.get("ctx", {})
    where = _spoken(at)
    if kind == "extra_forbidden":
        return (
            f"unknown key `{loc[-1]}`",
            _meant(str(loc[-1]), known_keys, unknown),
            "map-unknown-key",
        )
    if kind == "missing":
        key = str(loc[-1])
        return f"`{key}` is missing in {where}", f"add {_shown(key)}", "map-missing-key"
    if kind == "union_tag_invalid":
        names = [name.strip(" '") for name in context["expected_tags"].split(",")]
        near = difflib.get_close_matches(context["tag"], names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"write one of {', '.join(names)}"
        hint = STEPS_OF_OTHERS.get(context["tag"].casefold(), hint)
        return f"there is no transform `{context['tag']}`", hint, "transform-unknown"
    takes, remedy = _wanted(kind, kinds, finding["input"], context)
    got = "nothing" if finding["input"] is None else reprlib.repr(finding["input"])
    return f"{where} takes {takes}, not {got}", remedy, "map-wrong-value"


def _of_others(key: str) -> str | None:
    """What a key of another language is here."""
    return KEYS_OF_OTHERS.get(key.casefold().replace("_", ""))


def _meant(key: str, known_keys: Sequence[str], unknown: str) -> str:
    """What to do about a key that means nothing where it stands."""
    others = _of_others(key)
    if others is not None and (key == "company" or key not in known_keys):
        return others
    if key in known_keys:
        return f"it does not belong here: {HOMES.get(key, 'docs/maps.md says where it stands')}"
    near = difflib.get_close_matches(key, known_keys, n=1)
    return f"did you mean `{near[0]}`?" if near else unknown


def _wanted(kind: str, kinds: set[str], given: Any, context: Any) -> tuple[str, str]:
    """What a key takes, and what to write."""
    if "bool_type" in kinds and len(kinds) > 1:
        return "one value", "write one text, number, `true` or `false`"
    if kind == "int_type" and len(kinds) > 1:
        return NUMBER
    if kind == "string_type" and isinstance(given, list):
        return "one text", f"write one; columns of commerce are put together by {_shown('join')}"
    if kind == "too_short" and isinstance(given, dict):
        return "several columns", "write one column as `commerce: NAME, dataverse: LOOKUP.COLUMN`"
    if kind == "model_type" and isinstance(given, str):
        return "a table", f"write it with its setting: `{{{EXAMPLES.get(given, 'KEY: VALUE')}}}`"
    if kind in ("enum", "literal_error"):
        names = [name.strip(" '") for name in re.split(r", | or ", context["expected"])]
        near = difflib.get_close_matches(str(given), names, n=1) if len(str(given)) > 2 else []
        one_of = f"write one of {context['expected']}" if len(names) > 1 else f"write `{names[0]}`"
        return context["expected"], f"did you mean `{near[0]}`? {one_of}" if near else one_of
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], ("another form of text", "see docs/maps.md"))
    takes, remedy = _KINDS.get(kind, ("something else", "docs/maps.md describes this key"))
    return takes.format(**context), remedy.format(**context)


_STEP = (
    "the name of a transform, or a table with one key",
    "write `trim`, or `{{truncate: 10}}`; each step is an entry of its own",
)
_KINDS = {
    **KINDS,
    "list_type": ("a list", "write `[ONE, ANOTHER]`, or one line with `- ` for each"),
    "too_short": ("a list of {min_length} or more", "write at least {min_length}"),
    "union_tag_not_found": _STEP,
}
"""What a key takes, and the remedy, by the kind of pydantic's finding."""
_FORMS = frozenset({"model_type", "dict_type", "list_type", "string_type"})
"""Kinds of findings for which an example of the whole tells more than what is wrong."""
_PATTERNS = {
    r"^[A-Za-z_][A-Za-z0-9_]*$": (
        "the name of a column",
        "write letters, digits and underscores, as the system spells the column",
    ),
    r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,2}$": (
        "the name of a column, `lookup.column` or `lookup.lookup.column`",
        "write letters, digits and underscores, and a dot behind a lookup column, two at most",
    ),
    r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$": (
        "the name of a column, or `lookup.column`",
        "write the column rows are found by: letters, digits and underscores, one dot at most",
    ),
    r"^[a-z0-9][a-z0-9-]*$": (
        "a name of small letters, digits and hyphens",
        "write one such as `loyalty-card`",
    ),
    r"^\d+\.\d+\.\d+\.\d+$": ("four numbers", "write a version such as `1.0.0.0`"),
}
"""The same for texts of a certain form, by the pattern in the document model."""


def _example(at: Loc, examples: Mapping[str, str]) -> str | None:
    """How what stands there is written; a column and an end of the map have one name."""
    if not at:
        return None
    if isinstance(at[-1], int):
        return examples.get("row") if at[0] == "fields" and len(at) == 2 else None
    if "companies" in at:
        return examples.get("companies")
    column = at[-1] in ("commerce", "dataverse") and len(at) > 1
    return None if column else examples.get(at[-1])


def _shown(key: str) -> str:
    return f"`{EXAMPLES[key]}`" if key in EXAMPLES else f"`{key}`"


def _spoken(at: Loc) -> str:
    """A place for people: the key, or which entry of the list."""
    if not at:
        return "the map"
    *before, last = at
    if isinstance(last, str):
        return f"`{last}`"
    entry = {"fields": "row", "transform": "step", "back": "step"}.get(str(before[-1]), "entry")
    return f"{entry} {last + 1} of `{before[-1]}`"
