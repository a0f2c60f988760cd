"""`dualwrite ledger programs …`: loyalty programs as files, kept by version in the ledger.

Owns: these commands, and how programs and findings look.
Never does: reading or judging a program; connector/ledger/programs does.
Tested in: tests/unit/cli/test_ledger_programs.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, found, modifier, opened
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption

if TYPE_CHECKING:
    from connector.errors import Problem
    from connector.ledger.programs.store import Kept

FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Program files (YAML).")
]
ProgramArgument = Annotated[str, typer.Argument(metavar="PROGRAM", help="Its name.")]
WRONG = 2
"""Exit code: a file has errors."""

programs = typer.Typer(help="Loyalty programs: who earns what, tiers, and what points pay.")


def register(app: typer.Typer) -> None:
    """Add these commands to the group."""
    app.add_typer(programs, name="programs")


@programs.command("import")
@with_options
def import_(
    options: Options, files: FilesArgument, by: ByOption = None, ledger: LedgerOption = None
) -> None:
    """Bring programs into the ledger; changed content becomes the next version."""
    from connector.ledger.programs.library import bring

    with opened(options, ledger) as target:
        brought = bring(target, files, modifier(by))
    if options.json:
        output.emit(
            {
                "programs": [{"file": file, **done._asdict()} for file, done in brought.files],
                "warnings": [one.as_dict() for one in brought.warnings],
                "tiers": brought.tiers,
            }
        )
        return
    _show_problems(brought.warnings)
    for file, done in brought.files:
        output.line(f"{done.program}: version {done.version}, {done.effect} ({file})")
    if brought.tiers:
        output.say(f"{brought.tiers} tiers of cards changed")


@programs.command()
@with_options
def check(
    options: Options,
    files: FilesArgument,
    alone: Annotated[
        bool,
        typer.Option("--alone", help="Without a ledger: kinds and currencies are not looked up."),
    ] = False,
    ledger: LedgerOption = None,
) -> None:
    """Tell everything that is wrong with program files, and import nothing."""
    from connector.ledger.programs import library

    if alone:
        checked = library.check(files)
    else:
        with opened(options, ledger, create=False) as target:
            checked = library.check(files, target)
    problems = [problem for one in checked for problem in one.problems]
    errors = sum(one.severity == "error" for one in problems)
    if options.json:
        names = [one.document.program if one.document else None for one in checked]
        output.emit(
            {
                "ok": not errors,
                "files": [
                    {"file": one.file, "program": name}
                    for one, name in zip(checked, names, strict=True)
                ],
                "problems": [one.as_dict() for one in problems],
            }
        )
    else:
        _show_problems(problems)
        told = f"{errors} errors, {len(problems) - errors} warnings" if problems else "all well"
        many = "1 file" if len(checked) == 1 else f"{len(checked)} files"
        output.line(f"checked {many}: {told}")
    if errors:
        raise typer.Exit(WRONG)


@programs.command("try")
@with_options
def try_(
    options: Options,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A sale as JSON, as `ledger sale --file` takes.")
    ],
    ledger: LedgerOption = None,
) -> None:
    """Show what a sale would earn and why each other rule gives nothing; nothing is posted."""
    from connector.cli.ledger.sales import sale_from
    from connector.ledger.programs.missing import tried
    from connector.ledger.sales.till import Till

    with opened(options, ledger, create=False) as target:
        sale = sale_from(file, Till(target), target)
        card = found(target.store("cards"), sale.card)
        answer = tried(target, sale, card.id)
    if options.json:
        output.emit(
            {
                "card": card.values[0],
                "earned": [one._asdict() for one in answer.earned],
                "missed": [one._asdict() for one in answer.missed],
            }
        )
        return
    gives = [(one.program, one.rule, f"{one.points} {one.kind}", one.why) for one in answer.earned]
    output.table("Would earn", ("program", "rule", "points", "why"), gives)
    lacks = [(one.program, one.rule, one.why) for one in answer.missed]
    output.table("Gives nothing", ("program", "rule", "why"), lacks)


@programs.command("list")
@with_options
def list_(options: Options, ledger: LedgerOption = None) -> None:
    """List the programs of the ledger."""
    from connector.ledger.programs import store

    with opened(options, ledger, create=False) as target, target.reading() as connection:
        kept = store.listed(connection)
    if options.json:
        output.emit({"programs": [_as_dict(one) for one in kept]})
        return
    columns = ("program", "title", "version", "active", "tiers", "earn", "redeem", "imported", "by")
    rows = [
        (
            one.program,
            one.title,
            one.version,
            "yes" if one.active else "no",
            len(one.document.tiers),
            len(one.document.earn),
            len(one.document.redeem),
            f"{one.at:%Y-%m-%d %H:%M}",
            one.by,
        )
        for one in kept
    ]
    output.table("Programs", columns, rows)


@programs.command()
@with_options
def show(
    options: Options,
    program: ProgramArgument,
    number: Annotated[
        int | None, typer.Option("--number", min=1, help="Of the version; the newest otherwise.")
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Print a program as its author wrote it."""
    from connector.ledger.programs import store

    with opened(options, ledger, create=False) as target, target.reading() as connection:
        kept = store.version(connection, program, number)
        versions = store.versions(connection, program)
    if options.json:
        output.emit(
            {
                **_as_dict(kept),
                "versions": [
                    {"version": one.version, "at": one.at, "by": one.by} for one in versions
                ],
                "text": kept.text,
            }
        )
    else:
        output.line(kept.text.rstrip("\n"))


@programs.command()
@with_options
def schema(options: Options) -> None:  # noqa: ARG001  the answer is JSON with and without --json
    """Print the JSON Schema of program files, which editors complete and check them by."""
    from connector.ledger.programs.document import ProgramDocument

    described = ProgramDocument.model_json_schema()
    output.emit({"$schema": "https://json-schema.org/draft/2020-12/schema", **described})


@programs.command()
@with_options
def disable(
    options: Options, program: ProgramArgument, by: ByOption = None, ledger: LedgerOption = None
) -> None:
    """Switch a program off: it gives nothing, pays nothing and shows no tiers from now on."""
    _switch(options, program, by, ledger, active=False)


@programs.command()
@with_options
def enable(
    options: Options, program: ProgramArgument, by: ByOption = None, ledger: LedgerOption = None
) -> None:
    """Switch a program on again."""
    _switch(options, program, by, ledger, active=True)


def _switch(
    options: Options, program: str, by: str | None, ledger: str | None, *, active: bool
) -> None:
    from connector.ledger.programs.library import switch

    with opened(options, ledger, create=False) as target:
        changed, tiers = switch(target, program, modifier(by), active=active)
    if options.json:
        output.emit({"program": program, "active": active, "changed": changed, "tiers": tiers})
        return
    output.line(f"{program} {'is' if changed else 'was'} {'on' if active else 'off'}")
    if tiers:
        output.say(f"{tiers} tiers of cards changed")


def _as_dict(kept: Kept) -> dict[str, Any]:
    """The documented JSON form of a version of a program (docs/json.md)."""
    document = kept.document
    return {
        "program": kept.program,
        "title": kept.title,
        "version": kept.version,
        "active": kept.active,
        "tiers": [one.tier for one in document.tiers],
        "rules": [one.rule for one in document.earn],
        "redeem": len(document.redeem),
        "at": kept.at,
        "by": kept.by,
    }


def _show_problems(problems: Sequence[Problem]) -> None:
    for one in problems:
        output.line(f"{one.severity} {one.code}: {one.subject}: {one.message}")
        output.line(f"  remedy: {one.remedy}")
