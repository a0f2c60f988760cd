"""`dualwrite ledger catch-up`: giving what programs owe.

Owns: this command, and how debts look.
Never does: judging them; connector/ledger/sales/catching_up.py does.
Tested in: tests/unit/cli/test_ledger_owed.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, modifier, opened
from connector.cli.ledger.importing import NEEDS_PERSON
from connector.cli.ledger.points import show_entries
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption

if TYPE_CHECKING:
    from connector.ledger.programs.owing import Debt
    from connector.ledger.sales.catching_up import Settled


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command("catch-up")(catch_up)


@with_options
def catch_up(
    options: Options,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only tell what is owed; nothing is posted.")
    ] = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Give what programs owe since an extension of theirs was missing or failed."""
    from connector.ledger.programs.owing import debts
    from connector.ledger.sales import catching_up

    settled: list[Settled] = []
    with opened(options, ledger, create=False) as target:
        if plan:
            with target.reading() as connection:
                left = debts(connection)
        else:
            done = catching_up.catch_up(target, by=modifier(by))
            settled, left = list(done.settled), list(done.left)
    if options.json:
        output.emit(
            {
                "planned": plan,
                "settled": [{**_told(one.debt), "points": one.points} for one in settled],
                "left": [
                    {**_told(one), "code": one.owed.code, "cause": one.owed.cause} for one in left
                ],
            }
        )
    else:
        _show(settled, left)
    if left and not plan:
        raise typer.Exit(NEEDS_PERSON)


def _told(debt: Debt) -> dict[str, Any]:
    return {
        "what": debt.what,
        "name": debt.tier or debt.name,
        "card": debt.member.card,
        "at": debt.at,
        "program": debt.owed.program,
        "version": debt.owed.version,
    }


def _show(settled: list[Settled], left: list[Debt]) -> None:
    if settled:
        entries = [entry for one in settled for entry in one.entries]
        show_entries(f"{len(settled)} settled", entries)
    if left:
        rows = [
            (one.owed.program, one.what, one.tier or one.name, one.member.card, one.owed.cause)
            for one in left
        ]
        output.table("Owed", ("program", "for", "named", "card", "because"), rows)
    if not (settled or left):
        output.say("Nothing is owed.")
