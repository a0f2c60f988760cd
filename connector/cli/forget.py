"""`dualwrite forget`: a person's data is removed from the sync state.

Owns: asking for confirmation. Never does: the removing (`connector/operations/forgetting.py`).
Tested in: tests/acceptance/test_forget.py.
"""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli import output
from connector.cli.deciding import MapOption
from connector.cli.options import Options, with_options
from connector.cli.people import YesOption, confirmed

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def forget(
    options: Options,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key or record number.")],
    map: MapOption = None,
    yes: YesOption = False,
) -> None:
    """Remove a person's data from state and audit; refused while the card is on a side."""
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.forgetting import forget as forget_known
    from connector.operations.forgetting import known_of

    with open_project(options.settings()) as project:
        found = known_of(project, chosen(project, map), key)
        numbers = [(known.document.map, number) for known in found for number in known.numbers]
        told = ", ".join(f"{name} record {number}" for name, number in numbers)
        confirmed(f"Forget {told} for good?", yes=yes, as_json=options.json)
        rows = forget_known(project, found)
    if options.json:
        records = [{"map": name, "record": number} for name, number in numbers]
        output.emit({"key": key, "forgotten": records, "rows": dict(sorted(rows.items()))})
        return
    output.say(f"forgotten: {told}; a keyed hash is left, by which `dualwrite history` knows it")
    output.say("reports, CSV files, the other systems and all backups are yours to clear:")
    output.say('  docs/operations.md, "A card holder asks to be forgotten"')
