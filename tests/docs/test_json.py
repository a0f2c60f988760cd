"""The JSON of every command is what docs/json.md says: every field of it, and no other.

A section is named after its command and has a table of paths: `maps[].error` is the key `error` of
each element of the list `maps`. A field whose type is one of the page's own objects (an error, a
problem, values by column, counts) is not followed further here. Each section's example is held to
its own table, and all tables together to what the commands print in one session that has a bit of
everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from connector.errors import ConfigError, Problem, Subject
from tests.docs.session import Samples, play, serve
from tests.docs.test_reference import commands, sections

if TYPE_CHECKING:
    from tests.docs.conftest import SitDown

FREE_FORM = {"schema", "ledger programs schema", "ledger segments schema"}
"""Commands whose output is a document of a standard's own."""


@cache
def page() -> dict[str, str]:
    """Heading to text."""
    return sections("json.md")


def table(name: str) -> dict[str, str]:
    """Path to type, of one section."""
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", page()[name], re.MULTILINE))


def leaves(value: Any, types: dict[str, str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything in a value, down to what the table does not follow."""
    if isinstance(value, list):
        for item in value:
            yield from leaves(item, types, f"{path}[]")
    elif isinstance(value, dict) and "(" not in types.get(path, ""):
        for key, item in value.items():
            yield from leaves(item, types, f"{path}.{key}" if path else key)
    else:
        yield path, value


def unknown(value: Any, types: dict[str, str]) -> set[str]:
    """Paths of a value that the table does not have; null may stand for an object."""
    return {
        path
        for path, _ in leaves(value, types)
        if path not in types and not any(known.startswith(f"{path}.") for known in types)
    }


@pytest.fixture(scope="module")
def samples_of() -> dict[str, Samples]:
    """Filled by the first test that asks; a session takes some seconds, also one that fails."""
    return {}


@pytest.fixture
def samples(samples_of: dict[str, Samples], sit_down: SitDown, sandbox: dict[str, Any]) -> Samples:
    """What every command printed."""
    if not samples_of:
        samples_of["all"] = {}
        person = sit_down()
        samples_of["all"] = {**play(person), "serve": [serve(person)], "sandbox": [sandbox]}
    assert samples_of["all"], "the session failed: the first of these tests says where"
    return samples_of["all"]


def names() -> list[str]:
    """The commands whose output the page describes field by field."""
    return [name for name, _ in commands() if name not in FREE_FORM]


def example(name: str) -> dict[str, Any]:
    """The example of a section."""
    (text,) = re.findall(r"^```json\n(.*?)^```$", page()[name], re.MULTILINE | re.DOTALL)
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def test_every_command_has_a_section() -> None:
    objects = {"Errors", "Problems", "Needs", "Health"}
    assert set(page()) == {name for name, _ in commands()} | objects


@pytest.mark.parametrize("name", names())
def test_every_printed_field_is_described(name: str, samples: Samples) -> None:
    for printed in samples[name]:
        assert unknown(printed, table(name)) == set()


@pytest.mark.parametrize("name", names())
def test_every_described_field_is_printed(name: str, samples: Samples) -> None:
    types = table(name)
    seen = {path for printed in samples[name] for path, _ in leaves(printed, types)}
    assert set(types) - seen == set()


@pytest.mark.parametrize("name", names())
def test_every_value_is_of_its_type(name: str, samples: Samples) -> None:
    types = table(name)
    for printed in samples[name]:
        for path, value in leaves(printed, types):
            allowed = types.get(path, "null").split(" or ")
            assert any(is_a(value, kind) for kind in allowed), (path, value)


@pytest.mark.parametrize("name", names())
def test_the_example_has_the_described_fields(name: str) -> None:
    assert unknown(example(name), table(name)) == set()
    heads = {re.split(r"[.\[]", path)[0] for path in table(name)}
    assert set(example(name)) == heads


def is_a(value: Any, kind: str) -> bool:
    """Whether a value is of a type as the page names it."""
    word, _, of = kind.partition(" ")
    match word:
        case "object":
            own = {"(error)": ERROR, "(problem)": PROBLEM, "(need)": NEED}.get(of)
            return isinstance(value, dict) and (own is None or set(value) == own)
        case "time":
            return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
        case "integer" | "number":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole or (isinstance(value, float) and word != "integer")
    kinds: dict[str, type] = {"text": str, "boolean": bool, "null": type(None), "value": object}
    return isinstance(value, kinds[word])


ERROR = set(ConfigError("a", "b", remedy="c").as_dict())
PROBLEM = set(Problem("a", "b", "c").as_dict())
NEED = {"map", "kind", "count"}


def test_the_pages_own_objects_are_complete() -> None:
    assert set(table("Errors")) == ERROR == set(example("Errors")["error"])
    assert set(table("Problems")) == PROBLEM
    assert set(table("Needs")) == NEED
    line = next(row for row in page()["Errors"].splitlines() if row.startswith("| `subject`"))
    assert set(re.findall(r"`(\w+)`", line)) - {"subject"} == {f.name for f in fields(Subject)}


def test_an_error_that_ends_a_command_stands_alone(sit_down: SitDown) -> None:
    printed = sit_down().json("dualwrite status", code=2)
    assert list(printed) == ["error"]
    assert set(printed["error"]) == ERROR
