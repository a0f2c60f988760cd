"""`dualwrite maps`: list, show, pause and resume maps; the rest of the group is in its own files.

Owns: how a map is drawn, in dual-write's own reading order.
Never does: the work (`connector/operations/`).
Tested in: tests/acceptance/test_commands.py, tests/acceptance/test_pause.py.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from connector.cli import output
from connector.cli.maps_moving import export_map, import_maps
from connector.cli.maps_versions import diff, preview
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption, person

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.command("import")(import_maps)
app.command("export")(export_map)
app.command("diff")(diff)
app.command("preview")(preview)

MapName = Annotated[str, typer.Argument(metavar="MAP")]
WaitOption = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for a run at work to end.")
]


@app.command("list")
@with_options
def list_maps(options: Options) -> None:
    """List the maps of this project."""
    from connector.mapping.overlay import read_maps

    maps = options.settings().maps
    documents = read_maps(maps.path, maps.environment)
    rows = [
        {
            "map": d.map,
            "title": d.title,
            "version": d.version,
            "commerce": d.commerce.entity,
            "dataverse": d.dataverse.entity,
            "enabled": d.enabled,
            "fields": len(d.fields),
            "file": d.file.path,
        }
        for d in documents
    ]
    if options.json:
        output.emit({"maps": rows})
        return
    output.table("maps", list(rows[0]), [list(row.values()) for row in rows])


@app.command()
@with_options
def show(options: Options, map: MapName) -> None:
    """Draw one map as a table: left column, symbol, right column."""
    from connector.books import maps_of
    from connector.operations.choosing import named

    document = named(maps_of(options.settings()), map)
    overlay = document.overlaid
    if options.json:
        laid = None
        if overlay is not None:
            laid = {**overlay._asdict(), "parts": [part._asdict() for part in overlay.parts]}
        output.emit({**document.model_dump(mode="json"), "overlay": laid})
        return
    rows = [
        (
            " + ".join(row.commerce_columns) or "none",
            row.sync,
            row.dataverse or "none",
            "key" if row.key else row.together or "",
            row.conflict or document.conflict,
            _transform(row.model_dump(mode="json")),
        )
        for row in document.fields
    ]
    title = (
        f"{document.title or document.map} {document.version}: master {document.master}, "
        f"deletes commerce {document.deletes.commerce}, dataverse {document.deletes.dataverse}"
    )
    if document.appends_to is not None:
        title = f"{document.title or document.map} {document.version}: rows are only added"
    owner = document.dataverse.owner
    if owner is not None:
        title += f", new rows of {owner}"
    columns = [
        document.commerce.entity,
        "",
        document.dataverse.entity,
        "group",
        "conflict",
        "transform",
    ]
    output.table(title, columns, rows)
    for end in (document.commerce, document.dataverse):
        if end.filter is not None:
            output.line(f"only {end.entity} where {end.filter}; leaving: {document.filter_exit}")
    if overlay is not None:
        parts = [(part.at, _plain(part.value), _plain(part.instead)) for part in overlay.parts]
        title = f"environment {overlay.environment}: {overlay.file}"
        output.table(title, ["changed", "is", "instead of"], parts)


def _plain(value: Any) -> str:
    return "nothing" if value is None else str(value)


@app.command()
@with_options
def pause(
    options: Options,
    map: MapName,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Told to everybody who asks.")
    ] = None,
    by: ByOption = None,
    wait: WaitOption = 0.0,
) -> None:
    """Hold a map until it is resumed; changes made meanwhile are not lost."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.holding import pause_map
    from connector.operations.standing import held_state

    with open_project(options.settings()) as project:
        (document,) = chosen(project, map)
        hold = pause_map(project, document, by=person(by), reason=reason, wait=wait)
    if options.json:
        state = held_state(hold.problem)
        told = {"state": state, "already": hold.already, "problem": hold.problem.as_dict()}
        output.emit({"map": map, **told})
        return
    output.say(f"{map}: {'was held already: ' if hold.already else ''}{hold.problem.message}")
    output.say(f"  {hold.problem.remedy}")


@app.command()
@with_options
def resume(
    options: Options,
    map: MapName,
    allow_deletes: Annotated[
        int, typer.Option(min=0, help="Release exactly so many deletes beyond the guard.")
    ] = 0,
    wait: WaitOption = 0.0,
) -> None:
    """Let a map run again that a person has paused or a guard has stopped."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.holding import resume_map

    with open_project(options.settings()) as project:
        resume_map(project, chosen(project, map)[0], allow_deletes, wait=wait)
    if options.json:
        output.emit({"map": map, "state": "running", "allowed_deletes": allow_deletes})
    else:
        output.say(f"{map} runs again; the next `dualwrite sync` goes on where it stopped")


def _transform(row: dict[str, Any]) -> str:
    parts: list[str] = []
    if row["values"]:
        parts.append(", ".join(f"{left}={right}" for left, right in row["values"].items()))
    if row["join"]:
        parts.append(f"joined by {row['join']['by']!r}")
    if row["lookup"]:
        named = ", ".join(f"{there}={commerce}" for there, commerce in row["lookup"].items())
        parts.append(f"found by {named}")
    if row["unmatched"]:
        parts.append("others " + _by_side(row["unmatched"]))
    for name in ("transform", "back"):
        if row[name]:
            parts.append(("back " if name == "back" else "") + " | ".join(map(_step, row[name])))
    if row["default"]:
        parts.append("default " + _by_side(row["default"]))
    if row["constant"] is not None:
        parts.append(f"constant {row['constant']}")
    if row["type"]:
        parts.append(f"as {row['type']}")
    return "; ".join(parts)


def _by_side(values: dict[str, Any]) -> str:
    return ", ".join(f"{side} {value}" for side, value in values.items() if value is not None)


def _step(step: str | dict[str, Any]) -> str:
    if isinstance(step, str):
        return step
    name, setting = next((name, value) for name, value in step.items() if name != "unmatched")
    if isinstance(setting, dict):
        setting = ", ".join(f"{key}={value}" for key, value in setting.items() if value is not None)
    others = f", others {_by_side(step['unmatched'])}" if step.get("unmatched") else ""
    return f"{name} {setting}{others}"
