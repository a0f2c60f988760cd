"""`dualwrite ledger sale|return|activity`: what tills tell the ledger.

Owns: these commands, and how a receipt looks.
Never does: deciding what is earned; connector/ledger/sales does.
Tested in: tests/unit/cli/test_ledger_sales.py.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, malformed, modifier, opened, pairs
from connector.cli.ledger.orders import import_orders_command
from connector.cli.ledger.points import entry_as_dict, show_entries
from connector.cli.ledger.points import number as typed
from connector.cli.ledger.why import why
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption
from connector.errors import Subject, UsageError

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger
    from connector.ledger.programs.occasion import Item, Sale
    from connector.ledger.sales.receipt import Back, Receipt
    from connector.ledger.sales.till import Till

LINE_FORM = "PRODUCT:QUANTITY:AMOUNT[:CATEGORY…]"
BACK_FORM = "LINE:QUANTITY[:AMOUNT]"

ChannelOption = Annotated[
    str | None, typer.Option("--channel", metavar="NAME", help="Such as store or web.")
]
UnitOption = Annotated[
    str | None, typer.Option("--unit", metavar="NUMBER", help="The store's operating unit.")
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="Such as 2026-01-31T18:30, in the ledger's time zone; now."
    ),
]
FieldOption = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="NAME=TEXT", help="What else rules may ask for; repeatable."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the group."""
    app.command()(sale)
    app.command("return")(return_)
    app.command()(activity)
    app.command()(why)
    app.command("import-orders")(import_orders_command)


@with_options
def sale(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    card: Annotated[str, typer.Argument(metavar="CARD", help="The card's number.")] = "",
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The order or receipt number.")
    ] = "",
    line: Annotated[
        list[str] | None,
        typer.Option("--line", metavar=LINE_FORM, help="One line of the sale; repeatable."),
    ] = None,
    currency: Annotated[str, typer.Option("--currency", metavar="CODE", help="Such as EUR.")] = "",
    channel: ChannelOption = None,
    unit: UnitOption = None,
    pay: Annotated[
        list[str] | None,
        typer.Option("--pay", metavar="MEANS=AMOUNT", help="How it was paid; repeatable."),
    ] = None,
    field: FieldOption = None,
    at: AtOption = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="The sale as JSON; `-` is standard input."),
    ] = None,
    party: Annotated[
        str | None,
        typer.Option("--party", metavar="NUMBER", help="Enrol this customer at the sale."),
    ] = None,
    create_references: Annotated[
        bool, typer.Option("--create-references", help="Add a party the ledger does not know.")
    ] = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Post a sale with the points it earns; again with the same number, the first answer.

    Example: dualwrite ledger sale 100002 S-1 --line tea:2:9.98:food --currency EUR
    """
    from connector.ledger.desk import Customer
    from connector.ledger.programs.occasion import Sale
    from connector.ledger.sales.till import Till

    with opened(options, ledger, create=False) as target:
        till = Till(target)
        if file is not None:
            _alone([card, number, currency, *(line or ()), *(pay or ()), *(field or ())])
            wanted = sale_from(file, till, target)
        else:
            wanted = Sale(
                number,
                card,
                _moment(at, target, till.when(number)),
                currency,
                tuple(_line(word) for word in line or ()),
                channel,
                unit,
                _payments(pay),
                pairs("--field", "NAME=TEXT", field),
            )
        customer = None
        if party is not None:
            customer = Customer(party, wanted.unit, create=create_references)
        receipt = till.sale(wanted, customer, by=modifier(by))
    _show(options, "sale", receipt)


@with_options
def return_(
    options: Options,
    sale: Annotated[str, typer.Argument(metavar="SALE", help="The number of the sale.")],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The number of the return.")],
    line: Annotated[
        list[str] | None,
        typer.Option("--line", metavar=BACK_FORM, help="What comes back; lines count from 1."),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--all", help="Everything that is left of the sale.")
    ] = False,
    at: AtOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Take goods of a sale back, with the points they earned; points that paid are given back.

    Example: dualwrite ledger return S-1 R-1 --line 1:1
    """
    from connector.ledger.sales.till import Till

    if whole == bool(line):
        raise UsageError(
            "usage",
            "a return names lines, or takes everything",
            remedy=f"give --line {BACK_FORM} for each line, or --all",
        )
    lines = None if whole else [_back(word) for word in line or ()]
    with opened(options, ledger, create=False) as target:
        moment = None if at is None else _moment(at, target, None)
        receipt = Till(target).returned(sale, number, lines, at=moment, by=modifier(by))
    _show(options, "return", receipt)


@with_options
def activity(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    card: Annotated[str, typer.Argument(metavar="CARD", help="The card's number.")],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Names it once and for all.")],
    what: Annotated[
        str, typer.Argument(metavar="ACTIVITY", help="As the rules name it, such as survey.")
    ],
    quantity: Annotated[str, typer.Option("--quantity", metavar="N", help="How often.")] = "1",
    channel: ChannelOption = None,
    unit: UnitOption = None,
    field: FieldOption = None,
    at: AtOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Post an activity other than a sale, such as a survey, with the points it earns."""
    from connector.ledger.programs.occasion import Activity
    from connector.ledger.sales.till import Till

    with opened(options, ledger, create=False) as target:
        till = Till(target)
        wanted = Activity(
            number,
            card,
            _moment(at, target, till.when(number, activity=True)),
            what,
            typed("--quantity", quantity),
            channel,
            unit,
            pairs("--field", "NAME=TEXT", field),
        )
        receipt = till.activity(wanted, by=modifier(by))
    _show(options, "activity", receipt)


# ---------------------------------------------------------------------------- what was typed


def _line(word: str) -> Item:
    from connector.ledger.programs.occasion import Item

    product, *rest = word.split(":")
    if len(rest) < 2 or not product:
        raise malformed("--line", word, LINE_FORM)
    quantity, amount, *categories = rest
    return Item(product, typed("--line", quantity), typed("--line", amount), tuple(categories))


def _back(word: str) -> Back:
    from connector.ledger.sales.receipt import Back

    line, *rest = word.split(":")
    if not line.isdecimal() or not 1 <= len(rest) <= 2:
        raise malformed("--line", word, BACK_FORM)
    return Back(int(line), *(typed("--line", text) for text in rest))


def _payments(words: Sequence[str] | None) -> dict[str, Decimal]:
    given = pairs("--pay", "MEANS=AMOUNT", words)
    return {means: typed("--pay", amount) for means, amount in given.items()}


def _moment(text: str | None, target: Ledger, before: datetime | None) -> datetime:
    """The time given, in the ledger's zone where it names none; else `before`, else now."""
    if text is None:
        return before or target.now()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise malformed("--at", text, "2026-01-31T18:30 or 2026-01-31") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=target.zone)


def _alone(words: Sequence[str]) -> None:
    if any(words):
        raise UsageError(
            "usage",
            "--file brings the whole sale",
            remedy="leave out CARD, NUMBER, --line, --currency, --pay and --field",
        )


def sale_from(file: Path, till: Till, target: Ledger) -> Sale:
    """The sale of a JSON file; UsageError `file-unreadable`, `sale-file`."""
    from connector.ledger.sales.document import parse_sale

    standard = str(file) == "-"
    try:
        text = sys.stdin.read() if standard else file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "file-unreadable",
            f"the file cannot be read: {error}",
            remedy="check its path; it must be UTF-8",
            subject=Subject(file=str(file)),
        ) from error
    name = None if standard else str(file)
    return parse_sale(text, target.zone, lambda one: till.when(one) or target.now(), name)


# ---------------------------------------------------------------------------- what is shown


def _show(options: Options, what: str, receipt: Receipt) -> None:
    if options.json:
        owed = {} if what == "return" else {"owed": [one._asdict() for one in receipt.owed]}
        output.emit(
            {
                what: receipt.number,
                "card": receipt.card,
                "posting": receipt.posting,
                "repeated": receipt.repeated,
                "entries": [entry_as_dict(one) for one in receipt.entries],
                **owed,
            }
        )
        return
    for due in receipt.owed:
        output.say(
            f"{due.program} gives its points later: {due.cause} ({due.code}). When that is "
            "mended, `dualwrite ledger catch-up` gives them."
        )
    if receipt.repeated:
        output.say(f"{what.capitalize()} {receipt.number} was posted before: nothing was done.")
    if receipt.entries:
        show_entries(f"{what.capitalize()} {receipt.number}", receipt.entries)
    else:
        said = "no points moved" if what == "return" else "no rule gives points for it"
        output.say(f"{what.capitalize()} {receipt.number} is kept; {said}.")
