"""`dualwrite state`: moving a deployment.

Owns: how it is shown, and asking before a side is bound to another system.
Never does: the moving (`connector/operations/moving.py`).
Tested in: tests/acceptance/test_state.py.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from connector.cli import output
from connector.cli.options import Options, with_options
from connector.cli.people import YesOption, confirmed
from connector.cli.progress import progress

app = typer.Typer(add_completion=False, no_args_is_help=True)

FileName = Annotated[Path, typer.Argument(metavar="FILE")]


@app.command("export")
@with_options
def export_file(options: Options, file: FileName) -> None:
    """Write the whole sync state into one file; runs may go on meanwhile."""
    from connector.operations.moving import export_to

    with progress(options.json) as told:
        counts = export_to(options.settings(), file, time.time(), told)
    if options.json:
        output.emit({"file": file, "rows": dict(counts)})
        return
    output.say(f"{sum(counts.values())} rows, {counts['records']} of them records, into {file}")
    output.say("it holds every value, as confidential as the state itself: only you may read it")


@app.command("import")
@with_options
def import_file(options: Options, file: FileName) -> None:
    """Fill the empty state of this config from a file that `state export` has written."""
    from connector.operations.moving import import_from

    with progress(options.json) as told:
        counts = import_from(options.settings(), file, told)
    if options.json:
        output.emit({"file": file, "rows": dict(counts)})
        return
    output.say(f"{sum(counts.values())} rows, {counts['records']} of them records, from {file}")
    output.say("next: `dualwrite check`, then `dualwrite plan`")


@app.command()
@with_options
def rebind(
    options: Options,
    side: Annotated[
        str, typer.Argument(metavar="SIDE", help="commerce, dataverse, or a further side.")
    ],
    yes: YesOption = False,
) -> None:
    """Accept that a side is another system now: moved, copied, or restored under another name."""
    from connector.bootstrap import open_project
    from connector.operations.moving import rebind as bind
    from connector.operations.moving import rebinding_of

    with open_project(options.settings()) as project:
        rebinding = rebinding_of(project, side)
        old, new = rebinding.old, rebinding.new
        if not options.json:
            output.say(f"{side} was {old.identity} ({old.title})")
            output.say(f"{side} is  {new.world} ({new.title})")
        confirmed(
            f"Go on with {new.title} in the place of {old.title}?", yes=yes, as_json=options.json
        )
        world = bind(project, rebinding)
    if options.json:
        told = {"old": old.identity, "new": world.identity, "title": world.title}
        output.emit({"side": side, **told, "epoch": world.epoch})
        return
    output.say(f"bound; the next run compares all of {side} with what was agreed on")
    output.say("look at it before: `dualwrite plan`")
