"""`dualwrite failures`: the records that were set aside, and what people do about them.

Owns: how they are shown. Never does: the mending (`connector/operations/`).
Tested in: tests/acceptance/test_failures.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.deciding import (
    ByOption,
    KeyWord,
    LimitOption,
    MapName,
    MapOption,
    OptionalKey,
    WhereOption,
    command,
    decider,
    moment,
    show_refused,
)
from connector.cli.options import Options, with_options
from connector.errors import UsageError

if TYPE_CHECKING:
    from connector.operations.failures.mending import Mended
    from connector.operations.failures.set_aside import Failures, ShownFailure
    from connector.store.record import Record

app = typer.Typer(add_completion=False, no_args_is_help=True)

CodeOption = Annotated[
    str | None, typer.Option("--code", metavar="CODE", help="Only those set aside for this reason.")
]
AllOption = Annotated[bool, typer.Option("--all", help="All failures of the map.")]


@app.command("list")
@with_options
def list_failures(
    options: Options,
    map: MapOption = None,
    code: CodeOption = None,
    where: WhereOption = None,
    limit: LimitOption = 1000,
) -> None:
    """List the records that wait for a person, each with its reason."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.conditions import meant_by
    from connector.operations.failures.set_aside import NAMES, Failures, failures_in, listed_dict

    wanted = Failures(code=code, where=where)
    with open_project(options.settings()) as project:
        found = (
            listed_dict(record)
            for document in meant_by(where, project, chosen(project, map), NAMES)
            for record in failures_in(project, document, wanted)
        )
        listed = list(islice(found, limit))
        more = next(found, None) is not None
    if options.json:
        output.emit({"failures": listed, "more": more})
        return
    if not listed:
        output.line("no failures")
        return
    output.table(
        "failures",
        ["map", "key", "record", "problem", "remedy"],
        [
            (
                one["map"],
                one["key"],
                one["record"],
                f"{one['problem']['code']}: {one['problem']['message']}",
                one["remedy"],
            )
            for one in listed
        ],
    )
    if more:
        output.say(f"there are more than {limit}: --limit lists more, --code and --where fewer")
    output.say("`dualwrite failures show MAP KEY` tells what each side holds, and what you can do")


@app.command()
@with_options
def show(options: Options, map: MapName, key: KeyWord) -> None:
    """Show why a record was set aside, what both sides hold, and what can be done."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.failures.set_aside import show_failure, shown_failure_dict
    from connector.operations.failures.telling import change_told, held_told, told_changes

    with open_project(options.settings()) as project:
        shown = show_failure(project, chosen(project, map)[0], key)
    steps = list(_commands(shown))
    if options.json:
        output.emit(shown_failure_dict(shown, [line for line, _ in steps]))
        return
    for record in shown.records:
        _show_problem(record)
    output.table("what is held", *held_told(shown))
    columns = ["time", "what", "values", ""]
    rows = [(moment(change.at), *change_told(shown, change)) for change in told_changes(shown)]
    output.table("last in the audit", columns, rows)
    output.line("to do, one of:")
    for line, does in steps:
        output.line(f"  {line}")
        output.line(f"    {does}")
    if shown.stopped is not None:
        output.say(f"{shown.map.name} is held, only `discard` works now: {shown.stopped.message}")
        output.say(f"  remedy: {shown.stopped.remedy}")


def _show_problem(record: Record) -> None:
    from connector.operations.failures.telling import rows_told
    from connector.operations.naming import spelled

    assert record.problem is not None
    tried = f", {record.attempts} attempts failed" if record.attempts else ""
    due = f", due again {moment(record.due)}" if record.due is not None else ""
    output.line(f"{record.map} {spelled(record)} (record {record.number}){tried}{due}")
    output.line(f"  {record.problem.code}: {record.problem.message}")
    output.line(f"  remedy: {record.problem.remedy}")
    for line in rows_told(record):
        output.line(f"  {line}")


def _commands(shown: ShownFailure) -> Iterator[tuple[str, str]]:
    """Each thing that can be typed, and what it does."""
    from connector.operations.failures.ways import ways_of
    from connector.operations.naming import plain

    record = shown.records[0]
    assert record.problem is not None
    head, key, code = ("failures",), plain(record), record.problem.code
    for way, does in ways_of(record).items():
        yield command(*head, "resolve", record.map, key, "--with", way), does
    if code != "duplicate-key":
        yield (
            command(*head, "retry", record.map, key),
            "after its cause was mended: read both sides anew and try again",
        )
    yield (
        command(*head, "discard", record.map, key),
        "leave it as it is until either side changes",
    )


@app.command()
@with_options
def retry(
    options: Options,
    map: MapName,
    key: OptionalKey = None,
    every: AllOption = False,
    code: CodeOption = None,
    where: WhereOption = None,
) -> None:
    """Try records again: both sides are read anew before anything is written."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.failures.mending import retry_failures
    from connector.operations.failures.set_aside import parked_in

    wanted = _wanted("retry", key, code, where, every=every)
    with open_project(options.settings()) as project:
        mended = retry_failures(project, chosen(project, map)[0], wanted, decider(None))
        parked = parked_in(project, map)
    if options.json:
        output.emit({"map": map, "freed": mended.done, "parked": parked})
    else:
        output.line(f"{mended.done} settled, {parked} still set aside")
    if parked:
        raise typer.Exit(3)


@app.command()
@with_options
def discard(
    options: Options,
    map: MapName,
    key: OptionalKey = None,
    every: AllOption = False,
    code: CodeOption = None,
    where: WhereOption = None,
    by: ByOption = None,
) -> None:
    """Accept records as they are, until either side changes; nothing is written."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.failures.mending import discard_failures

    wanted = _wanted("discard", key, code, where, every=every)
    with open_project(options.settings()) as project:
        mended = discard_failures(project, chosen(project, map)[0], wanted, decider(by))
    if options.json:
        output.emit({"map": map, "discarded": mended.done})
    else:
        output.line(f"{mended.done} accepted as they are, until either side changes")


@app.command()
@with_options
def resolve(
    options: Options,
    map: MapName,
    key: OptionalKey = None,
    way: Annotated[
        str, typer.Option("--with", metavar="WAY", help="As `failures show` offers it.")
    ] = "",
    every: AllOption = False,
    code: CodeOption = None,
    by: ByOption = None,
) -> None:
    """Take one of the ways out that `failures show` offers."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.failures.mending import resolve_failures
    from connector.operations.failures.ways import known_ways

    wanted = _wanted("resolve", key, code, None, every=every)
    if not way:
        raise UsageError(
            "way-unknown",
            "say which way to take",
            remedy=f"--with one of {known_ways()}; `dualwrite failures show` says what each does",
        )
    with open_project(options.settings()) as project:
        mended = resolve_failures(project, chosen(project, map)[0], wanted, way, decider(by))
    _finish(options, map, mended)


def _finish(options: Options, map: str, mended: Mended) -> None:
    from connector.operations.failures.mending import undecided_dict
    from connector.operations.naming import spelled

    if options.json:
        output.emit(
            {
                "map": map,
                "resolved": mended.done,
                "refused": mended.refused,
                "refusals": [undecided_dict(one) for one in mended.refusals],
                "counts": mended.outcome.as_dict()["counts"],
            }
        )
    else:
        output.line(f"{mended.done} resolved" if mended.done else "nothing was resolved")
        refused = ((spelled(one.record), one.problem) for one in mended.refusals)
        show_refused(refused, mended.refused)
    if mended.refused:
        raise typer.Exit(3)


def _wanted(
    verb: str, key: str | None, code: str | None, where: str | None, *, every: bool
) -> Failures:
    from connector.operations.failures.set_aside import Failures

    if (key is None) != (every or code is not None or where is not None):
        raise UsageError(
            "failures-what",
            "say which records",
            remedy=f"`failures {verb} MAP KEY`; --all, --code or --where instead of KEY for many",
        )
    return Failures(key, code, where)
