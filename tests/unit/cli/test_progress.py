"""The live line: counts and rates of each step, and what a side allows beside what holds it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from connector.cli.progress import Told, _Live, progress
from connector.endpoints.base import Pace
from connector.mapping.values import Side


def lines(live: Progress) -> str:
    """What the display shows at the moment."""
    console = Console(file=io.StringIO(), width=120)
    with console.capture() as shown:
        console.print(live.make_tasks_table(live.tasks))
    return shown.get()


@pytest.fixture
def live() -> Progress:
    fields = ("description", "fields[done]", "fields[rate]", "fields[why]")
    columns = [TextColumn(f"{{task.{name}}}") for name in fields]
    return Progress(*columns, console=Console(file=io.StringIO()))


def test_steps_are_counted(live: Progress) -> None:
    told = _Live(live)
    told("created dataverse", 1000)
    told("created dataverse", 1500)
    assert "created dataverse 2,500" in lines(live)
    assert "/s" in lines(live)


def test_what_a_side_allows_is_shown_with_what_holds_it(live: Progress) -> None:
    told = _Live(live)
    told.paced(Side.DATAVERSE, Pace())
    assert "allows" not in lines(live)
    told.paced(Side.DATAVERSE, Pace(rate=1250.4, limit="execution time"))
    shown = " ".join(lines(live).split())
    assert shown == "dataverse allows 1,250/s execution time"


def test_nothing_is_shown_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as told:
        assert type(told) is Told
        told("created dataverse", 5)
        told.paced(Side.DATAVERSE, Pace(rate=1.0))
    assert capsys.readouterr() == ("", "")
