"""When a rule is reached, what holds a map, and what is told."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.config.policies import KINDS
from connector.engine.faults import ERRORS, REPLIES
from connector.engine.runs.alerts import Alert, Rule, Then, hold_of, notice_of, reached

NOW = 1_000_000.0
PARKED = Rule("parked", 10, 60, Then.PAUSE)


@pytest.mark.parametrize(
    ("seen", "raised", "expected"),
    [
        (9, None, False),
        (10, None, True),
        (11, None, True),
        (11, NOW - 3599, False),
        (11, NOW - 3600, True),
        (11, NOW - 90_000, True),
    ],
)
def test_a_rule_is_raised_once_within_its_minutes(
    seen: int, raised: float | None, expected: bool
) -> None:
    alerts = reached([PARKED], "m", lambda _kind, _since: seen, lambda _name: raised, NOW)
    assert [alert.seen for alert in alerts] == ([seen] if expected else [])


def test_each_rule_asks_for_its_own_kind_and_window() -> None:
    asked: list[tuple[str, float]] = []

    def seen(kind: str, since: float) -> int:
        asked.append((kind, since))
        return 0

    rules = [PARKED, Rule("choice-unknown", 1, 5, Then.NOTIFY)]
    assert reached(rules, "m", seen, lambda _name: None, NOW) == []
    assert asked == [("parked", NOW - 3600), ("choice-unknown", NOW - 300)]


def test_rules_that_differ_in_anything_are_remembered_apart() -> None:
    rules = [
        PARKED,
        Rule("parked", 10, 60, Then.STOP),
        Rule("parked", 11, 60, Then.PAUSE),
        Rule("parked", 10, 61, Then.PAUSE),
        Rule("rejected", 10, 60, Then.PAUSE),
    ]
    assert len({rule.name for rule in rules}) == len(rules)


def test_the_gravest_consequence_holds_the_map() -> None:
    alerts = [Alert(Rule("parked", 1, 1, then), "m", 5) for then in (Then.PAUSE, Then.NOTIFY)]
    paused = hold_of(alerts)
    assert paused is not None
    assert paused.code == "alert-paused"
    assert "dualwrite maps resume m" in paused.remedy
    stopped = hold_of([*alerts, Alert(Rule("parked", 1, 1, Then.STOP), "m", 5)])
    assert stopped is not None
    assert stopped.code == "alert-stopped"
    assert hold_of([Alert(Rule("parked", 1, 1, Then.NOTIFY), "m", 5)]) is None


def test_a_notice_says_what_was_reached() -> None:
    told = notice_of(Alert(PARKED, "m", 12), 0.0).as_dict()
    assert told["message"] == "12 times parked within 60 minutes (the alert is set to 10)"
    assert (told["event"], told["code"], told["then"]) == ("alert", "alert-paused", "pause")
    assert told["at"] == "1970-01-01T00:00:00.000+00:00"


def test_every_kind_the_config_takes_is_counted_somewhere() -> None:
    counted = {row.incident for row in [*REPLIES.values(), *ERRORS.values()]} - {None}
    engine = Path(__file__).parents[3] / "connector/engine"
    for file in engine.rglob("*.py"):
        counted |= set(_counted_in(ast.parse(file.read_text("utf-8"))))
    assert counted == set(KINDS)


def _counted_in(tree: ast.AST) -> Iterator[str]:
    """The kinds a module names where it counts incidents."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "count":
            yield from (str(a.value) for a in node.args if isinstance(a, ast.Constant))
