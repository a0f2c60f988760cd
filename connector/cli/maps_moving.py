"""`dualwrite maps import` and `maps export`: maps from dual-write and to it.

Owns: what is printed of them: maps on stdout where no file is asked for, notes on stderr.
Never does: the work (`connector/operations/maps/importing.py`).
Tested in: tests/unit/cli/test_maps_moving.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.options import Options, with_options

if TYPE_CHECKING:
    from connector.errors import Problem
    from connector.operations.maps.importing import Import

LEFT_OUT = 3
"""Done, but a person is needed: something could not be carried over."""

ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


class Form(StrEnum):
    """Forms a map is written in."""

    JSON = "json"


@with_options
def import_maps(  # noqa: PLR0913, PLR0917  each option is typed by its name
    options: Options,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write NAME.yaml there; else print."),
    ] = None,
    map: Annotated[str | None, typer.Option("--map", metavar="NAME", help="Only this map.")] = None,
    commerce_entity: Annotated[
        str | None, typer.Option(metavar="NAME", help="Entity set name of commerce.")
    ] = None,
    dataverse_entity: Annotated[
        str | None, typer.Option(metavar="NAME", help="Entity set name of Dataverse.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Pairs the records; repeatable.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the commerce side how its columns are spelled.")
    ] = False,
    force: ForceOption = False,
) -> None:
    """Read maps of dual-write: JSON, a solution, or a page of its documentation."""
    from connector.mapping.moving.build import Wishes
    from connector.operations.maps.importing import import_maps as read
    from connector.operations.maps.importing import write_maps

    wishes = Wishes(commerce_entity, dataverse_entity, tuple(key or ()))
    if live:
        from connector.bootstrap import open_commerce

        with open_commerce(options.settings()) as commerce:
            made = read(files, wishes, map, commerce)
    else:
        made = read(files, wishes, map)
    written = write_maps(made.maps, out, force=force) if out is not None else {}
    if options.json:
        output.emit(_as_dict(made, written))
    else:
        _show(made, written)
    if not made.complete:
        raise typer.Exit(LEFT_OUT)


@with_options
def export_map(
    options: Options,
    map: Annotated[str, typer.Argument(metavar="MAP")],
    form: Annotated[
        Form, typer.Option("--form", help="Form of the file.", show_default=True)
    ] = Form.JSON,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write there; else print.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Only what dual-write has a word for.")
    ] = False,
    force: ForceOption = False,
) -> None:
    """Write a map as dual-write's JSON."""
    from connector.mapping.document import read_documents
    from connector.operations.choosing import named
    from connector.operations.maps.importing import exported, write_export

    folder = options.settings().maps.path
    made = exported(named(read_documents(folder), map), folder, plain=plain)
    if out is not None:
        write_export(made, out, force=force)
    problems = [problem.as_dict() for problem in made.problems]
    if options.json:
        told = {"map": map, "form": form.value, "file": str(out) if out is not None else None}
        output.emit({**told, "document": made.data, "problems": problems})
        return
    if out is None:
        output.emit(made.data)
    else:
        output.say(f"wrote {out}")
    _tell(made.problems)


def _as_dict(made: Import, written: dict[str, Path]) -> dict[str, object]:
    """The documented JSON form (docs/json.md)."""
    return {
        "complete": made.complete,
        "maps": [
            {
                "map": one.name,
                "source": one.template.subject.file,
                "line": one.template.subject.line,
                "version": one.document.version if one.document is not None else None,
                "fields": len(one.document.fields) if one.document is not None else 0,
                "complete": one.complete,
                "file": str(written[one.name]) if one.name in written else None,
                "yaml": one.yaml,
                "problems": [problem.as_dict() for problem in one.problems],
            }
            for one in made.maps
        ],
        "left": [problem.as_dict() for problem in made.left],
    }


def _show(made: Import, written: dict[str, Path]) -> None:
    """Maps that were not written to a file are printed, as one stream of YAML documents."""
    printed = 0
    for one in made.maps:
        if one.yaml is not None and one.name not in written:
            if printed:
                output.line("---")
            output.line(one.yaml.rstrip("\n"))
            printed += 1
    for one in made.maps:
        if one.document is None:
            output.say(f"{one.name}: not written")
        else:
            where = f"wrote {written[one.name]}: " if one.name in written else f"{one.name}: "
            left = sum(1 for p in one.problems if p.exit_code)
            rest = f", {left} left out or changed" if left else ""
            output.say(f"{where}{len(one.document.fields)} rows{rest}")
        _tell(one.problems)
    _tell(made.left)


def _tell(problems: Iterable[Problem]) -> None:
    for problem in problems:
        output.say(f"  {problem.severity} {problem.code}: {problem.subject}: {problem.message}")
        if problem.severity != "info":
            output.say(f"    remedy: {problem.remedy}")
