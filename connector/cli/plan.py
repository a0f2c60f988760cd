"""`dualwrite plan`: the dry run.

Owns: its options and how planned changes are shown. Never does: the planning.
Tested in: tests/acceptance/test_commands.py.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.options import Options, with_options
from connector.cli.outcomes import say_restored
from connector.cli.progress import progress
from connector.cli.spoken import spoken
from connector.errors import DualWriteError, MapError, MapStoppedError

if TYPE_CHECKING:
    from connector.bootstrap import Project
    from connector.mapping.document import MapDocument
    from connector.reports import WritePlanned

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def plan(
    options: Options,
    map: Annotated[str | None, typer.Option("--map", help="Only this map.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Only this record.")] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write every change to this .csv, .parquet or .html file."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Changes listed; all are counted.")] = 50,
) -> None:
    """Show what the next `sync` (or first `load`) would write; changes nothing."""
    from connector.bootstrap import Manner, open_project
    from connector.operations.choosing import chosen
    from connector.operations.outcomes import gravest
    from connector.reports import planned_report

    with (
        progress(options.json) as told,
        planned_report(report) as write,
        open_project(options.settings(), told, manner=Manner.REHEARSAL) as project,
    ):
        documents = chosen(project, map)
        wrong: dict[str, DualWriteError] = {}
        made = [_plan(project, document, key, limit, wrong, write) for document in documents]
    if options.json:
        output.emit({"writes": sum(one["writes"] for one in made), "maps": made})
    else:
        for document, one in zip(documents, made, strict=True):
            if document.map in wrong:
                output.show_error(wrong[document.map], as_json=False)
            else:
                _show(document, one)
        if report is not None:
            output.say(f"every change is in {report}")
    if wrong:
        raise typer.Exit(gravest(error.exit_code for error in wrong.values()))


def _plan(
    project: Project,
    document: MapDocument,
    key: str | None,
    limit: int,
    wrong: dict[str, DualWriteError],
    write: WritePlanned,
) -> dict[str, Any]:
    """The dry run of one map; one that is wrong is noted and keeps no other from being planned."""
    from connector.engine.proof.rehearse import Rehearsal
    from connector.operations.runs.comparing import rehearse_map
    from connector.operations.runs.estimates import Estimate

    rehearsal, estimate = Rehearsal(), Estimate(0.0, "assumed")
    try:
        rehearsal, estimate = rehearse_map(
            project, document, key, lambda planned: write(document.map, planned)
        )
    except (MapError, MapStoppedError) as error:
        wrong[document.map] = error
    return {
        "map": document.map,
        "command": "load" if rehearsal.first_load else "sync",
        "writes": rehearsal.writes,
        "restored": rehearsal.restored,
        "estimated_seconds": round(estimate.seconds, 1),
        "estimated_by": estimate.basis,
        "counts": {n.replace(" ", "_"): c for n, c in sorted(rehearsal.counts.items())},
        "groups": [
            {"what": what, "side": side, "field": field, "records": count}
            for (what, side, field), count in rehearsal.grouped.most_common()
        ],
        "planned": [asdict(planned) for planned in rehearsal.planned[:limit]],
        "error": wrong[document.map].as_dict() if document.map in wrong else None,
    }


def told_values(document: MapDocument, planned: dict[str, Any]) -> str:
    """What would change, in one cell: `column: before → after`; of whole rows what they hold."""
    before, after, tell = planned["before"] or {}, planned["after"] or {}, document.spoken
    match planned["what"]:
        case "update":
            return ", ".join(
                f"{name}: {tell(name, before.get(name))} → {tell(name, value)}"
                for name, value in after.items()
            )
        case "conflict":
            return (
                f"{spoken(document, before, named=True)} or {spoken(document, after, named=True)}"
            )
        case "create" | "delete":
            row = {name: value for name, value in (after or before).items() if value is not None}
            return spoken(document, row, named=True)
        case _:
            return planned["field"] or ""


def _show(document: MapDocument, one: dict[str, Any]) -> None:
    counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in one["counts"].items())
    rows = [
        (
            p["key"],
            p["what"],
            p["side"],
            told_values(document, p),
            p["reason"],
        )
        for p in one["planned"]
    ]
    if one["restored"]:
        say_restored(one["map"])
    title = f"{one['map']}: `{one['command']}` would write {one['writes']}"
    if not one["counts"]:
        output.line(f"{title}; nothing to do")
        return
    groups = [(g["field"], g["what"], g["side"], g["records"]) for g in one["groups"] if g["field"]]
    if len(groups) > 1:
        output.table(f"{one['map']}: by field", ["field", "what", "side", "records"], groups)
    if rows:
        output.table(title, ["key", "what", "side", "values", "why"], rows)
    by = "by earlier runs" if one["estimated_by"] == "measured" else "nothing is measured yet"
    output.line(f"{one['map']}: {counts}; about {one['estimated_seconds']:.0f} s ({by})")
