"""When too much goes wrong: the rules of `[[alerts]]`, and what is told of a map.

Owns: whether a rule is reached, and the words for it.
Never does: counting, I/O, holding a map (`watch.py` does).
Tested in: tests/unit/engine/test_alerts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from connector.errors import Problem, Subject


class Then(StrEnum):
    """What a rule does when it is reached, the mildest first."""

    NOTIFY = "notify"
    PAUSE = "pause"
    """Hold this map until a person lets it run again."""
    STOP = "stop"
    """Hold this map and begin no further one in this command."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`count` incidents of a kind in one map within so many minutes."""

    kind: str
    count: int
    minutes: int
    then: Then
    map: str | None = None
    """Only this map; None for each map by itself."""

    @property
    def name(self) -> str:
        """Under which the store remembers when it was raised."""
        return f"{self.kind} {self.count} in {self.minutes} min, {self.then}"

    @property
    def window(self) -> float:
        """Seconds over which incidents are counted, and between two alerts of this rule."""
        return self.minutes * 60.0


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that was reached in a map, by so many incidents."""

    rule: Rule
    map: str
    seen: int

    @property
    def message(self) -> str:
        """What is wrong, for a person."""
        rule = self.rule
        return (
            f"{self.seen} times {rule.kind} within {rule.minutes} minutes "
            f"(the alert is set to {rule.count})"
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """What `[notify]` tells: an alert, or that a map was stopped by something else."""

    event: Literal["alert", "stopped"]
    map: str
    code: str
    message: str
    remedy: str
    at: float
    """Seconds since the epoch."""
    alert: Alert | None = None

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/operations.md)."""
        rule = self.alert.rule if self.alert is not None else None
        return {
            "event": self.event,
            "map": self.map,
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds"),
            "kind": rule.kind if rule is not None else None,
            "seen": self.alert.seen if self.alert is not None else None,
            "count": rule.count if rule is not None else None,
            "minutes": rule.minutes if rule is not None else None,
            "then": rule.then.value if rule is not None else None,
        }


def reached(
    rules: Iterable[Rule],
    map: str,
    seen: Callable[[str, float], int],
    raised: Callable[[str], float | None],
    now: float,
) -> list[Alert]:
    """The rules a map has reached at `now` and that were not raised within their window.

    `seen(kind, since)` counts incidents, `raised(name)` says when a rule was last raised.
    """
    alerts: list[Alert] = []
    for rule in rules:
        since = now - rule.window
        before = raised(rule.name)
        if before is not None and before > since:
            continue
        count = seen(rule.kind, since)
        if count >= rule.count:
            alerts.append(Alert(rule, map, count))
    return alerts


def hold_of(alerts: Iterable[Alert]) -> Problem | None:
    """Why these alerts hold the map; None where they only notify."""
    holding = [alert for alert in alerts if alert.rule.then is not Then.NOTIFY]
    if not holding:
        return None
    gravest = max(holding, key=lambda alert: list(Then).index(alert.rule.then))
    return Problem(
        "alert-stopped" if gravest.rule.then is Then.STOP else "alert-paused",
        f"an alert holds this map: {gravest.message}",
        remedy_of(gravest),
        Subject(map=gravest.map),
    )


def remedy_of(alert: Alert) -> str:
    """What a person does about it."""
    look = f"look with `dualwrite status --map {alert.map}` and `dualwrite failures list`"
    if alert.rule.then is Then.NOTIFY:
        return look
    return f"{look}, mend the cause, then `dualwrite maps resume {alert.map}`"


def notice_of(alert: Alert, now: float) -> Notice:
    """What is told of an alert."""
    codes = {Then.NOTIFY: "alert", Then.PAUSE: "alert-paused", Then.STOP: "alert-stopped"}
    code = codes[alert.rule.then]
    return Notice("alert", alert.map, code, alert.message, remedy_of(alert), now, alert)
