"""What programs owe: what they could not judge, because an extension of theirs is missing or fails.

Owns: these debts in the ledger.
Never does: judging anew (`sales/catching_up.py`).
Tested in: tests/unit/ledger/sales/test_catching_up.py.

A till must not stand still because a package is missing on its machine. So the sale is made, and
all other programs give what they give; whether the one with the extension would have admitted the
sale is not known, so it gives nothing yet, and the ledger keeps what is needed to judge it later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from connector.errors import DualWriteError, Problem, Subject
from connector.ledger.members.member import Member
from connector.ledger.programs.tables import owed

if TYPE_CHECKING:
    from connector.ledger.programs.book import Program, Programs

SALE, ACTIVITY, TIER = "sale", "activity", "tier"
_O = owed.c


class Owed(NamedTuple):
    """A program that could not be judged, and why."""

    program: str
    version: int
    code: str
    cause: str

    @classmethod
    def by(cls, program: Program, error: DualWriteError) -> Owed:
        """By a program whose extensions could not be asked."""
        return cls(program.document.program, program.version, error.code, _cause(error))


class Owing:
    """Collects the programs that cannot be judged; they give nothing yet."""

    def __init__(self) -> None:
        self.owed: list[Owed] = []

    def __call__(self, program: Program, error: DualWriteError) -> bool:
        """As `book.Unable`."""
        self.owed.append(Owed.by(program, error))
        return False


class Debt(NamedTuple):
    """What is owed, for what, and the facts it is to be judged by.

    `what` is `SALE`, `ACTIVITY` or `TIER`; `name` the folded number of the first two, for `TIER`
    the id of the card that rose into `tier`. `at` is in the zone it was judged in.
    """

    what: str
    name: str
    owed: Owed
    member: Member
    at: datetime
    tier: str = ""
    number: int = 0
    """Its own, once it is noted."""


def note(connection: sa.Connection, debts: Iterable[Debt]) -> None:
    """Keep these; one that is known already stays as it is."""
    for one in debts:
        row = {
            "what": one.what,
            "name": one.name,
            "tier": one.tier,
            "at": one.at.isoformat(),
            "member": one.member.form(),
            **one.owed._asdict(),
        }
        known = sa.select(_O.number).where(
            _O.what == one.what,
            _O.name == one.name,
            _O.tier == one.tier,
            _O.program == one.owed.program,
        )
        if connection.scalar(known) is None:
            connection.execute(sa.insert(owed), [row])


def debts(connection: sa.Connection) -> list[Debt]:
    """All there are, the oldest first."""
    return [
        Debt(
            row.what,
            row.name,
            Owed(row.program, row.version, row.code, row.cause),
            Member.of_form(row.member),
            datetime.fromisoformat(row.at),
            row.tier,
            row.number,
        )
        for row in connection.execute(sa.select(owed).order_by(_O.number))
    ]


def doubts(connection: sa.Connection, programs: Programs) -> Iterator[Problem]:
    """What stands in the way of programs in force on this machine, and what is owed so far."""
    for program in programs.programs:
        error = program.extensions.broken
        if error is not None:
            yield Problem(
                error.code,
                f"the program `{program.document.program}` gives its points later: {_cause(error)}",
                error.remedy,
                Subject(record=program.document.program),
                "warning",
            )
    due = connection.scalar(sa.select(sa.func.count()).select_from(owed))
    if due:
        names = sorted(set(connection.scalars(sa.select(_O.program))))
        yield Problem(
            "programs-owe",
            f"{due} sales, activities and tiers wait for points of {', '.join(names)}",
            "`dualwrite ledger catch-up --plan` says why, `dualwrite ledger catch-up` gives them",
            severity="warning",
        )


def settle(connection: sa.Connection, debt: Debt) -> bool:
    """Forget a debt; False where somebody else settled it."""
    return bool(connection.execute(sa.delete(owed).where(_O.number == debt.number)).rowcount)


def forget(connection: sa.Connection, party: str) -> int:
    """Owe a customer nothing any more, by their PartyNumber; how many debts there were."""
    theirs = [one for one in debts(connection) if one.member.party == party]
    return sum(settle(connection, one) for one in theirs)


def keep(connection: sa.Connection, debt: Debt, error: DualWriteError) -> Debt:
    """It could not be judged again: note why."""
    due = debt.owed._replace(code=error.code, cause=_cause(error))
    values = {"code": due.code, "cause": due.cause}
    connection.execute(sa.update(owed).where(_O.number == debt.number).values(values))
    return debt._replace(owed=due)


def _cause(error: DualWriteError) -> str:
    return f"{error.message}: {error.cause}" if error.cause else error.message
