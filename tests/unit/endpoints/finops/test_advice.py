"""What `check` says of exports and events."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from connector.endpoints.finops.advice import (
    advice_on_company,
    advice_on_events,
    advice_on_exports,
)
from connector.endpoints.finops.exports.journal import Journal
from connector.endpoints.finops.exports.runs import START
from connector.endpoints.finops.service import naming_of
from connector.errors import Problem
from connector.mapping.columns import Column
from connector.mapping.values import ValueType
from tests.unit.endpoints.finops.packages import WANTED


def codes(problems: Iterable[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def test_a_company_there_is_not_is_named() -> None:
    def said(company: str, there: list[str] | None) -> list[Problem]:
        return list(advice_on_company(company, there, naming_of("south"), "CustomerGroups"))

    (unknown,) = said("usrx", ["USRT", "DAT"])
    assert (unknown.code, unknown.severity) == ("company-unknown", "error")
    assert unknown.message == "there is no company usrx; there are: dat, usrt"
    assert unknown.subject.field == "sides.south.company"
    assert said("usrt", ["USRT"]) == []
    assert said("usrx", None) == said("usrx", []) == [], "nobody may know"


def test_a_project_that_is_there_needs_no_word(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert codes(advice_on_exports(WANTED, journal, ["Cards out", "Other"])) == []
    assert codes(advice_on_exports(WANTED, journal, None)) == [], "nobody may know"
    (missing,) = advice_on_exports(WANTED, journal, ["cards out"])
    assert (missing.code, missing.severity) == ("export-project-missing", "error")
    assert "there are: cards out" in missing.message


def test_a_key_that_no_data_file_spells_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    key = (Column("dataAreaId", ValueType.TEXT), Column("ValidFrom", ValueType.INSTANT))
    odd = replace(WANTED, key=key)
    day, company = advice_on_exports(odd, journal, None)
    assert "ValidFrom" in day.message
    assert "company" in company.message
    assert codes(advice_on_exports(replace(odd, company="usrt"), journal, None)) == [day.code]


def test_what_the_last_export_lost_is_said(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for why in (START, "job 7 ended as Failed"):
        begun = journal.begin("host/1", 1.0)
        assert begun is not None
        assert codes(advice_on_exports(WANTED, journal, None)) == []
        journal.lose(begun.number, why, 2.0)
    (lost,) = advice_on_exports(WANTED, journal, None)
    assert (lost.code, lost.severity) == ("export-lost", "warning")
    assert "job 7" in lost.message


@pytest.mark.parametrize(
    ("counts", "said"), [((500, 500), True), ((500, 499), False), ((9, 9), False)]
)
def test_exports_of_the_whole_table_are_found_out(
    tmp_path: Path, counts: tuple[int, int], said: bool
) -> None:
    journal = Journal(tmp_path)
    for count in counts:
        begun = journal.begin("host/1", 1.0)
        assert begun is not None
        assert codes(advice_on_exports(WANTED, journal, None)) == []
        journal.end(begun.number, map(str, range(count)), 2.0)
    found = codes(advice_on_exports(WANTED, journal, None))
    assert found == (["export-not-incremental"] if said else [])


def test_silence_of_events_is_noted(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    (never,) = advice_on_events(heard, "shop")
    assert (never.code, never.severity) == ("events-silent", "note")
    assert "/webhooks/shop" in never.remedy
    heard.touch()
    assert list(advice_on_events(heard, "shop")) == []
    old = time.time() - 2 * 86_400
    os.utime(heard, (old, old))
    (silent,) = advice_on_events(heard, "shop")
    assert "since" in silent.message
