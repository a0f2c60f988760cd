"""`dualwrite ledger rewards preview|price|import-prices|cart|checkout`: products and carts.

Owns: these commands, and what they show.
Never does: deciding anything; connector/ledger/rewards does.
Tested in: tests/unit/cli/test_ledger_carts.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, modifier, opened
from connector.cli.ledger.points import day, entry_as_dict, number, show_entries
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption
from connector.errors import UsageError

if TYPE_CHECKING:
    from connector.ledger.rewards.cart import Cart
    from connector.ledger.rewards.checkout import Due
    from connector.ledger.rewards.preview import Prospect
    from connector.ledger.rewards.prices import Price

PAGE = "docs/ledger.md"
NEEDS_PERSON = 3
"""Exit code: done, but a person is needed."""
CartArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The cart, in YAML or JSON.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the group."""
    for command in (preview, price, cart, checkout):
        app.command()(command)
    app.command("import-prices")(import_prices_command)


# ---------------------------------------------------------------------------- preview


@with_options
def preview(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's number.")],
    amount: Annotated[
        str, typer.Option("--amount", metavar="MONEY", help="What all pieces cost.")
    ] = "0",
    quantity: Annotated[str, typer.Option("--quantity", metavar="N", help="How many.")] = "1",
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Without a cart file.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="GROUP", help="Of the product; repeat.")
    ] = None,
    variant: Annotated[str | None, typer.Option("--variant", metavar="VARIANT")] = None,
    card: Annotated[
        str | None, typer.Option("--card", metavar="NUMBER", help="Who is logged in.")
    ] = None,
    cart: Annotated[
        Path | None, typer.Option("--cart", metavar="FILE", help="What is in the cart already.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="CODE", help="Of product and names.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Rewards that are out of reach as well.")
    ] = False,
    ledger: LedgerOption = None,
) -> None:
    """Show what a product would earn, and what is missing for more."""
    from connector.ledger.programs.occasion import Item
    from connector.ledger.rewards.shop import Shop

    filled = _cart(cart, currency, card)
    item = Item(
        product,
        _positive("--quantity", quantity),
        _positive("--amount", amount, least=Decimal(0)),
        tuple(group or ()),
        variant=variant,
        language=language,
    )
    with opened(options, ledger, create=False) as target:
        found = Shop(target).preview(item, filled, language)
    shown = [one for one in found if all_ or one.possible]
    if options.json:
        told = [_prospect(one) for one in shown]
        output.emit({"product": product, "card": filled.card, "prospects": told})
        return
    rows = [(one.name, one.points, one.kind, _words(one)) for one in shown]
    output.table(f"What {product} earns", ("reward", "points", "kind", "missing"), rows)


def _words(one: Prospect) -> str:
    return "; ".join(each.words for each in one.missing) or "nothing: it is earned"


def _prospect(one: Prospect) -> dict[str, Any]:
    return {
        **one._asdict(),
        "line": None if one.line is None else one.line + 1,
        "earned": not one.missing,
        "possible": one.possible,
        "missing": [each._asdict() for each in one.missing],
    }


# ---------------------------------------------------------------------------- prices


@with_options
def price(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    product: Annotated[
        str | None, typer.Argument(metavar="[PRODUCT]", help="All products if not given.")
    ] = None,
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="The kind of points.")
    ] = None,
    points: Annotated[
        str | None, typer.Argument(metavar="[POINTS]", help="What one piece costs from now on.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day of the price.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The last day of the price.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="List those that count that day.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the prices away.")] = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """List prices in points, give a product one, or take its prices away."""
    from connector.ledger.rewards import prices

    removed = 0
    with opened(options, ledger, create=False) as target:
        if remove:
            if product is None or points is not None:
                raise _usage("--remove takes PRODUCT, or PRODUCT and KIND")
            with target.writing(modifier(by)) as transaction:
                removed = prices.drop(transaction, product, kind)
        elif points is not None and product is not None and kind is not None:
            wanted = prices.Price(
                product,
                kind,
                number("POINTS", points),
                _day("--from", first),
                _day("--until", until),
            )
            with target.writing(modifier(by)) as transaction:
                prices.put(transaction, wanted)
        elif kind is not None:
            raise _usage("a price is PRODUCT, KIND and POINTS")
        with target.reading() as connection:
            found = prices.listed(connection, product, _day("--on", on))
    if options.json:
        output.emit({"prices": [_price(one) for one in found], "removed": removed})
        return
    if remove:
        output.say(f"Removed {removed} prices.")
    rows = [tuple(_price(one).values()) for one in found]
    output.table(f"Prices: {len(rows)}", ("product", "kind", "points", "from", "until"), rows)


@with_options
def import_prices_command(
    options: Options,
    file: Annotated[Path, typer.Argument(help="A CSV file with a header.")],
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Give products prices in points from a CSV file; no price is taken away."""
    from connector.ledger.rewards.price_import import import_prices

    with opened(options, ledger, create=False) as target:
        report = import_prices(target, file, by=modifier(by))
    if options.json:
        output.emit(report.as_dict())
    else:
        output.table(
            str(file), ("read", "kept", "refused"), [(report.read, report.kept, report.refused)]
        )
        for one in report.problems:
            output.line(f"{one.code}: {one.subject}: {one.message}")
            output.line(f"  remedy: {one.remedy}")
    if report.refused:
        raise typer.Exit(NEEDS_PERSON)


def _price(one: Price) -> dict[str, Any]:
    return {
        "product": one.product,
        "kind": one.kind,
        "points": one.points,
        "from": one.first,
        "until": one.last,
    }


# ---------------------------------------------------------------------------- carts


@with_options
def cart(options: Options, file: CartArgument, ledger: LedgerOption = None) -> None:
    """Check whether the lines of a cart that cost points can be paid; nothing is withdrawn."""
    from connector.ledger.rewards.shop import Shop

    wanted = _read(file)
    with opened(options, ledger, create=False) as target:
        found = Shop(target).checked(wanted)
    if options.json:
        output.emit(
            {
                "order": wanted.order,
                "card": wanted.card,
                "payable": not found.problems,
                "lines": _lines(found.due),
                "totals": [one._asdict() for one in found.totals],
                "problems": [one.as_dict() for one in found.problems],
            }
        )
    else:
        _show_lines("Paid with points", found.due)
        output.table("Points", ("kind", "needed", "available"), found.totals)
        for one in found.problems:
            output.line(f"{one.code}: {one.message}")
            output.line(f"  remedy: {one.remedy}")
    if found.problems:
        raise typer.Exit(NEEDS_PERSON)


@with_options
def checkout(
    options: Options, file: CartArgument, by: ByOption = None, ledger: LedgerOption = None
) -> None:
    """Withdraw what the lines of a cart cost in points: all, once for an order, or nothing."""
    from connector.ledger.rewards.shop import Shop

    wanted = _read(file)
    with opened(options, ledger, create=False) as target:
        posted, due = Shop(target).checkout(wanted, by=modifier(by))
    if options.json:
        output.emit(
            {
                "order": wanted.order,
                "posting": posted.number,
                "repeated": posted.repeated,
                "lines": _lines(due),
                "entries": [entry_as_dict(one) for one in posted.entries],
            }
        )
        return
    if posted.repeated:
        output.say(f"Order {wanted.order} was paid before: nothing was done again.")
    _show_lines(f"Paid with points, order {wanted.order}", due)
    show_entries(f"Posting {posted.number}", posted.entries)


def _lines(due: Sequence[Due]) -> list[dict[str, Any]]:
    return [{**one._asdict(), "line": one.line + 1} for one in due]


def _show_lines(title: str, due: Sequence[Due]) -> None:
    names = ("line", "product", "quantity", "kind", "each", "points")
    output.table(title, names, [tuple(one.values()) for one in _lines(due)])


def _cart(file: Path | None, currency: str | None, card: str | None) -> Cart:
    """The cart of a file, or an empty one in a currency."""
    from connector.ledger.programs.reading import parsed
    from connector.ledger.programs.yaml_text import YamlText
    from connector.ledger.rewards.cart import Cart

    if file is not None:
        filled = _read(file)
    elif currency is None:
        raise UsageError(
            "usage",
            "a preview needs --cart FILE or --currency CODE",
            remedy="add the currency of --amount, such as --currency EUR",
        )
    else:
        filled = parsed(Cart, YamlText("--currency", {"currency": currency}, {}), PAGE)
    return filled if card is None else filled.model_copy(update={"card": card})


def _read(file: Path) -> Cart:
    from connector.ledger.programs.reading import parsed, read_file
    from connector.ledger.rewards.cart import Cart

    return parsed(Cart, read_file(file), PAGE)


def _positive(option: str, text: str, least: Decimal = Decimal("0.0001")) -> Decimal:
    value = number(option, text)
    if not value.is_finite() or not least <= value <= _MOST:
        raise _usage(f"{option} takes a number from {least} on, not {text}")
    return value


_MOST = Decimal(10) ** 9


def _day(option: str, text: str | None) -> date | None:
    return None if text is None else day(text, option)


def _usage(message: str) -> UsageError:
    return UsageError("usage", message, remedy="see `dualwrite ledger rewards --help`")
