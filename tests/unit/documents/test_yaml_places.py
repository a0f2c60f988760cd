"""YAML with places: every error says where, and no YAML 1.1 surprise gets through."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest

from connector.documents import yaml_places
from connector.errors import ConfigError, MapError
from connector.ledger.programs import yaml_text as programs
from connector.mapping.yaml_file import parse_yaml, read_yaml
from connector.shipped import shipped


def refusal(text: str) -> MapError:
    with pytest.raises(MapError) as caught:
        parse_yaml(text, "maps/a.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: Yes", "Yes"),
        ("a: no", "no"),
        ("a: On", "On"),
        ("a: true", True),
        ("a: False", False),
        ("a: 2024-01-31", "2024-01-31"),
        ("a: =", "="),
        ("a: <<", "<<"),
        ("a: <", "<"),
        ("a: 806380000", 806380000),
        ("a: -7", -7),
        ("a: 1.50", 1.5),
        ("a: 052", "052"),
        ("a: 0x1F", "0x1F"),
        ("a: 1_000", "1_000"),
        ("a: 12:30:00", "12:30:00"),
        ("a: .nan", ".nan"),
        ("a: 1.5e3", 1500.0),
        ("a: 1.0e9999", "1.0e9999"),
        ("a: 1e3", "1e3"),
        (f"a: {'9' * 309}", int("9" * 309)),
        (f"a: {'9' * 5000}", "9" * 5000),
        ("a: !!str 5", "5"),
        ("a: ~", None),
        ("a:", None),
    ],
)
def test_a_scalar_is_what_it_looks_like(text: str, data: object) -> None:
    value = parse_yaml(text, "f").data["a"]
    assert value == data
    assert type(value) is type(data)


def test_keys_of_a_block_are_texts() -> None:
    assert parse_yaml("a: {Yes: 1, true: 2, 7: 3}", "f").data == {
        "a": {"Yes": 1, "true": 2, "7": 3}
    }


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\nb: 'open", "yaml-broken", 2, 9),
        ("a: b: c", "yaml-broken", 1, 5),
        ("a: [\n", "yaml-broken", 2, 1),
        ("a: 1\n---\nb: 2", "yaml-broken", 2, 1),
        ("a: *nowhere", "yaml-broken", 1, 4),
        ("a: !!int seven", "yaml-broken", 1, 4),
        ("a: !!float 1e99999999", "yaml-broken", 1, 4),
        ("a: !!binary aGk=", "yaml-broken", 1, 4),
        ("a: !!timestamp 2024-01-31", "yaml-broken", 1, 4),
        ("a: !!set {b, c}", "yaml-broken", 1, 4),
        ("a: !!python/name:os.system x", "yaml-broken", 1, 4),
        ("a: !!python/object/apply:os.system [x]", "yaml-broken", 1, 4),
        ("? [a, b]\n: c", "yaml-broken", 1, 3),
        ("a: x\n  \x07: y", "yaml-broken", 2, 3),
        ("a: x\nb: \x00", "yaml-broken", 2, 4),
        ("a: 1\nb: 2\na: 3", "yaml-duplicate-key", 3, 1),
        ("a: {b: 1, b: 2}", "yaml-duplicate-key", 1, 11),
        ("a: &me [*me]", "yaml-too-deep", 1, 4),
        ("a: &me {b: *me}", "yaml-too-deep", 1, 4),
    ],
)
def test_an_error_has_its_place_and_a_remedy(text: str, code: str, line: int, column: int) -> None:
    error = refusal(text)
    assert error.code == code
    assert (error.subject.file, error.subject.line, error.subject.column) == (
        "maps/a.yaml",
        line,
        column,
    )
    assert error.remedy


@pytest.mark.parametrize("text", ["sync: ><", "- {sync: >, a: b}", "a: {sync: >>}"])
def test_a_symbol_without_quotes_is_explained(text: str) -> None:
    assert "quotes" in refusal(text).remedy


def test_depth_and_size_are_bounded() -> None:
    assert refusal("[" * 5000).code == "yaml-too-deep"
    levels = "abcdefghi"
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in pairwise(levels)
    )
    assert refusal(bomb).code == "yaml-too-large"


def test_a_text_that_is_too_long_is_refused_before_it_is_read() -> None:
    assert refusal("a: 1\n" * 1_000_000).code == "yaml-too-large"


@pytest.mark.parametrize("part", ["- x\n", "- !!str x\n", "- {a: 1}\n"])
def test_parts_without_end_are_refused_before_all_are_read(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_places, "_MOST", 100)
    assert refusal(part * 300 + "]").code == "yaml-too-large", "what is broken is never reached"


def test_decimals_of_a_program_are_exact_and_its_texts_can_be_kept() -> None:
    data = programs.read_yaml("a: 0.1\nb: 7\nc: 2026-12-31\nd: 1.0e3", "p.yaml").data
    assert data == {"a": Decimal("0.1"), "b": 7, "c": "2026-12-31", "d": "1.0e3"}
    assert type(data["a"]) is Decimal
    with pytest.raises(ConfigError) as caught:
        programs.read_yaml('a:\n  b: "x\\u0000"', "p.yaml")
    assert (caught.value.code, caught.value.subject.line) == ("yaml-broken", 2)
    assert parse_yaml('by: "\\x01"', "f").data == {"by": "\x01"}


def test_an_alias_may_repeat_a_block() -> None:
    data = parse_yaml("a: &units {Day: 1}\nb: *units", "f").data
    assert data == {"a": {"Day": 1}, "b": {"Day": 1}}


def test_marks_place_parts_and_fall_back_to_what_encloses_them() -> None:
    file = parse_yaml("a:\n  - {b: 1}\n  - b: 2\n", "f")
    assert (file.subject("a", 1, "b").line, file.subject("a", 1, "b").column) == (3, 5)
    assert file.subject("a", 1, "missing").line == 3
    assert file.subject("nothing").line == 1


def test_an_empty_file_is_no_data() -> None:
    assert parse_yaml("", "f").data is None
    assert parse_yaml("# only a comment\n", "f").data is None


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert read_yaml(path).data == {"a": 1}


@pytest.mark.parametrize("content", [b"\xff\xfea", None])
def test_what_is_no_text_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MapError) as caught:
        read_yaml(path)
    assert caught.value.code == "yaml-unreadable"
    assert caught.value.subject.file == str(path)


# ---------------------------------------------------------------------------- two readers


ODD = (
    "\t", "\r", "\x85", "\u2028", "\ufeff", "\xa0", "é", "\x07", "\ud800", "\\", " #x", "\n",
    "\n  ", ":", ": ", ",", "[", "]", "{", "}", "- ", "? ", "?", "&a ", "*a", "!",
    "!!str ", "%", "@", "`", "|2\n", ">-\n", "'", '"', "=", "~", "<<: ", "---\n", "...\n",
    '"\\u00e9"', ": ,", ": ]",
)  # fmt: skip
"""What changes a text most when it slips in."""


def outcome(text: str) -> object:
    """The data and every place, or the refusal as it is told."""
    try:
        file = parse_yaml(text, "f")
    except MapError as error:
        return error.as_dict()
    return file.data, file.marks


def test_the_quick_reader_says_what_the_other_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(1)
    files = sorted(shipped("mappings").glob("*.yaml"))
    whole = [file.read_text(encoding="utf-8") for file in files]
    texts = list(whole)
    for _ in range(400):
        lines = chance.choice(whole).splitlines(keepends=True)
        start = chance.randrange(len(lines))
        text = dedent("".join(lines[start : start + chance.randrange(1, 6)]))
        for _ in range(chance.randrange(1, 3)):
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(ODD) + text[at + chance.choice((0, 0, 1)) :]
        texts.append(text)
    quick = [outcome(text) for text in texts]
    read = sum(yaml_places._quick_node(text) is not None for text in texts)
    assert read > len(whole) + 80, "the quick reader has read too few of them"
    monkeypatch.setattr(yaml_places, "_quick_node", lambda _text: None)
    assert [outcome(text) for text in texts] == quick


@pytest.mark.parametrize("part", ["[", "{a: ", "- ", "[{a: ", "? "])
def test_no_nesting_exhausts_the_stack(part: str) -> None:
    for count in (200, 999, 100_000):
        assert refusal(part * count + "x").code in ("yaml-broken", "yaml-too-deep")
