"""`dualwrite sync`: one run of the cycle over maps.

Owns: its options. Never does: the work (`connector/operations/`).
Tested in: tests/acceptance/test_commands.py.
"""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli.options import Options, with_options
from connector.cli.outcomes import finish
from connector.cli.progress import progress
from connector.cli.signals import stop_in_good_order

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def sync(
    options: Options,
    map: Annotated[str | None, typer.Option("--map", help="Only this map.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Write only this record.")] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(min=0, help="Stop in good order after so long; the rest waits."),
    ] = None,
    known_ok: Annotated[
        bool,
        typer.Option("--known-ok", help="Exit 0 when nothing new needs a person."),
    ] = False,
) -> None:
    """Carry the changes of both sides across, until nothing is due."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.runs.writing import sync_maps
    from connector.operations.standing import needs

    with stop_in_good_order() as stop:
        with (
            progress(options.json) as told,
            open_project(options.settings(), told, stop, told.paced) as project,
        ):
            documents = chosen(project, map)
            outcomes = sync_maps(project, documents, max_seconds=max_seconds, key=key)
            people = needs(project, documents)
            off = [] if map is not None else list(project.off)
        finish("sync", outcomes, people, off, as_json=options.json, known_ok=known_ok)
