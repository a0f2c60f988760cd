"""`dualwrite ledger balance|transactions|adjust|redeem|transfer`: the points of a card.

Owns: these commands, and how balances and entries look.
Never does: deciding what may be posted; connector/ledger/journal does.
Tested in: tests/unit/cli/test_ledger_points.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, found, modifier, opened
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption
from connector.errors import UsageError

if TYPE_CHECKING:
    from connector.ledger.journal.balances import Balance
    from connector.ledger.journal.posting import Entry, Line
    from connector.ledger.journal.statements import Note
    from connector.ledger.members.holdings import Holding

CardArgument = Annotated[str, typer.Argument(metavar="CARD", help="The card's number.")]
KindArgument = Annotated[
    str, typer.Argument(metavar="KIND", help="The kind of points, by its RewardPointId.")
]
PointsArgument = Annotated[str, typer.Argument(metavar="POINTS", help="Such as 120 or 2.5.")]
CommentOption = Annotated[str, typer.Option("--comment", help="Why; kept with the posting.")]
OnceOption = Annotated[
    str | None,
    typer.Option(
        "--once",
        metavar="NAME",
        help="A name for this posting: whoever posts under it again gets the first answer.",
    ),
]
_SIGNED = {"ignore_unknown_options": True}
"""Lets `-5` be an argument."""


def register(app: typer.Typer) -> None:
    """Add these commands to the group."""
    app.command()(balance)
    app.command()(transactions)
    app.command(context_settings=_SIGNED)(adjust)
    app.command()(redeem)
    app.command()(transfer)


@with_options
def balance(
    options: Options,
    card: Annotated[str | None, typer.Argument(metavar="[CARD]", help="The card's number.")] = None,
    party: Annotated[
        str | None, typer.Option("--party", metavar="NUMBER", help="All cards of this customer.")
    ] = None,
    household: Annotated[
        str | None, typer.Option("--household", metavar="NAME", help="All cards of a household.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="As of this day; today.")
    ] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="What counts as expiring soon.")] = 30,
    ledger: LedgerOption = None,
) -> None:
    """Show the points of a card, of a customer or of a household."""
    from connector.ledger.journal.balances import balances
    from connector.ledger.members import holdings

    if [card, party, household].count(None) != 2:
        raise UsageError(
            "usage", "whose points?", remedy="name a card, --party NUMBER or --household NAME"
        )
    cards: Sequence[Holding] = ()
    with opened(options, ledger, create=False) as target:
        when = target.today() if on is None else day(on)
        if card is not None:
            title = str(found(target.store("cards"), card).values[0])
            held: Sequence[Balance] = balances(target, title, when, days)
        elif party is not None:
            title = party
            cards, held = holdings.of_customer(target, party, when, days)
        else:
            assert household is not None
            title = household
            cards, held = holdings.of_household(target, household, when, days)
    if options.json:
        shown = {"card": None if card is None else title, "party": party, "household": household}
        parts = [
            {
                "card": one.card,
                "party": one.party,
                "tender": one.tender,
                "balances": [balance._asdict() for balance in one.balances],
            }
            for one in cards
        ]
        together = [one._asdict() for one in held]
        output.emit({**shown, "on": when, "days": days, "balances": together, "cards": parts})
        return
    for one in cards:
        show_balances(f"Points of {one.card} ({one.tender})", one.balances, days)
    show_balances(f"Points of {title} on {when}", held, days)


def show_balances(title: str, held: Sequence[Balance], days: int = 30) -> None:
    """Balances as a table."""
    now = ["kind", "available", "unvested", f"expiring in {days} days", "next expiry"]
    ever = ["redeemed", "expired", "lifetime", "adjusted"]
    output.table(title, now + ever, held)


@with_options
def transactions(
    options: Options,
    card: Annotated[str | None, typer.Argument(metavar="[CARD]", help="The card's number.")] = None,
    party: Annotated[
        str | None, typer.Option("--party", metavar="NUMBER", help="All cards of this customer.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Entries at most.")] = 50,
    before: Annotated[
        int | None, typer.Option(metavar="ENTRY", help="Go on below this entry.")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(metavar="FIELD", help="entry, at, card, kind, type, points; - turns it."),
    ] = "-entry",
    skip: Annotated[int, typer.Option(min=0, help="Leave out so many in front.")] = 0,
    ledger: LedgerOption = None,
) -> None:
    """List what happened to the points of a card or a customer, the newest first."""
    from connector.ledger.journal import statements

    if (card is None) is (party is None):
        raise UsageError("usage", "whose points?", remedy="name a card or --party NUMBER")
    with opened(options, ledger, create=False) as target:
        number = None if card is None else str(found(target.store("cards"), card).values[0])
        shown = statements.page(
            target, card=number, party=party, before=before, sort=sort, skip=skip, limit=limit
        )
    if options.json:
        told = [
            {**entry_as_dict(one), **shown.notes[one.posting]._asdict()} for one in shown.entries
        ]
        output.emit({"card": number, "party": party, "total": shown.total, "entries": told})
    else:
        title = f"Points of {number or party}: {len(shown.entries)} of {shown.total}"
        show_entries(title, shown.entries, shown.notes)


@with_options
def adjust(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    card: CardArgument,
    kind: KindArgument,
    points: PointsArgument,
    for_tiers: Annotated[
        bool, typer.Option("--for-tiers", help="They count for tiers as if they were earned.")
    ] = False,
    comment: CommentOption = "",
    once: OnceOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Add points to a card by hand, or with a negative number remove them."""
    from connector.ledger.journal.posting import Adjust

    line = Adjust(card, kind, number("POINTS", points), for_tiers=for_tiers)
    _post(options, ledger, line, comment, once, by)


@with_options
def redeem(
    options: Options,
    card: CardArgument,
    kind: KindArgument,
    points: PointsArgument,
    comment: CommentOption = "",
    once: OnceOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Pay with points; refused where the card cannot or has too few."""
    from connector.ledger.journal.posting import Redeem

    _post(options, ledger, Redeem(card, kind, number("POINTS", points)), comment, once, by)


@with_options
def transfer(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    card: CardArgument,
    to: Annotated[str, typer.Argument(metavar="TO", help="The card that receives them.")],
    kind: KindArgument,
    points: PointsArgument,
    comment: CommentOption = "",
    once: OnceOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Move points to another card; they keep the days they vest and expire."""
    from connector.ledger.journal.posting import Transfer

    _post(options, ledger, Transfer(card, to, kind, number("POINTS", points)), comment, once, by)


def _post(
    options: Options,
    ledger: str | None,
    line: Line,
    comment: str,
    once: str | None,
    by: str | None,
) -> None:
    from connector.ledger.journal.journal import Journal
    from connector.ledger.journal.posting import Posting

    posting = Posting(once or f"cli:{uuid4()}", (line,), comment=comment)
    with opened(options, ledger, create=False) as target:
        posted = Journal(target).post(posting, by=modifier(by))
    if options.json:
        entries = [entry_as_dict(one) for one in posted.entries]
        output.emit({"posting": posted.number, "repeated": posted.repeated, "entries": entries})
        return
    if posted.repeated:
        output.say(f"Posted before under the name {once}: nothing was done again.")
    show_entries(f"Posting {posted.number}", posted.entries)


def show_entries(
    title: str, entries: Sequence[Entry], notes: Mapping[int, Note] = MappingProxyType({})
) -> None:
    """Entries of the journal as a table; what people noted stands with the reason."""
    names = ("entry", "at (UTC)", "type", "card", "kind", "points", "from", "until", "why")
    rows = [
        (
            one.number,
            f"{one.at:%Y-%m-%d %H:%M}",
            one.type,
            one.card,
            one.kind,
            one.points,
            one.starts,
            one.expires,
            "; ".join(filter(None, (one.why, _comment(notes.get(one.posting))))),
        )
        for one in entries
    ]
    output.table(title, names, rows)


def _comment(note: Note | None) -> str:
    return "" if note is None else note.comment


def entry_as_dict(entry: Entry) -> dict[str, Any]:
    """The documented JSON form of an entry (docs/json.md)."""
    return {**entry._asdict(), "type": entry.type.value}


def number(name: str, text: str) -> Decimal:
    """A number as it was typed for argument or option `name`; UsageError."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise UsageError(
            "usage",
            f"{name} cannot read '{text}'",
            remedy="write it as 120 or 2.5, with a point and without separators",
        ) from None


def day(text: str, name: str = "--on") -> date:
    """A day as it was typed for option `name`; UsageError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            "usage", f"{name} cannot read '{text}'", remedy="write it as YYYY-MM-DD"
        ) from None
