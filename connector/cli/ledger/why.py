"""`dualwrite ledger why`: what is behind one entry of the journal.

Owns: this command, and how an explanation reads.
Never does: finding out; connector/ledger/sales/why.py does.
Tested in: tests/unit/cli/test_ledger_sales.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, found, opened
from connector.cli.ledger.points import CardArgument, show_entries
from connector.cli.options import Options, with_options

if TYPE_CHECKING:
    from connector.ledger.sales.why import Share, SoldSale, Why


@with_options
def why(
    options: Options,
    card: CardArgument,
    entry: Annotated[
        int, typer.Argument(metavar="ENTRY", help="As `ledger transactions` numbers it.")
    ],
    ledger: LedgerOption = None,
) -> None:
    """Explain one entry: rule, lots and arithmetic, the sale behind it, what came back."""
    from connector.ledger.sales.why import as_dict
    from connector.ledger.sales.why import why as explained

    with opened(options, ledger, create=False) as target:
        held = found(target.store("cards"), card).values[0]
        answer = explained(target, str(held), entry)
    if options.json:
        output.emit(as_dict(answer))
        return
    show_entries(f"Entry {entry}", [answer.entry])
    output.table("Why", ("what", "is"), list(_reasons(answer)))
    if answer.sale is not None:
        _show_sale(answer.sale)
    _show_shares("Drawn from these lots", answer.drawn)
    _show_shares("Used by these entries", answer.used)
    if answer.returns:
        show_entries("Came back", answer.returns)


def _reasons(answer: Why) -> Iterator[tuple[str, str]]:
    entry, source, rest = answer.entry, answer.source, answer.rest
    if answer.rule is not None:
        yield "earned by", f"rule {answer.rule} of {answer.program}, version {answer.version}"
    if entry.why:
        yield "arithmetic" if answer.rule is not None else "reason", entry.why
    if answer.note.comment:
        yield "comment", answer.note.comment
    yield "posted by", answer.note.by
    if entry.asked != entry.points:
        yield "asked for", f"{entry.asked}, of which {entry.points} could be posted"
    for line in answer.sale.lines if answer.sale is not None else ():
        if line.returned_quantity:
            yield "came back", f"line {line.line}: {line.returned_quantity} of {line.quantity}"
    if source is not None:
        yield "goes back to", f"entry {source.number}, {source.type} of {source.points}"
    if rest is not None and rest.state == "expired":
        yield "expired", f"{rest.points} points; their last day was {entry.expires}"
    elif rest is not None:
        last = "without end" if entry.expires is None else f"until {entry.expires}"
        yield "left", f"{rest.points} points, {rest.state}, {last}"


def _show_sale(sale: SoldSale) -> None:
    where = ", ".join(one for one in (sale.channel, sale.unit) if one is not None)
    title = f"Sale {sale.number} of {sale.at:%Y-%m-%d %H:%M} UTC, {sale.currency}"
    names = ("line", "product", "categories", "quantity", "amount", "came back", "worth")
    rows = [
        (
            one.line,
            one.product,
            ", ".join(one.categories),
            one.quantity,
            one.amount,
            one.returned_quantity or None,
            one.returned_amount or None,
        )
        for one in sale.lines
    ]
    output.table(f"{title}, {where}" if where else title, names, rows)


def _show_shares(title: str, shares: Sequence[Share]) -> None:
    names = ("entry", "at (UTC)", "type", "card", "points", "from", "until", "why")
    rows = [
        (
            one.number,
            f"{one.at:%Y-%m-%d %H:%M}",
            one.type,
            one.card,
            points,
            one.starts,
            one.expires,
            one.why,
        )
        for one, points in shares
    ]
    if rows:
        output.table(title, names, rows)
