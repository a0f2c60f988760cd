"""`dualwrite ledger pay …`: paying with points.

Owns: these commands, and how a payment looks.
Never does: deciding what may be paid; connector/ledger/payments does.
Tested in: tests/unit/cli/test_ledger_pay.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, modifier, opened
from connector.cli.ledger.points import CardArgument, OnceOption, entry_as_dict, number
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption
from connector.errors import RecordError, UsageError

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger
    from connector.ledger.payments.payment import Covered, Payment
    from connector.ledger.payments.payments import Payments

AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.50.")]
CurrencyArgument = Annotated[str, typer.Argument(metavar="CURRENCY", help="Such as EUR.")]
PaymentArgument = Annotated[int, typer.Argument(metavar="PAYMENT", help="Its number.")]
ChannelOption = Annotated[
    str | None, typer.Option("--channel", metavar="NAME", help="Where it is paid, for the rules.")
]
KindOption = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="KIND", help="Only these kinds of points pay; repeatable."),
]

app = typer.Typer(help="Pay with points.")


def register(group: typer.Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="pay")


@app.command()
@with_options
def quote(
    options: Options,
    card: CardArgument,
    amount: AmountArgument,
    currency: CurrencyArgument,
    channel: ChannelOption = None,
    kind: KindOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Show what the points of a card would pay of an amount; nothing is taken."""
    with opened(options, ledger, create=False) as target:
        covered = _payments(options, ledger, target).quote(
            card, number("AMOUNT", amount), currency, channel=channel, kinds=tuple(kind or ())
        )
    if options.json:
        output.emit(_covered(covered))
    else:
        _show_covered(covered)


@app.command()
@with_options
def authorise(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    card: CardArgument,
    amount: AmountArgument,
    currency: CurrencyArgument,
    order: Annotated[
        str, typer.Option("--order", metavar="NUMBER", help="The order or receipt that is paid.")
    ],
    channel: ChannelOption = None,
    kind: KindOption = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take what there is where it is not enough.")
    ] = False,
    hold: Annotated[
        int | None,
        typer.Option(
            "--hold", metavar="HOURS", min=1, max=8784, help="How long it stands uncaptured."
        ),
    ] = None,
    once: OnceOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Take points for an order; exit code 3 where the card does not cover the amount."""
    from connector.ledger.payments.payment import Rejected, Request

    request = Request(
        card,
        number("AMOUNT", amount),
        currency,
        order,
        channel,
        partial,
        tuple(kind or ()),
        None if hold is None else timedelta(hours=hold),
    )
    with opened(options, ledger, create=False) as target:
        payments = _payments(options, ledger, target)
        answer = payments.authorise(request, key=once or f"cli:{uuid4()}", by=modifier(by))
    rejected = answer if isinstance(answer, Rejected) else None
    accepted = None if isinstance(answer, Rejected) else answer
    if options.json:
        output.emit(
            {
                "accepted": accepted is not None,
                "payment": accepted and _payment(accepted),
                "rejected": rejected and rejected.code,
                "covered": rejected and _covered(rejected.covered),
            }
        )
    elif accepted is not None:
        _show([accepted])
    if rejected is not None:
        if not options.json:
            output.say(f"Rejected ({rejected.code}): nothing was taken.")
            _show_covered(rejected.covered)
        raise typer.Exit(RecordError.exit_code)


@app.command()
@with_options
def capture(
    options: Options,
    payment: PaymentArgument,
    amount: Annotated[
        str | None,
        typer.Option("--amount", metavar="AMOUNT", help="Only so much; the rest goes back."),
    ] = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """The goods are gone: the points of an authorised payment are spent."""
    wanted = None if amount is None else number("--amount", amount)
    with opened(options, ledger, create=False) as target:
        captured = _payments(options, ledger, target).capture(payment, wanted, by=modifier(by))
    _tell(options, captured)


@app.command()
@with_options
def void(
    options: Options,
    payment: PaymentArgument,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Call an authorised payment off: every point goes back."""
    with opened(options, ledger, create=False) as target:
        voided = _payments(options, ledger, target).void(payment, by=modifier(by))
    _tell(options, voided)


@app.command()
@with_options
def refund(
    options: Options,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Its number.")],
    amount: AmountArgument,
    once: OnceOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Give points back for goods of an order that was paid with them."""
    key = once or f"cli:{uuid4()}"
    with opened(options, ledger, create=False) as target:
        payments = _payments(options, ledger, target)
        done = payments.refund(order, number("AMOUNT", amount), key=key, by=modifier(by))
    if options.json:
        output.emit(
            {
                "amount": done.amount,
                "repeated": done.repeated,
                "payments": [_payment(one) for one in done.payments],
                "entries": [entry_as_dict(one) for one in done.entries],
            }
        )
        return
    if done.repeated:
        output.say(f"Given back before under the name {once}: nothing was done again.")
    _show(done.payments)


@app.command()
@with_options
def show(
    options: Options,
    payment: Annotated[
        int | None, typer.Argument(metavar="[PAYMENT]", help="The number of one.")
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", metavar="NUMBER", help="Those of this order.")
    ] = None,
    card: Annotated[
        str | None, typer.Option("--card", metavar="NUMBER", help="The newest of this card.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="With --card, at most.")] = 50,
    ledger: LedgerOption = None,
) -> None:
    """Show a payment, or those of an order or a card."""
    if [payment, order, card].count(None) != 2:
        raise UsageError(
            "usage", "show takes one of PAYMENT, --order and --card", remedy="give one of them"
        )
    with opened(options, ledger, create=False) as target:
        payments = _payments(options, ledger, target)
        if payment is not None:
            found = [payments.show(payment)]
        elif order is not None:
            found = payments.of_order(order)
        else:
            found = payments.of_card(str(card), limit)
    if options.json:
        output.emit({"payments": [_payment(one) for one in found]})
    else:
        _show(found)


# ---------------------------------------------------------------------------- parts


def _payments(options: Options, url: str | None, ledger: Ledger) -> Payments:
    """The payments of a ledger; the config says how long an authorisation stands in its own."""
    from connector.ledger.payments.payments import HOLD, Payments

    hold = HOLD
    if url is None and (commerce := options.settings().commerce).kind == "ledger":
        hold = timedelta(hours=commerce.hold_hours)
    return Payments(ledger, hold=hold)


def _tell(options: Options, payment: Payment) -> None:
    if options.json:
        output.emit(_payment(payment))
        return
    if payment.repeated:
        output.say(f"Payment {payment.number} was {payment.state} before; nothing changed.")
    _show([payment])


def _show(payments: Sequence[Payment]) -> None:
    names = (
        "payment",
        "state",
        "order",
        "card",
        "asked",
        "pays",
        "with",
        "at (UTC)",
        "until",
        "settled",
    )
    rows = [
        (
            one.number,
            one.state,
            one.order,
            one.card,
            f"{one.asked} {one.currency}",
            f"{one.amount} {one.currency}",
            ", ".join(f"{part.points} {part.kind}" for part in one.parts),
            f"{one.at:%Y-%m-%d %H:%M}",
            f"{one.until:%Y-%m-%d %H:%M}",
            "" if one.settled is None else f"{one.settled:%Y-%m-%d %H:%M}",
        )
        for one in payments
    ]
    output.table("Payments with points", names, rows)


def _show_covered(covered: Covered) -> None:
    rows = [(one.kind, one.points, one.amount, one.program) for one in covered.parts]
    title = f"{covered.amount} of {covered.asked} {covered.currency} covered"
    output.table(title, ("kind", "points", covered.currency, "program"), rows)
    if covered.missing:
        output.say(f"{covered.missing} {covered.currency} missing: {covered.why}")


def _payment(payment: Payment) -> dict[str, Any]:
    """The documented JSON form of a payment (docs/json.md)."""
    return {
        **payment._asdict(),
        "state": payment.state.value,
        "parts": [one._asdict() for one in payment.parts],
    }


def _covered(covered: Covered) -> dict[str, Any]:
    return {**covered._asdict(), "parts": [one._asdict() for one in covered.parts]}
