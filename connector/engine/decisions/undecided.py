"""Records about which a decision could not be carried out, and why.

Owns: how a refusal is told to whoever asked. Never does: refusing; each way out has its reasons.
Tested in: tests/integration/engine/test_renames.py, tests/integration/engine/test_unstable.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from connector.errors import Problem, Subject
from connector.store.record import Record


class Undecided(NamedTuple):
    """A record for which a way could not be taken, and why."""

    record: Record
    problem: Problem


Refuse = Callable[[Undecided], None]


def why_not(record: Record, code: str, message: str, remedy: str) -> Problem:
    """A reason; what it leaves undone ends a command with 3."""
    subject = Subject(map=record.map, record=str(record.number))
    return Problem(code, message, remedy, subject, exit_code=3)


def moved_on(record: Record) -> Problem:
    """The record is not what it was when it was set aside."""
    return why_not(
        record,
        "changed",
        "the record has changed since it was set aside; nothing was decided",
        "`dualwrite failures show` says whether it still needs you",
    )
