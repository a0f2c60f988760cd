"""What a failing seed is told as, and how it is lived again."""

from __future__ import annotations

import json

import pytest

from tests.simulation import __main__ as program
from tests.simulation import runner, verdict
from tests.simulation.world import World

BROKEN = 7


@pytest.fixture(autouse=True)
def _one_seed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that finds fault with one seed only."""

    def few_writes(world: World) -> None:
        if world.seed == BROKEN:
            raise AssertionError("too many writes")

    monkeypatch.setattr(verdict, "few_writes", few_writes)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["tests.simulation", "--store", "memory", *arguments])
    return program.main()


def test_a_failing_seed_is_listed_with_its_replay_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--seeds", "4", "--start", "5", "--jobs", "1", "--json") == 1
    out, err = capsys.readouterr()
    told = json.loads(out)
    replay = "python -m tests.simulation --trace 7 --store memory"
    assert told["failing"] == [{"seed": 7, "invariant": "too many writes", "replay": replay}]
    assert (told["seeds"], told["start"], told["jobs"], told["store"]) == (4, 5, 1, "memory")
    assert err.startswith("seed 7: too many writes\n")


def test_people_read_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--seeds", "3", "--start", "6", "--jobs", "1") == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == "seed 7: too many writes"
    assert second == "  replay: python -m tests.simulation --trace 7 --store memory"
    assert last.startswith("3 seeds from 6 on, 1 failing, ")
    assert run(monkeypatch, "--seeds", "1", "--start", "8", "--jobs", "1") == 0


def test_a_story_tells_the_invariant_then_the_steps_then_what_all_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--trace", "7") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "seed 7: too many writes"
    places = [lines.index(wanted) for wanted in ("  second      who", "commerce holds")]
    places += [lines.index("dataverse holds"), lines.index("the state holds")]
    assert places == sorted(places)
    assert any("people" in line and "put" in line for line in lines[: places[1]])


def test_an_error_nobody_expects_fails_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_world: World) -> None:
        raise KeyError("column")

    monkeypatch.setattr(World, "chaos", broken)
    assert runner.one(1, "memory")[1] == "KeyError: 'column'"
