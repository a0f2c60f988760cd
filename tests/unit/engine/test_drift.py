"""What differs between two descriptions, and what it means for a map."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.endpoints.base import Capabilities, Column, Entity, Key, Reference
from connector.engine.runs.drift import Drift, differences, kept_of, kept_text, recalled, without
from connector.engine.runs.drifted import CODES, findings_of, stop_reason, stops
from connector.mapping.document import parse_document
from connector.mapping.values import Side, ValueType

C, D = Side.COMMERCE, Side.DATAVERSE
DOCUMENT = parse_document(
    """
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {commerce: Kind, sync: "=", dataverse: kind}
  - {commerce: Currency, sync: ">", dataverse: currency.code}
"""
)
READ = {C: ("Number", "Kind", "Currency"), D: ("number", "kind", "currency")}
COLUMNS = (
    Column("number", ValueType.TEXT, max_length=30, identity="1"),
    Column("kind", ValueType.CHOICE, choices={1: "One", 2: "Two"}, identity="2"),
    Column("currency", ValueType.REFERENCE, reference=Reference("currencies", "id"), identity="3"),
    Column("other", ValueType.TEXT, max_length=10, identity="4"),
)
PLAIN = Capabilities("version", "once", True, True, True, 1)


def tables(
    *changed: Column, without: str = "", keys: tuple[str, ...] = ("number",)
) -> dict[Side, Entity]:
    """Both tables; the Dataverse one with some columns changed or gone."""
    by_name = {column.name: column for column in (*COLUMNS, *changed) if column.name != without}
    key = tuple(Key("key", (name,)) for name in keys)
    cards = {name: Column(name, ValueType.TEXT) for name in READ[C]}
    return {
        C: Entity("Cards", "Cards", "id", cards, (), PLAIN),
        D: Entity("cards", "Cards", "id", by_name, key, PLAIN),
    }


NUMBER, KIND, CURRENCY, OTHER = COLUMNS


@pytest.mark.parametrize(
    ("now", "drift", "column", "severity"),
    [
        (tables(Column("new", ValueType.TEXT)), Drift.ADDED, "new", "note"),
        (tables(without="kind"), Drift.REMOVED, "kind", "error"),
        (tables(without="other"), Drift.REMOVED, "other", "note"),
        (tables(replace(NUMBER, identity="9")), Drift.MADE_ANEW, "number", "error"),
        (tables(replace(OTHER, identity="9")), Drift.MADE_ANEW, "other", "note"),
        (tables(replace(NUMBER, type=ValueType.INTEGER)), Drift.RETYPED, "number", "error"),
        (
            tables(replace(CURRENCY, reference=Reference("banks", "id"))),
            Drift.RETYPED,
            "currency",
            "error",
        ),
        (tables(replace(NUMBER, max_length=8)), Drift.SHORTER, "number", "warning"),
        (tables(replace(OTHER, max_length=8)), Drift.SHORTER, "other", "note"),
        (tables(replace(NUMBER, max_length=80)), Drift.LONGER, "number", "note"),
        (tables(replace(NUMBER, max_length=None)), Drift.LONGER, "number", "note"),
        (tables(replace(KIND, choices={1: "One"})), Drift.FEWER_CHOICES, "kind", "warning"),
        (
            tables(replace(KIND, choices={1: "Other label", 2: "Two", 3: "Three"})),
            Drift.MORE_CHOICES,
            "kind",
            "note",
        ),
        (tables(keys=()), Drift.KEY_DROPPED, "number", "warning"),
    ],
)
def test_each_difference_is_one_finding(
    now: dict[Side, Entity], drift: Drift, column: str, severity: str
) -> None:
    (found,) = differences(kept_of(tables()), kept_of(now))
    assert (found.drift, found.side, found.columns) == (drift, D, (column,))
    (finding,) = findings_of([found], DOCUMENT, READ)
    assert (finding.code, finding.severity) == (CODES[drift], severity)
    assert f"`{column}`" in finding.message
    assert "{" not in finding.message + finding.remedy
    lost = severity == "error" and drift is not Drift.REMOVED
    assert stops(found, READ) is lost


def test_what_is_kept_comes_back_and_is_the_same_for_the_same() -> None:
    kept = kept_of(tables())
    assert recalled(kept_text(kept)) == kept
    assert recalled(None) is None
    turned = dict(reversed(tables().items()))
    assert kept_text(kept_of(turned)) == kept_text(kept)
    assert list(differences(kept, kept)) == []


def test_a_finding_has_the_place_in_the_map() -> None:
    anew = replace(CURRENCY, identity="9")
    found = list(differences(kept_of(tables()), kept_of(tables(anew))))
    reason = stop_reason(found, DOCUMENT)
    assert (reason.subject.field, reason.subject.line, reason.subject.side) == (
        "Currency",
        8,
        "dataverse",
    )
    assert reason.exit_code == 3


def test_columns_the_map_does_not_use_are_told_together() -> None:
    added = [Column(f"new{n}", ValueType.TEXT) for n in range(3)]
    found = differences(kept_of(tables()), kept_of(tables(*added)))
    (note,) = findings_of(found, DOCUMENT, READ)
    assert "`new0`, `new1`, `new2`" in note.message


def test_a_map_of_another_table_is_another_matter() -> None:
    other = tables()
    other[D] = replace(other[D], name="members", columns={})
    assert list(differences(kept_of(tables()), kept_of(other))) == []


def test_only_a_column_without_identity_has_to_be_missed() -> None:
    plain = replace(NUMBER, identity=None)
    kept = kept_of(tables(plain))
    assert without(kept, READ, lambda _side, name: name != "kind") is None
    missed = without(kept, READ, lambda _side, name: name != "number")
    assert missed is not None
    assert without(missed, READ, lambda _side, name: name != "number") is None
    (found,) = differences(missed, kept_of(tables(plain)))
    assert (found.drift, found.columns) == (Drift.MADE_ANEW, ("number",))
    assert "gone" not in kept["dataverse"]["columns"]["number"]
