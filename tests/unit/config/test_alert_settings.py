"""`[[alerts]]`, `[notify]`, `[retention]`: what is taken, and how a mistake is answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config.policies import NotifySettings, RetentionSettings
from connector.errors import ConfigError
from connector.settings import load_settings
from tests.unit.config.test_settings import VALID

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        file = tmp_path / "connector.toml"
        file.write_text(VALID + text, encoding="utf-8")
        return file

    return written


def refusal(file: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    return caught.value


GOOD = """
[[alerts]]
kind = "choice-unknown"
count = 5
minutes = 10
then = "pause"
map = "loyalty-card"

[[alerts]]
kind = "throttled"
count = 50
minutes = 30
then = "notify"

[notify]
command = "/usr/bin/page --queue 'the desk'"
webhook = "https://hooks.example/T/1"
"""


def test_rules_are_read_in_their_order(write: Write) -> None:
    settings = load_settings(write(GOOD))
    assert [(rule.kind, rule.then) for rule in settings.alerts] == [
        ("choice-unknown", "pause"),
        ("throttled", "notify"),
    ]
    assert settings.alerts[0].map == "loyalty-card"
    assert settings.alerts[1].map is None


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ('kind = "throttled"', 'kind = "throtled"', 19, "alerts[1].kind", "mean throttled?"),
        ('kind = "throttled"', 'kind = "Too many"', 19, "alerts[1].kind", "one of parked"),
        ("count = 50", "count = 0", 20, "alerts[1].count", "greater than or equal to 1"),
        ("minutes = 30", "minutes = 5000", 21, "alerts[1].minutes", "less than or equal to 1440"),
        ('then = "pause"', 'then = "shout"', 15, "alerts[0].then", "'notify', 'pause' or 'stop'"),
        ("count = 50", "counts = 50", 20, "alerts[1].counts", "did you mean count?"),
        ("count = 50\n", "", 18, "alerts[1].count", "required"),
        ("/usr/bin/page --queue 'the desk'", "page 'x", 25, "notify.command", "quote"),
        ("/usr/bin/page --queue 'the desk'", " ", 25, "notify.command", "name a program"),
        ("https://hooks", "http://hooks", 26, "notify.webhook", "https://"),
        ("https://hooks.example/T/1", "T0KEN", 26, "notify.webhook", "env:NAME"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    write: Write, old: str, new: str, line: int, key: str, words: str
) -> None:
    assert old in GOOD
    error = refusal(write(GOOD.replace(old, new)))
    named = error.message if "keys are wrong" in error.message else ""
    place = (error.subject.line, error.subject.field)
    assert place == (line, key) or f":{line}: {key}: " in named, error.message
    assert words in error.message
    assert "T0KEN" not in str(error)


def test_an_alert_must_reach_somebody(write: Write) -> None:
    error = refusal(write(GOOD.partition("[notify]")[0]))
    assert error.subject.field == "notify"
    assert "needs a command or a webhook" in error.message
    assert load_settings(write(GOOD.partition('[[alerts]]\nkind = "throttled"')[0])).alerts


def test_a_webhook_may_be_a_secret() -> None:
    assert NotifySettings(webhook="env:DESK").webhook == "env:DESK"
    with pytest.raises(ValueError, match="never written here"):
        NotifySettings(webhook="desk")


def test_rules_from_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = '[{"kind": "parked", "count": 3, "minutes": 5, "then": "pause"}]'
    monkeypatch.setenv("DUALWRITE__ALERTS", rule)
    (read,) = load_settings(write("")).alerts
    assert (read.kind, read.count) == ("parked", 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tombstones_days = 7", "a change feed tells of deletes for 7 days"),
        ("audit_days = 20", "audit_days must not be less than tombstones_days"),
        ("runs_days = 300", "runs_days must not be less than audit_days"),
        ("audit_days = 1", "greater than or equal to 8"),
    ],
)
def test_what_is_kept_too_short_is_refused(write: Write, text: str, words: str) -> None:
    assert words in refusal(write(f"[retention]\n{text}\n")).message


def test_the_shortest_retention() -> None:
    kept = RetentionSettings(audit_days=8, runs_days=8, tombstones_days=8)
    assert kept.tombstones_days == 8
