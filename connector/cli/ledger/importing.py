"""`dualwrite ledger import`: a CSV file of members, cards or point kinds.

Owns: the options, the progress bar, and how the report looks.
Never does: reading the file; connector/ledger/importer.py does.
Tested in: tests/unit/cli/test_ledger_commands.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.ledger.access import (
    EntityOption,
    LedgerOption,
    malformed,
    modifier,
    opened,
    pairs,
    say_unfinished,
)
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption
from connector.errors import Problem, UsageError

if TYPE_CHECKING:
    from connector.ledger.import_mapping import ImportMapping
    from connector.ledger.importer import ImportReport

FileArgument = Annotated[Path, typer.Argument(help="A CSV file with a header.")]
ValuesOption = Annotated[
    list[str] | None,
    typer.Option("--value", metavar="FIELD:OLD=NEW", help="Read OLD in the file as NEW."),
]
DelimiterOption = Annotated[
    str | None,
    typer.Option(metavar="CHAR", help="Found in the header when not given; `tab` is a name."),
]
EncodingOption = Annotated[
    str | None, typer.Option(help="utf-8 when not given; else such as cp1252 or utf-16.")
]
RejectsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write what did not go in to this CSV file.")
]
_SetsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "--map",
        metavar="FIELD=COLUMN",
        help="A field from a column, or from a template: 'FIELD={Year}-{Month}'.",
    ),
]
_DateFormatOption = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT", help="How dates are written, such as %d.%m.%Y; else YYYY-MM[-DD]."
    ),
]
_BlockedIfOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Cards are Blocked where this column is not empty, 0 or no.",
    ),
]

NEEDS_PERSON = 3
"""Exit code: done, but a person is needed."""

SHOWN_PROBLEMS = 20
"""Bad lines shown to a person; JSON and the rejects file have more."""


@with_options
def import_file_command(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    file: FileArgument,
    entity: EntityOption = "cards",
    sets: _SetsOption = None,
    constants: Annotated[
        list[str] | None,
        typer.Option("--constant", metavar="FIELD=TEXT", help="The same value in every record."),
    ] = None,
    values: ValuesOption = None,
    card_number: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Short for --set CardNumber=COLUMN.")
    ] = None,
    party_number: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Short for --set PartyNumber=COLUMN.")
    ] = None,
    enrolled: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column or template for both enrolment dates."),
    ] = None,
    blocked_if: _BlockedIfOption = None,
    date_format: _DateFormatOption = None,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="One bad line refuses the whole file.")
    ] = False,
    rejects: RejectsOption = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Bring a CSV file of members, cards or point kinds into the ledger.

    Columns named like fields are taken without being asked for. Records that are there already
    are changed; importing the same file again changes nothing. A bad line is reported with its
    number and reason, the others go in (exit code 3).

    Example: dualwrite ledger import members.csv --card-number Member --enrolled '{Year}-{Month}'
    """
    from connector.ledger.importer import ImportOptions, import_file

    short = {
        "CardNumber": card_number,
        "PartyNumber": party_number,
        "LoyaltyEnrollmentDate": enrolled,
        "LoyaltyEnrollmentDateLocal": enrolled,
    }
    how = ImportOptions(
        mapping=mapping_of(sets, short, constants, values, blocked_if, date_format),
        encoding=encoding,
        delimiter=delimiter_of(delimiter),
        strict=strict,
        rejects=rejects,
    )
    with opened(options, ledger) as target:
        store = target.store(entity)
        with progress_bar(file.name) as progress:
            report = import_file(
                target, store.entity, file, how, by=modifier(by), progress=progress
            )
        if options.json:
            output.emit(report.as_dict())
        else:
            _show_report(report, rejects)
        if report.written:
            say_unfinished(target, store)
    if report.refused:
        raise typer.Exit(NEEDS_PERSON)


def mapping_of(
    sets: list[str] | None,
    short: dict[str, str | None],
    constants: list[str] | None,
    values: list[str] | None,
    blocked_if: str | None,
    date_format: str | None,
) -> ImportMapping:
    """What the options say of columns; UsageError where they contradict themselves."""
    from connector.ledger.import_mapping import ImportMapping

    sources = pairs("--set", "FIELD=COLUMN", sets)
    for field, source in short.items():
        if source is not None and sources.setdefault(field, source) != source:
            raise UsageError(
                "field-twice",
                f"field '{field}' is given twice",
                remedy="give it with --set or with its short option, not with both",
            )
    replacements: dict[str, dict[str, str]] = {}
    for left, new in pairs("--value", "FIELD:OLD=NEW", values).items():
        field, colon, old = left.partition(":")
        if not colon:
            raise malformed("--value", left, "FIELD:OLD=NEW")
        replacements.setdefault(field, {})[old] = new
    return ImportMapping(
        sources,
        pairs("--constant", "FIELD=TEXT", constants),
        replacements,
        blocked_if,
        date_format,
    )


def delimiter_of(text: str | None) -> str | None:
    """A delimiter as it was typed; `tab` is a name."""
    return "\t" if text in ("tab", "\\t") else text


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr while a person watches; it leaves no trace."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = output.stderr()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, size: progress.update(task, completed=done, total=size)


def _show_report(report: ImportReport, rejects: Path | None) -> None:
    counts = ("read", "created", "updated", "unchanged", "refused")
    output.table(
        f"{report.file} into {report.entity}",
        counts,
        [[getattr(report, name) for name in counts]],
    )
    show_refused("lines", report.refused, report.problems, rejects)
    if not report.written:
        output.say("Nothing was written, because of --strict.")


def show_refused(
    what: str, refused: int, problems: Sequence[Problem], rejects: Path | None
) -> None:
    """What did not go in, and how it does; nothing where all of it went in."""
    if not refused:
        return
    shown = problems[:SHOWN_PROBLEMS]
    output.table(
        f"Bad {what}",
        ("line", "field", "problem", "what to do"),
        [(one.subject.line, one.subject.field, one.message, one.remedy) for one in shown],
    )
    more = refused - len(shown)
    if more > 0 and rejects is None:
        output.say(f"{more} more bad {what}; --rejects FILE writes all of them to a file.")
    if rejects is not None:
        output.say(f"The bad {what} are in {rejects}; correct them and import that file.")
