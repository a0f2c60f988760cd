"""`dualwrite conflicts`: what two people edited at once, and who wins.

Owns: how conflicts are shown. Never does: deciding.
Tested in: tests/acceptance/test_decisions.py.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

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
from connector.cli.spoken import spoken
from connector.errors import UsageError
from connector.mapping.values import Side

if TYPE_CHECKING:
    from connector.operations.conflicts.deciding import Resolution
    from connector.operations.conflicts.waiting import Shown
    from connector.store.work import OpenConflict

app = typer.Typer(add_completion=False, no_args_is_help=True)

FieldOption = Annotated[
    str | None, typer.Option("--field", metavar="NAME", help="Only this field or group.")
]


@app.command("list")
@with_options
def list_conflicts(
    options: Options,
    map: MapOption = None,
    field: FieldOption = None,
    where: WhereOption = None,
    limit: LimitOption = 1000,
) -> None:
    """List the conflicts that wait for a decision."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.conditions import meant_by
    from connector.operations.conflicts.waiting import NAMES, Wanted, conflict_dict, conflicts_in

    wanted = Wanted(field=field, where=where)
    with open_project(options.settings()) as project:
        documents = meant_by(where, project, chosen(project, map), NAMES)
        found = (
            (document, conflict_dict(document, entry))
            for document in documents
            for entry in conflicts_in(project, document, wanted)
        )
        listed = list(islice(found, limit))
        more = next(found, None) is not None
    if options.json:
        output.emit({"conflicts": [one for _, one in listed], "more": more})
        return
    if not listed:
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
                spoken(document, one["base"].get("commerce")),
                spoken(document, one["commerce"]),
                spoken(document, one["dataverse"]),
            )
            for document, one in listed
        ],
    )
    if more:
        output.say(f"there are more than {limit}: --limit lists more, --where fewer")
    output.say("`dualwrite conflicts show MAP KEY` tells who changed what, and how to decide")


@app.command()
@with_options
def show(options: Options, map: MapName, key: KeyWord) -> None:
    """Show the conflicts of one record, and the commands that decide them."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.conflicts.waiting import show_conflicts, shown_dict

    with open_project(options.settings()) as project:
        shown = show_conflicts(project, chosen(project, map)[0], key)
    if options.json:
        output.emit(shown_dict(shown, [_commands(shown, entry) for entry in shown.entries]))
        return
    _show(shown)


def _show(shown: Shown) -> None:
    from connector.operations.conflicts.waiting import told_values
    from connector.operations.naming import spelled

    for entry in shown.entries:
        title = (
            f"{shown.record.map} {spelled(shown.record)} (record {shown.record.number}): "
            f"{entry.conflict.group}, open since {moment(entry.opened)}, "
            f"revision {entry.revision}"
        )
        columns = ["", "agreed", "commerce", "dataverse"]
        output.table(title, columns, told_values(shown, entry))
        for side in Side:
            change = shown.last_change(entry, side)
            if change is not None:
                at, by = change
                output.line(f"{side}: edit seen {moment(at)}{f', by {by}' if by else ''}")
        output.line("to decide, one of:")
        for line in _commands(shown, entry):
            output.line(f"  {line}")
    if shown.stopped is not None:
        output.say(f"{shown.record.map} is held, decide when it runs: {shown.stopped.message}")
        output.say(f"  remedy: {shown.stopped.remedy}")


def _commands(shown: Shown, entry: OpenConflict) -> list[str]:
    """What can be typed to decide one conflict as it is shown here."""
    from connector.operations.naming import plain

    group = shown.group(entry)
    head = ("conflicts", "resolve", shown.record.map, plain(shown.record))
    about = ("--field", entry.conflict.group) if len(shown.entries) > 1 else ()
    tail = ("--as-shown", str(entry.revision))
    lines = [command(*head, *about, "--with", side, *tail) for side in ("commerce", "dataverse")]
    if group is not None:
        words = [f"{f.commerce or f.dataverse}=VALUE" for f in group.fields]
        given = [word for one in words for word in ("--value", one)]
        lines.append(command(*head, *given, *tail))
    return lines


@app.command()
@with_options
def resolve(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    map: MapName,
    key: OptionalKey = None,
    winner: Annotated[
        str, typer.Option("--with", metavar="SIDE", help="commerce or dataverse: who wins.")
    ] = "",
    value: Annotated[
        list[str] | None,
        typer.Option(
            "--value", metavar="COLUMN=VALUE", help="Decide by this value; each field of a group."
        ),
    ] = None,
    field: FieldOption = None,
    every: Annotated[bool, typer.Option("--all", help="All open conflicts of the map.")] = False,
    where: WhereOption = None,
    as_shown: Annotated[
        int | None,
        typer.Option("--as-shown", metavar="REVISION", help="Only if still at this revision."),
    ] = None,
    by: ByOption = None,
) -> None:
    """Decide conflicts and carry the decision out; values that give way are kept in the audit."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen, master_side
    from connector.operations.conflicts.deciding import resolve_conflicts
    from connector.operations.conflicts.waiting import Wanted

    side = master_side(winner or None)
    many = every or where is not None
    if (side is None) == (not value) or (key is None) != many or (many and as_shown is not None):
        raise UsageError(
            "resolve-what",
            "say what wins, and which record",
            remedy="write `dualwrite conflicts resolve MAP KEY --with commerce` (or dataverse, or "
            "--value COLUMN=VALUE instead); --all or --where EXPR instead of KEY for many, then "
            "without --as-shown",
        )
    wanted = Wanted(key, field, where, as_shown)
    with open_project(options.settings()) as project:
        document = chosen(project, map)[0]
        resolution = resolve_conflicts(
            project, document, wanted, by=decider(by), winner=side, values=value or ()
        )
    if options.json:
        output.emit(_resolution_dict(map, resolution))
    else:
        what = f"{side} wins" if side is not None else ", ".join(value or ())
        if resolution.decided:
            output.say(f"{resolution.decided} decided: {what}; what gave way is kept in the audit")
        else:
            output.say("nothing was decided")
        refused = (
            (f"{one.entry.key} {one.entry.conflict.group}", one.problem)
            for one in resolution.refusals
        )
        show_refused(refused, resolution.refused)
    if resolution.refused:
        raise typer.Exit(3)


def _resolution_dict(map: str, resolution: Resolution) -> dict[str, Any]:
    from connector.operations.conflicts.deciding import refusal_dict

    return {
        "map": map,
        "decided": resolution.decided,
        "refused": resolution.refused,
        "refusals": [refusal_dict(one) for one in resolution.refusals],
        "counts": resolution.outcome.as_dict()["counts"],
    }
