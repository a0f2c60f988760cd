"""`dualwrite history`: everything that happened to one record, to be read from top to bottom.

Owns: the timeline. Never does: finding out (`connector/operations/history.py`).
Tested in: tests/unit/cli/test_history.py, tests/acceptance/test_history.py.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.deciding import KeyWord, MapOption, moment
from connector.cli.options import Options, with_options
from connector.mapping.values import Side

if TYPE_CHECKING:
    from connector.operations.history import Event, Story, Value

app = typer.Typer(add_completion=False)

WIDTH = 100
"""Columns a line takes at most; longer values go on below."""
_TRIED = {
    "created": "tried to create",
    "updated": "tried to update",
    "deleted": "tried to delete",
}
"""What is said of a write that did not end well."""
_NAMES = {Side.COMMERCE: "commerce", Side.DATAVERSE: "Dataverse"}


@app.command()
@with_options
def history(
    options: Options,
    key: KeyWord,
    map: MapOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many events of each record, the newest.")
    ] = None,
) -> None:
    """Tell everything that happened to one record on both sides, oldest first."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.history import history_of

    with open_project(options.settings()) as project:
        found = history_of(project, chosen(project, map), key, limit)
    if options.json:
        output.emit(found.as_dict())
        return
    for number, story in enumerate(found.stories):
        if number:
            output.line("")
        for line in told(story):
            output.line(line)
    for name, at in found.forgotten.items():
        output.line(f"{name} {key}: forgotten at {moment(at)}; what was known then is not kept")


def told(story: Story) -> Iterator[str]:
    """The lines of one record."""
    head = f"{story.document.map} {story.key}, record {story.number}: {_standing(story)}"
    yield from _folded(head, "  ")
    if story.problem is not None:
        yield from _folded(f"  {story.problem.code}: {story.problem.message}", "    ")
        yield from _folded(f"  remedy: {story.problem.remedy}", "    ")
    if story.omitted:
        yield f"… {story.omitted} earlier events are not shown; without --limit they are"
    if not story.events:
        yield "  nothing was seen or written since both sides were paired"
    for event in story.events:
        yield from _event(story, event)


def _standing(story: Story) -> str:
    if story.departed is not None:
        return f"gone on both sides; what remained was cleared out at {moment(story.departed)}"
    there = [_NAMES[side] for side in Side if story.presence(side) == "present"]
    unsure = [_NAMES[side] for side in Side if story.presence(side) == "unknown"]
    words = ["gone on both sides" if story.standing == "gone" else story.standing]
    if there:
        words.append(f"in {' and '.join(there)}")
    if unsure:
        words.append(f"to be read again in {' and '.join(unsure)}")
    return ", ".join(words)


def _event(story: Story, event: Event) -> Iterator[str]:
    ended_well = event.outcome in (None, "done")  # else the outcome says it
    what = event.what if ended_well else _TRIED.get(event.what, event.what)
    if event.side is not None:
        what += f" in {_NAMES[event.side]}"
    if event.by is not None:
        what += f" by {event.by}"
    if event.detail and ended_well:
        what += f": {event.detail}"
    run = "" if event.run is None else f" (run {event.run}{_of(event.command)})"
    yield from _folded(f"{moment(event.at)}  {what}{run}", " " * 25)
    longest = max((len(_name(event, value)) for value in event.values), default=0)
    for value in event.values:
        name = _name(event, value).ljust(longest)
        yield from _folded(f"    {name}  {_values(story, event, value)}", " " * (longest + 6))
    if not ended_well:
        yield from _folded(f"    {event.outcome}", "    ")


def _of(command: str | None) -> str:
    return "" if command is None else f", {command}"


def _name(event: Event, value: Value) -> str:
    """The field; its side too where the event is about both."""
    return value.field if event.side is not None else f"{_NAMES[value.side]} {value.field}"


def _values(story: Story, event: Event, value: Value) -> str:
    before = story.document.spoken(value.field, value.before)
    after = story.document.spoken(value.field, value.after)
    if event.what == "created":
        return after
    return before if event.what in ("deleted", "removed") else f"{before} → {after}"


def _folded(text: str, indent: str) -> Iterator[str]:
    """Lines of at most `WIDTH` columns; words that are longer are cut."""
    yield from textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, drop_whitespace=True, break_on_hyphens=False
    ) or [""]
