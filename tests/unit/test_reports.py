"""Reports are whole, typed, and written in slices."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from connector import reports
from connector.engine.proof.rehearse import Planned
from connector.engine.proof.verify import Finding
from connector.errors import UsageError
from connector.mapping.values import Side, Value

if TYPE_CHECKING:
    from pathlib import Path


def finding(number: int) -> Finding:
    return Finding(
        "difference",
        f"00{number}",
        number if number % 2 else None,
        "Enrolment",
        {"LoyaltyEnrollmentDate": date(2020, 1, 2), "Note": 'naïve, "quoted"\nline'},
        None,
        "the sides differ",
    )


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, dtype={"key": "string", "record": "Int64"})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_all_findings_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, count: int
) -> None:
    monkeypatch.setattr(reports, "SLICE", 3)
    path = tmp_path / f"report.{kind}"
    with reports.findings_report(path) as write:
        for number in range(count):
            write("cards", finding(number))
    frame = read(path)
    assert list(frame.columns) == list(reports.COLUMNS)
    assert list(frame["key"]) == [f"00{number}" for number in range(count)]
    assert [None if pd.isna(n) else int(n) for n in frame["record"]] == [
        number if number % 2 else None for number in range(count)
    ]
    assert all('"LoyaltyEnrollmentDate": "2020-01-02"' in text for text in frame["commerce"])
    assert frame["dataverse"].isna().all()


def planned(number: int) -> Planned:
    after: dict[str, Value] = {"Note": "<b>&amp;", "Day": date(2020, 1, 2)}
    return Planned(f"00{number}", number, "update", Side.COMMERCE, "Note", None, after, None)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_planned_changes_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(reports, "SLICE", 2)
    path = tmp_path / f"report.{kind}"
    with reports.planned_report(path) as write:
        for number in range(5):
            write("cards", planned(number))
    frame = read(path)
    assert list(frame.columns) == list(reports.PLANNED_COLUMNS)
    assert list(frame["record"]) == [0, 1, 2, 3, 4]
    assert set(frame["side"]) == {"commerce"}
    assert frame["before"].isna().all()
    assert set(frame["after"]) == {'{"Note": "<b>&amp;", "Day": "2020-01-02"}'}


def test_a_page_shows_values_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "SLICE", 2)
    path = tmp_path / "report.html"
    with reports.planned_report(path) as write:
        for number in range(3):
            write("cards", planned(number))
    text = path.read_text("utf-8")
    assert "<b>" not in text
    assert text.count("&lt;b&gt;&amp;amp;") == 3
    assert text.count("<tr>") == 4
    assert text.rstrip().endswith("</html>")


def test_without_a_path_nothing_is_written() -> None:
    with reports.findings_report(None) as write:
        write("cards", finding(1))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="cannot be written"),
        reports.findings_report(tmp_path / "no" / "report.csv"),
    ):
        pass
