"""`dualwrite conflicts`: what two people edited at once, and who wins.

Owns: how conflicts are shown. Never does: deciding.
Tested in: tests/acceptance/test_decisions.py.
"""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli import output
from connector.cli.options import Options, with_options
from connector.cli.spoken import spoken
from connector.errors import UsageError

app = typer.Typer(add_completion=False, no_args_is_help=True)

MapOption = Annotated[str | None, typer.Option("--map", help="Only this map.")]


@app.command("list")
@with_options
def list_conflicts(options: Options, map: MapOption = None) -> None:
    """List the conflicts that wait for a decision."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.standing import conflicts_of

    with open_project(options.settings()) as project:
        documents = project.documents
        found = conflicts_of(project, chosen(project, map))
    if options.json:
        output.emit({"conflicts": found})
        return
    if not found:
        output.line("no conflicts")
        return
    output.table(
        "conflicts",
        ["map", "key", "record", "field", "agreed", "commerce", "dataverse"],
        [
            (
                one["map"],
                one["key"],
                one["record"],
                one["field"],
                spoken(documents[one["map"]], one["base"].get("commerce")),
                spoken(documents[one["map"]], one["commerce"]),
                spoken(documents[one["map"]], one["dataverse"]),
            )
            for one in found
        ],
    )


@app.command()
@with_options
def resolve(
    options: Options,
    map: Annotated[str, typer.Argument(metavar="MAP")],
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="Key or record number.")
    ] = None,
    winner: Annotated[str, typer.Option("--with", help="commerce or dataverse: who wins.")] = "",
    field: Annotated[str | None, typer.Option(help="Only this field or group.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open conflicts of the map.")] = False,
) -> None:
    """Decide a conflict and carry the decision out; the other value is kept in the audit."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen, master_side
    from connector.operations.runs import resolve_conflicts

    side = master_side(winner or None)
    if side is None or (key is None) != every:
        raise UsageError(
            "resolve-what",
            "say who wins, and which record",
            remedy="write `dualwrite conflicts resolve MAP KEY --with commerce` (or dataverse), "
            "with --all instead of KEY for every open conflict of the map",
        )
    with open_project(options.settings()) as project:
        outcome = resolve_conflicts(project, chosen(project, map)[0], key, side, field)
    decided, parked = (outcome.counts.get(name, 0) for name in ("decided", "parked"))
    if options.json:
        output.emit({"map": map, "decided": decided, "counts": outcome.as_dict()["counts"]})
    else:
        output.say(f"{decided} decided: {side} wins; the other value is kept in the audit")
        if parked:
            output.say(f"{parked} refused: `dualwrite verify --map {map}` says why")
    if parked:
        raise typer.Exit(3)
