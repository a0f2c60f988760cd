"""`dualwrite maps diff` and `maps preview`: what a map means for the records there are.

Owns: their options and how they are shown. Never does: the work (`connector/operations/`).
Tested in: tests/acceptance/test_map_versions.py.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.options import Options, with_options

if TYPE_CHECKING:
    from connector.mapping.document import MapDocument
    from connector.operations.maps.previewing import FieldPreview, Preview
    from connector.operations.maps.versions import MapDifference

MapName = Annotated[str, typer.Argument(metavar="MAP")]


@with_options
def diff(
    options: Options,
    map: MapName,
    limit: Annotated[int, typer.Option(min=0, help="Keys listed of each change.")] = 5,
) -> None:
    """Show what changed in a map since it last ran, and which records that concerns."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.maps.versions import difference

    with open_project(options.settings()) as project:
        (document,) = chosen(project, map)
        made = difference(project, document, limit)
    if options.json:
        output.emit(
            {
                "map": map,
                "version": document.version,
                "ran": made.ran,
                "changed": made.changed,
                "known": made.known,
                "reads": made.reads,
                "records": made.records,
                "changes": [told.as_dict() for told in made.told],
            }
        )
        return
    _show_difference(document, made)


def _show_difference(document: MapDocument, made: MapDifference) -> None:
    name = document.map
    if made.ran is None:
        output.line(f"{name} has not run yet: `dualwrite load --map {name}` is its first run")
        return
    if not made.changed:
        output.line(f"{name} is as it was when it last ran")
        return
    if made.told:
        rows = [
            (
                told.change.field or "",
                told.change.at,
                _cell(told.change.before),
                _cell(told.change.after),
                told.records,
                ", ".join(told.keys),
                told.effect,
            )
            for told in made.told
        ]
        columns = ["field", "what", "was", "is", "records", "keys", "effect"]
        output.table(f"{name}: changed since it ran as {made.ran}", columns, rows)
    if not made.known:
        output.line(f"{name} changed, but what it said before was not kept; `dualwrite verify`")
    reads = "; it reads both tables whole first" if made.reads else ""
    output.line(f"{name}: the next sync plans {made.records} records anew{reads}")


def _cell(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_cell(part)}" for key, part in value.items() if part is not None)
    return str(value)


@with_options
def preview(
    options: Options,
    map: MapName,
    key: Annotated[str, typer.Option("--key", help="The record's key, as a side spells it.")],
) -> None:
    """Show one record of each side, each field's way across, and what would be written."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.maps.previewing import preview as made_of

    with open_project(options.settings()) as project:
        (document,) = chosen(project, map)
        made = made_of(project, document, key)
    if options.json:
        output.emit(
            {
                "map": map,
                "record": made.record,
                **{side.value: held for side, held in made.held.items()},
                "fields": [_field(one) for one in made.fields],
                "ignored": made.ignored,
                "planned": [asdict(planned) for planned in made.planned],
            }
        )
        return
    _show_preview(document, key, made)


def _field(one: FieldPreview) -> dict[str, Any]:
    ways = {f"to_{side.value}": way.as_dict() for side, way in one.ways.items()}
    return {
        "field": one.field,
        "commerce": one.commerce,
        "dataverse": one.dataverse,
        "same": one.same,
        "to_dataverse": ways.get("to_dataverse"),
        "to_commerce": ways.get("to_commerce"),
    }


def _show_preview(document: MapDocument, key: str, made: Preview) -> None:
    from connector.cli.plan import told_values
    from connector.mapping.values import Side

    rows = []
    for one in made.fields:
        ways = [_way(one, side) for side in (Side.DATAVERSE, Side.COMMERCE)]
        same = {True: "=", False: "differs", None: ""}[one.same]
        rows.append((one.field, _cell(one.commerce), ways[0], _cell(one.dataverse), ways[1], same))
    there = [side.value for side, held in made.held.items() if held is not None]
    title = f"{document.map} {key}: held by {' and '.join(there)}"
    columns = ["field", "commerce", "to Dataverse", "Dataverse", "to commerce", ""]
    output.table(title, columns, rows)
    planned = [asdict(one) for one in made.planned]
    for told in planned:
        side = f" {told['side']}" if told["side"] else ""
        output.line(
            f"{told['what']}{side}: {told_values(document, told)}  {told['reason'] or ''}".rstrip()
        )
    if not planned:
        apart = "; the map or a person keeps it apart" if made.ignored else ""
        output.line(f"nothing would be written{apart}")


def _way(one: FieldPreview, side: Any) -> str:
    way = one.ways.get(side)
    if way is None:
        return ""
    steps = [f"{name}: {_cell(value)}" for name, value in way.steps if name]
    ending = way.problem or f"→ {_cell(way.arrives)}"
    return " | ".join([*steps, ending])
