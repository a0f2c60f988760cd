"""Which saved version of a map is meant."""

from __future__ import annotations

import json
from typing import Any

from connector.mapping.moving.choosing import distinct, newest
from connector.mapping.moving.json_file import read_json
from connector.mapping.moving.template import Template
from tests.unit.mapping.moving import samples


def saved(*rows: dict[str, Any]) -> list[Template]:
    return read_json(json.dumps(list(rows)), "rows.json")


def row(version: str, saved_on: str = "") -> dict[str, Any]:
    return samples.table_row("loyalty-card", version, createdon=saved_on)


def test_the_one_saved_last_is_taken_not_the_highest_number() -> None:
    rows = saved(row("9.9.9.9", "2023-11-27"), row("2.0.2.1", "2026-08-06"), row("2.0.1.2", "2023"))
    taken, problems = newest(rows)
    assert [template.version for template in taken] == ["2.0.2.1"]
    assert [problem.code for problem in problems] == ["import-version-left"] * 2
    assert "9.9.9.9 is left out, 2.0.2.1 is taken" in problems[0].message


def test_the_one_that_runs_is_taken_before_any_other() -> None:
    runtime = samples.runtime_json("loyalty-card")
    runtime["EntityMapVersion"] = {"Major": 2, "Minor": 0, "Build": 1, "Revision": 2}
    rows = saved(row("2.0.1.2", "2023"), row("2.0.2.1", "2026"), runtime)
    taken, _ = newest(rows)
    assert [(template.version, template.running) for template in taken] == [("2.0.1.2", False)]


def test_without_a_date_numbers_decide_part_by_part() -> None:
    taken, _ = newest(saved(row("2.0.0.0"), row("10.0.383.25"), row("9.1")))
    assert [template.version for template in taken] == ["10.0.383.25"]


def test_other_tables_are_other_maps() -> None:
    rows = saved(row("1.0.0.0"), samples.table_row("loyalty-reward-points"))
    taken, problems = newest(rows)
    assert len(taken) == 2
    assert problems == []


def test_maps_of_one_entity_have_the_dataverse_table_behind_their_name() -> None:
    templates = saved(row("1.0.0.0"), samples.table_row("loyalty-reward-points"))
    assert distinct(["customers", "customers"], templates) == [
        "customers-msdyn-loyaltycards",
        "customers-msdyn-loyaltyrewardpoints",
    ]
    assert distinct(["a", "b"], templates) == ["a", "b"]
    same = [templates[0]] * 3
    assert distinct(["a"] * 3, same) == [
        "a-msdyn-loyaltycards",
        "a-msdyn-loyaltycards-2",
        "a-msdyn-loyaltycards-3",
    ]
