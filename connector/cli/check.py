"""`dualwrite check`: every problem that can be found without writing.

Owns: how problems are shown and the exit code. Never does: the checking.
Tested in: tests/acceptance/test_commands.py.
"""

from __future__ import annotations

import typer

from connector.cli import output
from connector.cli.options import Options, with_options

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def check(options: Options) -> None:
    """Check config, maps against live metadata, connections and permissions."""
    from connector.bootstrap import open_administration, open_project
    from connector.operations.checking import check_project
    from connector.operations.outcomes import gravest

    settings = options.settings().without_kept_tokens()
    with open_project(settings) as project, open_administration(settings) as organization:
        maps = list(project.documents)
        problems = list(check_project(project, organization))
    errors = [problem for problem in problems if problem.severity == "error"]
    if options.json:
        output.emit({"ok": not errors, "maps": maps, "problems": [p.as_dict() for p in problems]})
    else:
        for problem in problems:
            about = str(problem.subject)
            output.line(f"{problem.severity} {problem.code}: {about}: {problem.message}")
            output.line(f"  remedy: {problem.remedy}")
        ending = f"{len(errors)} errors, {len(problems) - len(errors)} warnings"
        output.line(
            f"checked {len(maps)} maps and both sides: {ending if problems else 'all well'}"
        )
    if errors:
        raise typer.Exit(gravest(problem.exit_code for problem in errors))
