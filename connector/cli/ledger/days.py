"""`dualwrite ledger expire`: the turn of the day.

Owns: this command, and how what expired looks.
Never does: deciding what expired; connector/ledger/shown does.
Tested in: tests/unit/cli/test_ledger_days.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, opened
from connector.cli.ledger.points import day as parsed_day
from connector.cli.options import Options, with_options
from connector.errors import RecordError, UsageError

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger
    from connector.ledger.shown.days import Expired, Turned
    from connector.ledger.shown.proof import Difference

DIFFERENCES = 100
"""Differences that are shown; one is too many."""


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command()(expire)


@with_options
def expire(
    options: Options,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The day to turn to; today.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="Tell what expired since; the day shown."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only tell what expires; the day may be yet to come.")
    ] = False,
    prove: Annotated[
        bool, typer.Option("--prove", help="Compare each balance shown with the journal.")
    ] = False,
    ledger: LedgerOption = None,
) -> None:
    """Show points, tiers and payments as they are today, and tell what expired."""
    from connector.ledger.shown.days import expired
    from connector.ledger.shown.proof import differences
    from connector.ledger.shown.standing import standing

    with opened(options, ledger, create=False) as target:
        day = _day(on, target, plan)
        with target.reading() as connection:
            start = standing(connection).turned if since is None else parsed_day(since, "--since")
            gone = expired(connection, start, day)
        turned, lapsed = (None, None) if plan else _turned(target, day)
        wrong = list(islice(differences(target), DIFFERENCES)) if prove else None
    if options.json:
        output.emit(
            {
                "since": start,
                "on": day,
                "planned": plan,
                "expired": [one._asdict() for one in gone],
                "balances": turned and turned.balances,
                "tiers": turned and turned.tiers,
                "marks": turned and turned.marks,
                "lapsed": lapsed,
                "proven": None if wrong is None else not wrong,
                "differences": [one._asdict() for one in wrong or ()],
            }
        )
    else:
        _show(start, day, gone)
        if turned is not None:
            output.say(
                f"Shown since: {turned.balances} balances, {turned.tiers} tiers, "
                f"{turned.marks} marks of segments; {lapsed} payments lapsed."
            )
        if wrong is not None:
            _show_proof(wrong)
    if wrong:
        raise typer.Exit(RecordError.exit_code)


def _day(on: str | None, target: Ledger, plan: bool) -> date:
    today = target.today()
    day = today if on is None else parsed_day(on)
    if day > today and not plan:
        raise UsageError(
            "day-ahead",
            f"{day} is yet to come",
            remedy="--plan tells what will have expired by then",
        )
    return day


def _turned(target: Ledger, day: date) -> tuple[Turned, int]:
    """What the turn did, and how many payments lapsed with it."""
    from connector.ledger.payments.lapsing import lapse
    from connector.ledger.shown.days import turn_days

    lapsed = lapse(target, target.zone)
    return turn_days(target, day), lapsed


def _show(start: date | None, day: date, gone: Sequence[Expired]) -> None:
    since = "" if start is None else f" since {start}"
    if not gone:
        output.say(f"Nothing expired{since}, as of {day}.")
        return
    rows = [(one.kind, one.points, one.lots, one.cards) for one in gone]
    output.table(f"Expired{since}, as of {day}", ("kind", "points", "lots", "cards"), rows)


def _show_proof(wrong: Sequence[Difference]) -> None:
    if not wrong:
        output.say("Proven: every balance is shown as the journal has it.")
        return
    names = ("card", "kind", "field", "shown", "right")
    output.table("Balances that are shown otherwise than they are", names, wrong)
