"""Values in the cells of tables."""

from __future__ import annotations

import pytest

from connector.cli import outcomes, output
from connector.cli.plan import told_values
from connector.cli.spoken import spoken
from connector.mapping.document import parse_document
from connector.operations.outcomes import MapOutcome

DOCUMENT = parse_document(
    """
map: cards
commerce: {entity: Cards}
dataverse: {entity: crm_cards}
fields:
  - {commerce: Number, sync: "=", dataverse: crm_number, key: true}
  - {commerce: Tender, sync: "><", dataverse: crm_tender, values: {Open: 1, Blocked: 2}}
"""
)


@pytest.mark.parametrize(
    ("values", "named", "text"),
    [
        ({"crm_number": "7", "crm_tender": 2}, False, "7, Blocked (2)"),
        ({"crm_tender": 1}, True, "crm_tender=Open (1)"),
        ({"Tender": None}, False, "(none)"),
        ({}, True, ""),
        (None, False, ""),
    ],
)
def test_a_choice_is_shown_with_its_word(
    values: dict[str, object] | None, named: bool, text: str
) -> None:
    assert spoken(DOCUMENT, values, named=named) == text


@pytest.mark.parametrize(
    ("what", "before", "after", "told"),
    [
        ("update", {"crm_tender": None}, {"crm_tender": 2}, "crm_tender: (none) → Blocked (2)"),
        ("create", None, {"crm_number": "7", "crm_tender": None}, "crm_number=7"),
        ("delete", {"crm_number": "7", "crm_tender": None}, None, "crm_number=7"),
        (
            "conflict",
            {"Tender": "Open"},
            {"crm_tender": 2},
            "Tender=Open or crm_tender=Blocked (2)",
        ),
        ("wait", None, None, "Tender"),
    ],
)
def test_what_is_planned_is_told_in_one_cell(
    what: str, before: object, after: object, told: str
) -> None:
    planned = {"what": what, "before": before, "after": after, "field": "Tender"}
    assert told_values(DOCUMENT, planned) == told


def test_every_kind_of_need_says_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("parked", "conflict", "stopped", "paused")
    outcomes.show_needs([{"map": "cards", "kind": kind, "count": 2} for kind in kinds])
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": `dualwrite ")[0] for line in lines] == [
        "cards: 2 parked", "cards: 2 in conflict", "cards: stopped", "cards: paused",
    ]  # fmt: skip
    assert all("--map cards" in line for line in lines)


def test_the_summary_says_that_a_side_was_restored(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"read dataverse": 9, "epoch": 1}
    outcomes.finish("sync", [MapOutcome("cards", True, counts=counts)], [], as_json=False)
    told = capsys.readouterr()
    assert "cards: a side was found restored from a backup" in told.err
    head = ["".join(line.split()) for line in told.out.splitlines() if "┃" in line]
    assert head == ["┃┃read┃┃┃", "┃map┃dataverse┃time┃┃"]


def test_a_narrow_table_cuts_nothing_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "PIPE_WIDTH", 20)
    output.table("t", ["map", "reason"], [["loyalty-reward-points", "AsContactTender"]])
    shown = capsys.readouterr().out
    assert "…" not in shown
    cells = [line.split("│")[1:3] for line in shown.splitlines() if "│" in line]
    assert "".join(cell.strip() for cell, _ in cells) == "loyalty-reward-points"
    assert "".join(cell.strip() for _, cell in cells) == "AsContactTender"


def test_a_title_is_not_folded_to_a_narrow_table(capsys: pytest.CaptureFixture[str]) -> None:
    title = "a title that is much wider than the table below it"
    output.table(title, ["n"], [[1]])
    assert title in capsys.readouterr().out
