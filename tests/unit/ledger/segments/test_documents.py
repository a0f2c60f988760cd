"""Segment files: what they may say, and how a mistake is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.cli.app import run
from connector.errors import ConfigError
from connector.ledger.programs.reading import parsed
from connector.ledger.programs.yaml_text import read_yaml
from connector.ledger.segments.document import MOST_LABELS, Of, SegmentDocument
from connector.shipped import shipped

WHOLE = """
segment: lapsed-gold
title: Gold members we have not seen
of: customer
kept: yes
who:
  tier: {program: gold-club, one-of: [silver, gold]}
  programs: [gold-club]
  groups: [staff]
  idle: 180 days
  customer: yes
  points: {kind: bonus, expiring: 30 days, least: 0.5}
  enrolled: {units: [052], within: 2 years}
  not:
    any:
      - sales: {products: [4711], categories: [food], channels: [web], units: [052],
                from: 2026-01-01, until: 2026-06-30, currency: EUR,
                least-sales: 2, most-sales: 9, least-amount: 10.25, most-amount: 500,
                least-quantity: 1, most-quantity: 20}
      - all:
          - sales: {within: 12 months}
"""


def read(text: str) -> SegmentDocument:
    return parsed(SegmentDocument, read_yaml(text, "s.yaml"))


def test_everything_a_segment_may_say() -> None:
    document = read(WHOLE)
    assert (document.of, document.kept) == (Of.CUSTOMER, True)
    assert document.who.enrolled is not None
    assert document.who.enrolled.units == ("052",)
    assert len(list(document.who.parts())) == 5
    assert SegmentDocument.parsed(document.kept_text()) == document


def test_the_same_meaning_is_the_same_text() -> None:
    one = read("segment: s\nkept: no\nwho: {points: {kind: b, least: 1.50}}")
    other = read("who:\n  points: {least: 1.5, kind: b}\nsegment: s\nkept: false\ntitle: ''")
    assert one.kept_text() == other.kept_text()


WRONG: list[tuple[str, str, int, str]] = [
    ("- a", "document-not-a-table", 1, "no table"),
    ("segment: s", "document-missing-key", 1, "`who`"),
    ("segment: s\nwho: {}", "document-contradiction", 2, "holds for everybody"),
    ("segment: s\nwho:\n  not: {}", "document-contradiction", 3, "holds for everybody"),
    ("segment: S p\nwho: {idle: 1 day}", "document-wrong-value", 1, "small letters"),
    ("segment: s\nwho: {idle: soon}", "document-wrong-value", 2, "a span of time"),
    ("segment: s\nwho:\n  sold: 1", "document-unknown-key", 3, "`sold`"),
    ("segment: s\nkept: maybe\nwho: {idle: 1 day}", "document-wrong-value", 2, "true or false"),
    ("segment: s\nwho:\n  any: []", "document-wrong-value", 3, "not empty"),
    ("segment: s\nwho:\n  groups: staff", "document-wrong-value", 3, "a list"),
    (
        "segment: s\nwho:\n  sales: {least-amount: 5}",
        "document-contradiction",
        3,
        "`currency`",
    ),
    (
        "segment: s\nwho:\n  sales: {within: 1 day, from: 2026-01-01}",
        "document-contradiction",
        3,
        "`within` and `from`",
    ),
    ("segment: s\nwho:\n  sales: {least-sales: 0}", "document-wrong-value", 3, "from 1 on"),
    ("segment: s\nwho:\n  sales: {most-sales: -1}", "document-wrong-value", 3, "from 0 on"),
    ("segment: s\nwho:\n  points: {least: 1}", "document-missing-key", 3, "`kind`"),
    (
        "segment: s\nwho:\n  points: {kind: b, least: 1.00001}",
        "document-wrong-value",
        3,
        "4 decimals",
    ),
    ("segment: s\nsegment: t", "yaml-duplicate-key", 2, "twice"),
    ("segment: [", "yaml-broken", 1, "YAML"),
]


@pytest.mark.parametrize(("text", "code", "line", "part"), WRONG)
def test_a_mistake_is_told_with_its_place(text: str, code: str, line: int, part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    error = caught.value
    assert (error.code, error.subject.line) == (code, line), error
    assert part in error.message
    assert error.remedy


def test_a_segment_that_lists_too_much_is_refused() -> None:
    names = ", ".join(f"p{one}" for one in range(MOST_LABELS + 1))
    with pytest.raises(ConfigError, match=f"lists {MOST_LABELS + 1} names"):
        read(f"segment: s\nwho: {{sales: {{products: [{names}]}}}}")


def test_conditions_within_conditions_end_somewhere() -> None:
    nested = "{not: " * 40 + "{idle: 1 day}" + "}" * 40
    with pytest.raises(ConfigError) as caught:
        read(f"segment: s\nwho: {nested}")
    assert caught.value.code == "yaml-too-deep"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    file = shipped("segments") / "segment.schema.json"
    return Draft202012Validator(json.loads(file.read_text("utf-8")))


def plain(text: str) -> Any:
    """As an editor reads it."""
    return json.loads(json.dumps(read_yaml(text, "s.yaml").data, default=float))


def test_the_shipped_schema_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "segments", "schema"]) == 0
    file = shipped("segments") / "segment.schema.json"
    told = "run: dualwrite ledger segments schema > segments/segment.schema.json"
    assert json.loads(file.read_text("utf-8")) == json.loads(capsys.readouterr().out), told


@pytest.mark.parametrize("file", sorted(shipped("segments").glob("*.yaml")), ids=lambda f: f.stem)
def test_nothing_is_wrong_with_a_shipped_segment(
    file: Path, validator: Draft202012Validator
) -> None:
    text = file.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=./segment.schema.json\n")
    assert read(text).segment == file.stem
    assert not list(validator.iter_errors(plain(text)))


def test_an_editor_finds_what_is_wrong_with_the_form(validator: Draft202012Validator) -> None:
    assert not list(validator.iter_errors(plain(WHOLE)))
    for text, code, _, _ in WRONG:
        if code in ("document-missing-key", "document-unknown-key", "document-not-a-table"):
            assert not validator.is_valid(plain(text)), text
