"""`dualwrite load`: the initial write of maps.

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
def load(
    options: Options,
    map: Annotated[str | None, typer.Option("--map", help="Only this map.")] = None,
    master: Annotated[
        str | None,
        typer.Option(help="commerce or dataverse: whose values win where both have a record."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Compare every row anew, though loaded already.")
    ] = False,
) -> None:
    """Bring both sides together for the first time.

    A load that was killed goes on where it stopped: run the same command again.
    """
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen, master_side
    from connector.operations.runs.writing import load_maps
    from connector.operations.standing import needs

    winner = master_side(master)
    with stop_in_good_order() as stop:
        with (
            progress(options.json) as told,
            open_project(options.settings(), told, stop, told.paced) as project,
        ):
            documents = chosen(project, map)
            outcomes = load_maps(project, documents, master=winner, again=again)
            people = needs(project, documents)
            off = [] if map is not None else list(project.off)
        finish("load", outcomes, people, off, as_json=options.json)
