"""Who is at the keyboard: the name a command leaves beside what it did, and whether they agree.

Owns: `--by`, `--yes` and the question behind it.
Never does: anything with the answer.
Tested in: tests/unit/cli/test_people.py.
"""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from connector.errors import UsageError

ByOption = Annotated[
    str | None,
    typer.Option("--by", help="Who makes the change; your login name when not given."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def person(by: str | None) -> str:
    """The name given, or the login name."""
    return by or _login()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a user without a name
        return "unknown"


def confirmed(question: str, *, yes: bool, as_json: bool) -> None:
    """Return when the person agrees; ends the command with 0 when they do not.

    Without a terminal to ask at, `--yes` has to be given: `UsageError` (`confirm-needed`).
    """
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise UsageError(
            "confirm-needed",
            "this cannot be taken back, and there is nobody to ask",
            tried=question,
            remedy="look at what it would do, then add --yes",
        )
    if not typer.confirm(question, err=True):
        raise typer.Exit
