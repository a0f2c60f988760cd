"""What the commands share by which people decide: who decides, what is meant, what was refused.

Owns: their options, the name a decision carries, and how times and refusals look.
Never does: a command.
Tested in: tests/acceptance/test_decisions.py.
"""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from connector.cli import output
from connector.cli.people import person
from connector.errors import Problem

MapOption = Annotated[str | None, typer.Option("--map", help="Only this map.")]
MapName = Annotated[str, typer.Argument(metavar="MAP")]
KeyWord = Annotated[str, typer.Argument(metavar="KEY", help="Key or record number.")]
OptionalKey = Annotated[str | None, typer.Argument(metavar="[KEY]", help="Key or record number.")]
WhereOption = Annotated[
    str | None,
    typer.Option("--where", metavar="EXPR", help="Only those that meet an OData condition."),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="How many are listed.")]
ByOption = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who decides; USER@HOST when not given."),
]

SHOWN = 20
"""Refusals said one by one to a person; a script gets more of them."""


def decider(by: str | None) -> str:
    """The name a decision is kept under."""
    return by or f"{person(None)}@{socket.gethostname()}"


def moment(seconds: float | None) -> str:
    """A time for people; empty where there is none."""
    if seconds is None:
        return ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def command(*words: str) -> str:
    """A command line to type; words are quoted where a shell needs it."""
    return shlex.join(["dualwrite", *words])


def show_refused(refused: Iterable[tuple[str, Problem]], total: int) -> None:
    """Which were refused and why: (what, problem) of the first of them.

    It names cards, which stdout may and what is kept as a log may not.
    """
    told = 0
    for what, problem in refused:
        if told == SHOWN:
            break
        told += 1
        output.line(f"{what}: {problem.code}: {problem.message}")
        output.line(f"  remedy: {problem.remedy}")
    if total > told:
        output.line(f"… and {total - told} more; --json lists them")
