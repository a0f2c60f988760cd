"""`dualwrite runs`: what past runs did, and taking one back.

Owns: how runs are shown. Never does: undoing (`connector/operations/runs/past.py`).
Tested in: tests/acceptance/test_undo.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.deciding import MapOption, moment
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption, person
from connector.cli.progress import progress
from connector.cli.signals import stop_in_good_order
from connector.cli.spoken import spoken

if TYPE_CHECKING:
    from connector.operations.runs.past import Past, Undone
    from connector.store.work import RunRow

app = typer.Typer(add_completion=False, no_args_is_help=True)

RunNumber = Annotated[int, typer.Argument(metavar="RUN", min=1, help="Its number.")]


@app.command("list")
@with_options
def list_runs(
    options: Options,
    map: MapOption = None,
    command: Annotated[
        str | None, typer.Option("--command", metavar="NAME", help="Only runs of this command.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Runs listed.")] = 20,
) -> None:
    """List the newest runs first."""
    from connector.books import open_books
    from connector.operations.choosing import chosen
    from connector.operations.runs.past import run_dict, runs_of

    with open_books(options.settings()) as books:
        if map is not None:
            chosen(books, map)
        found = runs_of(books, map, command, limit)
    if options.json:
        output.emit({"runs": [run_dict(row) for row in found]})
        return
    if not found:
        output.line("no runs")
        return
    told = [run_dict(row) for row in found]
    output.table(
        "runs",
        ["run", "map", "command", "started", "took", "written", "ended with"],
        [
            (r["run"], r["map"], r["command"], moment(row.started), _took(row), r["writes"],
             _ending(row))
            for r, row in zip(told, found, strict=True)
        ],
    )  # fmt: skip


@app.command()
@with_options
def show(options: Options, run: RunNumber) -> None:
    """Show one run: its figures, what it wrote, how it ended, whether it can be undone."""
    from connector.books import open_books
    from connector.operations.runs.past import past_of

    with open_books(options.settings()) as books:
        past = past_of(books, run)
    if options.json:
        output.emit(past.as_dict())
    else:
        _show(past)


@app.command()
@with_options
def undo(
    options: Options,
    run: RunNumber,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "--plan", help="Only show what would be written.")
    ] = False,
    by: ByOption = None,
    allow_deletes: Annotated[
        int, typer.Option(min=0, help="Release exactly so many deletes beyond the guard.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=0, help="Records listed; all are counted.")] = 50,
) -> None:
    """Take back what a run wrote where nobody changed it since, and leave its map paused."""
    from connector.bootstrap import open_project
    from connector.operations.runs.past import undo_run

    who = person(by)
    with stop_in_good_order() as stop:
        with (
            progress(options.json) as told,
            open_project(options.settings(), told, stop) as project,
        ):
            undone = undo_run(project, run, by=who, allow_deletes=allow_deletes, dry_run=dry_run)
        if options.json:
            output.emit(undone.as_dict(limit))
        else:
            _show_undone(undone, limit)
        if not undone.complete:
            raise typer.Exit(3)


def _took(row: RunRow) -> str:
    return "" if row.ended is None else f"{row.ended - row.started:.1f} s"


def _ending(row: RunRow) -> str:
    return row.outcome or "no end: at work, or killed"


def _show(past: Past) -> None:
    from connector.operations.outcomes import done_in, took_in

    row = past.row
    output.line(f"run {row.number}: {row.command} {row.map}, {_ending(row)}")
    output.line(f"started {moment(row.started)}{f', took {_took(row)}' if row.ended else ''}")
    for name, count in sorted(done_in(row.counts).items()):
        output.line(f"  {name}: {count}")
    for name, seconds in sorted(took_in(row.counts).items()):
        output.line(f"  {name} took {seconds:.1f} s")
    written = ", ".join(f"{n} {kind} {side}" for (side, kind), n in sorted(past.written.items()))
    output.line(f"wrote {written or 'nothing'}; {past.records} records")
    if row.error is not None:
        output.line(f"error {row.error['code']}: {row.error['message']}")
        output.line(f"  remedy: {row.error['remedy']}")
    if past.refused is None:
        output.say(f"`dualwrite runs undo {row.number} --dry-run` shows what taking it back means")
    else:
        output.say(f"cannot be undone: {past.refused.message}")


def _show_undone(undone: Undone, limit: int) -> None:
    done, number, map = undone.done, undone.target.number, undone.target.map
    dry = undone.run is None
    if dry and done.planned[:limit]:
        rows = [
            (one.key, one.write.kind, one.write.side,
             spoken(undone.document, _held(one.write.before), named=True),
             spoken(undone.document, one.write.values, named=True))
            for one in done.planned[:limit]
        ]  # fmt: skip
        title = f"undoing run {number} would write"
        output.table(title, ["key", "what", "side", "now", "then"], rows)
    if done.left[:limit]:
        output.table(
            f"run {number}: not touched",
            ["key", "record", "side", "why"],
            [(one.key, one.record, one.side, one.reason) for one in done.left[:limit]],
        )
    counts = ", ".join(f"{n} {name}" for name, n in sorted(done.counts.items())) or "nothing"
    verb = "undoing it would write" if dry else "undone, written"
    output.line(f"run {number} wrote to {done.records} records; {verb}: {counts}")
    if done.left_count:
        output.say(f"{done.left_count} not touched; `dualwrite history KEY` tells why")
    for side, count in done.held_back.items():
        output.say(
            f"{count} deletes in {side} go beyond the delete guard: "
            f"`dualwrite runs undo {number} --allow-deletes {count}` "
            f"{'lets' if dry else 'goes on and lets'} exactly so many more go"
        )
    if not done.finished:
        output.say(f"stopped on the way: `dualwrite runs undo {number}` goes on")
    if not dry:
        output.say(
            f"{map} is paused: `dualwrite plan --map {map}` shows what resuming would do, "
            f"`dualwrite maps resume {map}` lets it run"
        )


def _held(before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a row holds now; of one to be deleted only what it has."""
    return {name: value for name, value in (before or {}).items() if value is not None}
