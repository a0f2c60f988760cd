"""`dualwrite ledger import-orders`: a CSV file of orders.

Owns: the options, and how the report looks.
Never does: reading the file; connector/ledger/sales/order_import.py does.
Tested in: tests/unit/cli/test_ledger_orders.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, modifier, opened
from connector.cli.ledger.importing import (
    NEEDS_PERSON,
    DelimiterOption,
    EncodingOption,
    FileArgument,
    RejectsOption,
    ValuesOption,
    delimiter_of,
    mapping_of,
    progress_bar,
    show_refused,
)
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption

if TYPE_CHECKING:
    from connector.ledger.sales.order_import import OrderReport


@with_options
def import_orders_command(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    file: FileArgument,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "--map",
            metavar="FIELD=COLUMN",
            help="A field from a column, or from a template: 'Number={Shop}-{Order}'.",
        ),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option("--constant", metavar="FIELD=TEXT", help="The same value in every line."),
    ] = None,
    values: ValuesOption = None,
    date_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="How times are written, such as '%d.%m.%Y %H:%M'."),
    ] = None,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="Numbers are written like 1.234,50.")
    ] = False,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    enrol: Annotated[
        bool, typer.Option("--enrol", help="Make the cards that the ledger does not know.")
    ] = False,
    rejects: RejectsOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Post the orders of a CSV file, each as a sale with the points it earns.

    Fields: Card, At, Currency, Amount; and Number, Product, Quantity, Categories, Offer, Channel,
    Unit, Payment. A column of such a name is taken unasked, any other is named by --set.

    Lines with the same Number that follow each other are one order. Orders that are there already
    are passed over: an import that was broken off is run again. A bad order is reported with its
    line and reason, the others go in (exit code 3).

    Example: dualwrite ledger import-orders orders.csv --set Card=Customer --constant Currency=EUR
    """
    from connector.ledger.importer import ImportOptions
    from connector.ledger.sales.order_import import import_orders
    from connector.ledger.sales.till import Till

    how = ImportOptions(
        mapping=mapping_of(sets, {}, constants, values, None, date_format),
        encoding=encoding,
        delimiter=delimiter_of(delimiter),
        rejects=rejects,
    )
    with opened(options, ledger, create=False) as target, progress_bar(file.name) as progress:
        report = import_orders(
            Till(target),
            file,
            how,
            by=modifier(by),
            decimal_comma=decimal_comma,
            enrol=enrol,
            progress=progress,
        )
    if options.json:
        output.emit(report.as_dict())
    else:
        _show(report, rejects)
    if report.refused:
        raise typer.Exit(NEEDS_PERSON)


def _show(report: OrderReport, rejects: Path | None) -> None:
    counts = ("lines", "orders", "posted", "repeated", "refused")
    output.table(report.file, counts, [[getattr(report, name) for name in counts]])
    if report.owed:
        output.say(
            f"For {report.owed} of them a program gives its points later: an extension is missing "
            "or fails. `dualwrite ledger catch-up` says which."
        )
    if report.points:
        output.table("Points earned", ("kind", "points"), sorted(report.points.items()))
    show_refused("orders", report.refused, report.problems, rejects)
