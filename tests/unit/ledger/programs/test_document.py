"""What a program file may look like, and that it means the same wherever it is kept."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from connector.ledger.programs.document import By, Members, Mixed, ProgramDocument, Rule, Step
from connector.ledger.programs.reading import parsed, read_file
from connector.ledger.programs.yaml_text import read_yaml

FULL = """program: a
mixed: rest
pooled: true
members: joined
excluded: [é]
tiers:
  - {tier: s, level: 1, points: 999999999.9999, kind: b, within: 12 months}
earn:
  - rule: x
    by: sale
    every: 10
    points: 0.5
    kind: b
    for: {from: 2026-01-01, weekdays: [monday], products: [1001, 052], least-quantity: 2.5}
    not-for: {until: 2026-02-01}
redeem:
  - {kind: b, currency: EUR, points: 100, worth: 0.99, for: {groups: [x]}}
extensions:
  - {use: gift, with: {n: 1.5, day: x}}
"""


def document(text: str) -> ProgramDocument:
    return parsed(ProgramDocument, read_yaml(text, "a.yaml"))


def rule(text: str) -> Rule:
    return document(f"program: a\nearn:\n  - {{{text}}}").earn[0]


def test_what_is_not_written_is_as_usual() -> None:
    found = document("program: a")
    assert (found.members, found.mixed, found.pooled) == (Members.ALL, Mixed.NO, False)
    one = rule("rule: x, by: sale, points: 1, kind: b")
    assert (one.by, one.every, one.step) == (By.SALE, Decimal(1), Step.EXACT)
    assert one.for_.model_dump(exclude_none=True) == {}


def test_numbers_are_exact() -> None:
    one = rule("rule: x, by: quantity, every: 0.1, points: 123456789.0001, kind: b")
    assert (one.every, one.points) == (Decimal("0.1"), Decimal("123456789.0001"))


def test_names_that_look_like_something_else_are_names() -> None:
    one = rule(
        "rule: no, by: quantity, points: 1, kind: 7, "
        "for: {products: [1001, 052, 1:30, 2026-01-01, yes, '=', <<]}"
    )
    assert (one.rule, one.kind) == ("no", "7")
    assert one.for_.products == ("1001", "052", "1:30", "2026-01-01", "yes", "=", "<<")


def test_a_part_is_named_once_and_used_again() -> None:
    found = document(
        "program: a\nearn:\n"
        "  - {rule: x, by: sale, points: 1, kind: b, for: &web {channels: [web]}}\n"
        "  - {rule: y, by: sale, points: 1, kind: c, for: *web}\n"
    )
    assert [one.for_.channels for one in found.earn] == [("web",), ("web",)]


def test_both_ends_of_a_period() -> None:
    one = rule(
        "rule: x, by: sale, points: 1, kind: b, for: {from: 2026-01-31, until: '2026-02-28'}"
    )
    assert (one.for_.first, one.for_.until) == (date(2026, 1, 31), date(2026, 2, 28))


@pytest.mark.parametrize("text", ["program: a", FULL])
def test_a_document_is_the_same_when_it_is_loaded(text: str) -> None:
    assert ProgramDocument.parsed(document(text).kept()) == document(text)


def test_what_is_kept_changes_with_the_meaning_only() -> None:
    kept = document(FULL).kept()
    rewritten = FULL.replace("every: 10\n", "every: 10.0 # each tenth\n    step: exact\n")
    assert document(rewritten).kept() == kept
    assert document(FULL.replace("every: 10", "every: 11")).kept() != kept


def test_a_file_begins_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("program: a\ntitle: Größe\r\n".encode("utf-8-sig"))
    assert parsed(ProgramDocument, read_file(path)).title == "Größe"
