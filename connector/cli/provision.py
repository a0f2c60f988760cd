"""`dualwrite provision`: the Dataverse tables the maps need.

Owns: its options, how steps and problems are shown.
Never does: the work (`connector/operations/provision/provisioning.py`).
Tested in: tests/acceptance/test_provision.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.options import Options, with_options

if TYPE_CHECKING:
    from connector.operations.provision.provisioning import Provision

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def provision(
    options: Options,
    map: Annotated[str | None, typer.Option("--map", help="Only this map's table.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be made.")] = False,
    solution: Annotated[
        Path | None,
        typer.Option("--solution", metavar="FILE", help="Write a zip to import instead."),
    ] = None,
    webhooks: Annotated[
        str | None,
        typer.Option("--webhooks", metavar="URL", help="Have notices sent there, or `off`."),
    ] = None,
) -> None:
    """Make the tables, columns, choices, keys and change tracking the maps need.

    What exists is never changed. A run that was killed goes on where it stopped: run it again.
    """
    from connector.bootstrap import open_administration, open_project
    from connector.operations.choosing import chosen
    from connector.operations.outcomes import gravest
    from connector.operations.provision.provisioning import provision_maps

    settings = options.settings()
    with open_project(settings) as project, open_administration(settings) as organization:
        documents = chosen(project, map)
        result = provision_maps(
            project,
            documents,
            organization,
            webhooks=webhooks,
            solution=solution,
            only_plan=plan,
            told=lambda step: output.say(str(step)),
        )
    if options.json:
        output.emit({"planned": plan or solution is not None, **result.as_dict()})
    else:
        _show(result, only_plan=plan or solution is not None)
    errors = [problem for problem in result.problems if problem.severity == "error"]
    if errors:
        raise typer.Exit(gravest(problem.exit_code for problem in errors))


def _show(result: Provision, *, only_plan: bool) -> None:
    steps = [*result.steps, *result.notices.steps]
    if only_plan:
        for step in steps:
            output.line(f"would {step}")
    for problem in result.problems:
        output.line(f"{problem.severity} {problem.code}: {problem.subject}: {problem.message}")
        output.line(f"  remedy: {problem.remedy}")
    output.line(f"{len(steps)} steps {'to do' if only_plan else 'done'}")
    if result.solution is not None:
        output.line(f"wrote {result.solution}: import it, and publish all customizations")
