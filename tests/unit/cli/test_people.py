"""Who is at the keyboard, and whether they agree."""

from __future__ import annotations

import getpass
import sys

import pytest
import typer

from connector.cli.people import confirmed, person
from connector.errors import UsageError


def test_the_name_given_wins_over_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "anna")
    assert person(None) == "anna"
    assert person("bob") == "bob"


def test_a_user_without_a_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert person(None) == "unknown"


def test_yes_needs_no_terminal() -> None:
    confirmed("Sure?", yes=True, as_json=True)


@pytest.mark.parametrize("as_json", [True, False])
def test_without_a_terminal_nobody_is_asked(as_json: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: as_json)
    with pytest.raises(UsageError) as caught:
        confirmed("Sure?", yes=False, as_json=as_json)
    assert caught.value.code == "confirm-needed"


@pytest.mark.parametrize("agrees", [True, False])
def test_at_a_terminal_the_person_decides(agrees: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(question: str, *, err: bool) -> bool:
        assert err, "the question is not data"
        asked.append(question)
        return agrees

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", ask)
    if agrees:
        confirmed("Sure?", yes=False, as_json=False)
    else:
        with pytest.raises(typer.Exit) as caught:
            confirmed("Sure?", yes=False, as_json=False)
        assert caught.value.exit_code == 0
    assert asked == ["Sure?"]
