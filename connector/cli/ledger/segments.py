"""`dualwrite ledger segments …`: saved queries over the holders of cards.

Owns: these commands, and how segments look.
Never does: choosing a card; connector/ledger/segments does.
Tested in: tests/unit/cli/test_ledger_segments.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, modifier, opened
from connector.cli.ledger.points import day
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption

if TYPE_CHECKING:
    from connector.ledger.segments.marking import Marked
    from connector.ledger.segments.store import Kept

SegmentArgument = Annotated[str, typer.Argument(metavar="SEGMENT", help="Its name.")]
OnOption = Annotated[
    str | None, typer.Option("--on", metavar="DATE", help="As of this day; today if not given.")
]

segments = typer.Typer(help="Saved queries over the holders of cards.")


def register(app: typer.Typer) -> None:
    """Add these commands to the group."""
    app.add_typer(segments, name="segments")


@segments.command("import")
@with_options
def import_(
    options: Options,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Segment files (YAML).")],
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Bring segments into the ledger; changed content becomes the next version."""
    from connector.ledger.segments.library import bring

    with opened(options, ledger) as target:
        brought = bring(target, files, modifier(by))
    if options.json:
        output.emit({"segments": [{"file": file, **done._asdict()} for file, done in brought]})
        return
    for file, done in brought:
        output.line(f"{done.segment}: version {done.version}, {done.effect} ({file})")


@segments.command("list")
@with_options
def list_(options: Options, ledger: LedgerOption = None) -> None:
    """List the segments of the ledger."""
    from connector.ledger.segments import store

    with opened(options, ledger, create=False) as target, target.reading() as connection:
        kept = store.listed(connection)
    if options.json:
        output.emit({"segments": [_as_dict(one) for one in kept]})
        return
    columns = ("segment", "title", "version", "kept", "marked", "imported", "by")
    rows = [
        (
            one.segment,
            one.document.title,
            one.version,
            "yes" if one.document.kept else "no",
            None if one.marked_at is None else f"{one.marked_at:%Y-%m-%d %H:%M}",
            f"{one.at:%Y-%m-%d %H:%M}",
            one.by,
        )
        for one in kept
    ]
    output.table("Segments", columns, rows)


@segments.command()
@with_options
def show(options: Options, segment: SegmentArgument, ledger: LedgerOption = None) -> None:
    """Print a segment as its author wrote it."""
    from connector.ledger.segments import store

    with opened(options, ledger, create=False) as target, target.reading() as connection:
        newest, *older = store.versions(connection, segment)
    if options.json:
        told = [{"version": one.version, "at": one.at, "by": one.by} for one in (newest, *older)]
        output.emit({**_as_dict(newest), "versions": told, "text": newest.text})
    else:
        output.line(newest.text.rstrip("\n"))


@segments.command()
@with_options
def schema(options: Options) -> None:  # noqa: ARG001  the answer is JSON with and without --json
    """Print the JSON Schema of segment files, which editors complete and check them by."""
    from connector.ledger.segments.document import SegmentDocument

    described = SegmentDocument.model_json_schema()
    output.emit({"$schema": "https://json-schema.org/draft/2020-12/schema", **described})


@segments.command()
@with_options
def count(
    options: Options,
    segment: SegmentArgument,
    sample: Annotated[int, typer.Option(min=0, max=1_000, help="Cards shown as a sample.")] = 5,
    on: OnOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Tell how many cards and customers are in a segment, with some of them."""
    from connector.ledger.segments import picking, store

    with opened(options, ledger, create=False) as target, target.reading() as connection:
        when = target.today() if on is None else day(on)
        kept = store.found(connection, segment)
        asked = (connection, kept.document, when, target.zone)
        counted = picking.counted(*asked)
        some = picking.sample(*asked, size=sample)
    if options.json:
        shown = [{"card": one.card, "party": one.party} for one in some]
        name = {"segment": kept.segment, "on": when}
        output.emit({**name, **counted._asdict(), "sample": shown})
        return
    output.line(f"{kept.segment}: {counted.cards} cards of {counted.customers} customers on {when}")
    if some:
        output.table("Some of them", ("card", "party"), [(one.card, one.party) for one in some])


@segments.command()
@with_options
def members(
    options: Options,
    segment: SegmentArgument,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Cards at most.")] = 50,
    after: Annotated[
        str | None, typer.Option(metavar="CARD", help="Go on after this card.")
    ] = None,
    on: OnOption = None,
    ledger: LedgerOption = None,
) -> None:
    """List the cards in a segment, by number."""
    from connector.ledger.segments import picking, store

    with opened(options, ledger, create=False) as target, target.reading() as connection:
        when = target.today() if on is None else day(on)
        kept = store.found(connection, segment)
        some = picking.sample(connection, kept.document, when, target.zone, size=limit, after=after)
    if options.json:
        shown = [{"card": one.card, "party": one.party} for one in some]
        output.emit({"segment": kept.segment, "on": when, "members": shown})
        return
    rows = [(one.card, one.party) for one in some]
    output.table(f"{kept.segment} on {when}", ("card", "party"), rows)


@segments.command()
@with_options
def export(
    options: Options,
    segment: SegmentArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file to be written.")],
    columns: Annotated[
        str,
        typer.Option(
            "--columns",
            metavar="NAMES",
            help="Between commas: fields of the card, groups, programs, household, sales, "
            "tier:PROGRAM, available:KIND, unvested:KIND, expiring:KIND.",
        ),
    ] = "CardNumber,PartyNumber",
    on: OnOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Write the cards in a segment to a CSV file, such as for mail merge."""
    from connector.ledger.segments import export as writing

    names = [name.strip() for name in columns.split(",") if name.strip()]
    with opened(options, ledger, create=False) as target:
        when = target.today() if on is None else day(on)
        written = writing.export(target, segment, file, names, when)
    if options.json:
        output.emit({"segment": segment, "on": when, "file": str(file), "cards": written})
    else:
        output.say(f"{written} cards are in {file}.")


@segments.command()
@with_options
def mark(
    options: Options,
    segment: SegmentArgument,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Mark the cards that are in a segment today, and take the mark from all others."""
    from connector.ledger.segments import marking

    with opened(options, ledger, create=False) as target:
        _show_marked(options, marking.mark(target, segment, by=modifier(by)))


@segments.command()
@with_options
def unmark(
    options: Options,
    segment: SegmentArgument,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Take the mark of a segment from all cards."""
    from connector.ledger.segments import marking

    with opened(options, ledger, create=False) as target:
        _show_marked(options, marking.unmark(target, segment, by=modifier(by)))


@segments.command()
@with_options
def delete(
    options: Options, segment: SegmentArgument, by: ByOption = None, ledger: LedgerOption = None
) -> None:
    """Delete a segment with all its versions; its marks have to be gone."""
    from connector.ledger.segments import store

    with (
        opened(options, ledger, create=False) as target,
        target.writing(modifier(by)) as transaction,
    ):
        store.delete(transaction, segment)
    if options.json:
        output.emit({"segment": segment, "deleted": True})
    else:
        output.say(f"Segment {segment} is deleted.")


def _show_marked(options: Options, done: Marked) -> None:
    if options.json:
        output.emit(done._asdict())
    else:
        changes = f"{done.added} cards marked, {done.removed} no more"
        more = f", {done.renamed} under a new title" if done.renamed else ""
        output.line(f"{done.segment}: {changes}{more}")


def _as_dict(kept: Kept) -> dict[str, Any]:
    """The documented JSON form (docs/json.md)."""
    return {
        "segment": kept.segment,
        "title": kept.document.title,
        "version": kept.version,
        "of": kept.document.of.value,
        "kept": kept.document.kept,
        "marked_at": kept.marked_at,
        "at": kept.at,
        "by": kept.by,
    }
