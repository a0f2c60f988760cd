"""Each benchmark runs; what it measures says nothing here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("load", {"dualwrite load, whole run", "official client, upsert by 1,000", "verify"}),
        ("limits", {"load: share of theory", "updates: prediction off by"}),
        ("odata-v2", {"through the endpoint", "endpoint against pyodata alone"}),
        ("snapshots", {"first read: peak memory", "1 % changed, no network: rows per second"}),
        ("idle", {"20 bound rows: requests to the feed", "30 bound rows: processor time"}),
    ],
)
def test_a_benchmark_runs_and_writes_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, told: set[str]
) -> None:
    file = tmp_path / "figures.json"
    sizes = ["--cards", "50", "--limited", "60", "--idle", "20", "30", "--entities", "2500"]
    sizes += ["--compared", "300"]
    report = main([name, *sizes, "--json", str(file)])
    figures = json.loads(file.read_text("utf-8"))["figures"]
    assert told <= {figure["name"] for figure in figures}
    shown = capsys.readouterr().out
    assert all(figure["name"] in shown for figure in figures)
    assert report.value("idle", "20 bound rows: requests to the feed") in (None, 1.0)
    for path in ("load", "updates"):
        assert report.value("limits", f"{path}: rows lost") in (None, 0.0)
