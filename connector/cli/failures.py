"""`dualwrite failures`: the records that were set aside, and another try for them.

Owns: how they are shown. Never does: the trying (`connector/operations/`).
Tested in: tests/acceptance/test_failures.py.
"""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from connector.cli import output
from connector.cli.options import Options, with_options
from connector.errors import UsageError

app = typer.Typer(add_completion=False, no_args_is_help=True)

MapOption = Annotated[str | None, typer.Option("--map", help="Only this map.")]


@app.command("list")
@with_options
def list_failures(
    options: Options,
    map: MapOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Records listed.")] = 1000,
) -> None:
    """List the records that wait for a person, each with its reason and remedy."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.standing import failures_of

    with open_project(options.settings()) as project:
        found = list(islice(failures_of(project, chosen(project, map)), limit))
    if options.json:
        output.emit({"failures": found})
        return
    if not found:
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
                one["problem"]["remedy"],
            )
            for one in found
        ],
    )


@app.command()
@with_options
def retry(
    options: Options,
    map: Annotated[str, typer.Argument(metavar="MAP")],
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="Key or record number.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All failures of the map.")] = False,
) -> None:
    """Try records again: both sides are read anew before anything is written."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.runs import retry_failures

    if (key is None) != every:
        raise UsageError(
            "retry-what",
            "say which record",
            remedy="`failures retry MAP KEY`, or `--all` instead of KEY",
        )
    with open_project(options.settings()) as project:
        outcome = retry_failures(project, chosen(project, map)[0], key)
        left = project.store.counts(map)
    freed, parked = outcome.counts.get("freed", 0), left["parked"]  # type: ignore[index]
    if options.json:
        output.emit({"map": map, "freed": freed, "parked": parked})
    else:
        output.line(f"{freed} settled, {parked} still set aside")
    if parked:
        raise typer.Exit(3)
