"""`dualwrite ledger issue|enrol|replace|block|unblock|sequence`: cards over the counter.

Owns: these commands, and what they show.
Never does: deciding who gets a card; connector/ledger/desk.py does.
Tested in: tests/unit/cli/test_ledger_desk.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, as_dict, modifier, opened, show_record
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption
from connector.errors import UsageError

if TYPE_CHECKING:
    from connector.ledger.desk import Customer

CardArgument = Annotated[str, typer.Argument(metavar="CARD", help="The card's number.")]
NumberArgument = Annotated[
    str | None,
    typer.Argument(metavar="[NUMBER]", help="Of the new card; the next one of the sequence."),
]
PartyOption = Annotated[
    str | None, typer.Option("--party", metavar="NUMBER", help="The customer, by PartyNumber.")
]
UnitOption = Annotated[
    str | None, typer.Option("--unit", metavar="NUMBER", help="Where: the operating unit.")
]
CreateReferencesOption = Annotated[
    bool,
    typer.Option(
        "--create-references", help="Add a party or operating unit the ledger does not know."
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the group."""
    for command in (issue, enrol, replace, block, unblock, sequence):
        app.command()(command)


@with_options
def issue(
    options: Options,
    number: NumberArgument = None,
    party: PartyOption = None,
    unit: UnitOption = None,
    tender: Annotated[
        str, typer.Option("--tender", metavar="TYPE", help="Its CardTenderType.")
    ] = "AsCardTender",
    create_references: CreateReferencesOption = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Issue a new card, of a customer or of nobody yet."""
    from connector.ledger.desk import Desk

    with opened(options, ledger) as target:
        customer = _customer(party, unit, create_references)
        card = Desk(target).issue(number, customer, tender=tender, by=modifier(by))
        show_record(options, target.store("cards"), card, "issued")


@with_options
def enrol(
    options: Options,
    card: CardArgument,
    party: PartyOption = None,
    unit: UnitOption = None,
    create_references: CreateReferencesOption = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Make the card somebody brings theirs; one the ledger does not know is made."""
    from connector.ledger.desk import Desk

    if party is None:
        raise UsageError("usage", "there is nobody to enrol", remedy="name them with --party")
    with opened(options, ledger) as target:
        customer = _customer(party, unit, create_references)
        record = Desk(target).enrol(card, customer, by=modifier(by))
        show_record(options, target.store("cards"), record, "enrolled")


@with_options
def replace(
    options: Options,
    card: CardArgument,
    number: NumberArgument = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Replace a lost card: a new one for the same customer, with all the points."""
    from connector.cli.ledger.points import entry_as_dict, show_entries
    from connector.ledger.desk import Desk

    with opened(options, ledger, create=False) as target:
        replaced = Desk(target).replace(card, number, by=modifier(by))
        store = target.store("cards")
    if options.json:
        entries = [entry_as_dict(one) for one in replaced.entries]
        output.emit({"card": as_dict(store, replaced.card), "entries": entries})
        return
    show_record(options, store, replaced.card, "issued in place of the old one")
    if replaced.entries:
        show_entries("Points", replaced.entries)


@with_options
def block(
    options: Options,
    card: Annotated[str | None, typer.Argument(metavar="[CARD]", help="The card's number.")] = None,
    party: PartyOption = None,
    why: Annotated[str, typer.Option("--why", help="Shown to whoever issues a card.")] = "",
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Block a card; or with --party a customer: all their cards, and no new one."""
    from connector.ledger.desk import Desk

    if (card is None) == (party is None):
        raise UsageError(
            "usage", "one thing can be blocked at a time", remedy="name a card, or --party NUMBER"
        )
    with opened(options, ledger, create=False) as target:
        desk, store = Desk(target), target.store("cards")
        if party is not None:
            cards = desk.block_customer(party, why, by=modifier(by))
        else:
            assert card is not None
            cards = [desk.block(card, by=modifier(by))]
    if options.json:
        output.emit({"party": party, "cards": [as_dict(store, one) for one in cards]})
        return
    numbers = [(one.values[0],) for one in cards]
    output.table(f"Blocked: {len(numbers)} cards", ("CardNumber",), numbers)


@with_options
def unblock(
    options: Options, party: PartyOption = None, by: ByOption = None, ledger: LedgerOption = None
) -> None:
    """Let a customer have cards again; a single card is unblocked with `ledger set`."""
    from connector.ledger.desk import Desk

    if party is None:
        raise UsageError(
            "usage",
            "there is nobody to unblock",
            remedy="name them with --party; a card: `dualwrite ledger set CARD CardTenderType=…`",
        )
    with opened(options, ledger, create=False) as target:
        changed = Desk(target).allow_customer(party, by=modifier(by))
    if options.json:
        output.emit({"party": party, "changed": changed})
    else:
        again = (
            "Cards may be issued again. Those that were blocked stay so: "
            "`dualwrite ledger set CARD CardTenderType=AsCardTender`"
        )
        output.say(again if changed else "This customer was not blocked.")


@with_options
def sequence(
    options: Options,
    form: Annotated[
        str, typer.Argument(metavar="FORM", help="One run of # for the digits: 'L-######'.")
    ],
    following: Annotated[
        int, typer.Option("--next", min=0, help="The number to be given out next.")
    ] = 1,
    unit: Annotated[
        str | None,
        typer.Option("--unit", metavar="NUMBER", help="Only cards this operating unit issues."),
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Say how cards are numbered that nobody typed a number for."""
    from connector.ledger.desk import Desk

    with opened(options, ledger) as target:
        Desk(target).sequence(form, following, unit)
    if options.json:
        output.emit({"form": form, "next": following, "unit": unit})
    else:
        where = "" if unit is None else f" of unit {unit}"
        output.say(f"The next card{where} gets number {following} of {form}.")


def _customer(party: str | None, unit: str | None, create: bool) -> Customer:
    from connector.ledger.desk import Customer

    return Customer(party, unit, create)
