"""`dualwrite check`: every problem that can be found without writing.

Owns: how problems are shown and the exit code. Never does: the checking.
Tested in: tests/acceptance/test_commands.py.
"""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli import output
from connector.cli.options import Options, with_options

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def check(
    options: Options,
    notes: Annotated[
        bool, typer.Option("--notes", help="Also tell what single records may meet.")
    ] = False,
) -> None:
    """Check config, maps against live metadata, connections and permissions."""
    from connector.bootstrap import open_administration, open_project
    from connector.errors import MapError
    from connector.mapping.checks.dual_write_codes import dual_write_codes
    from connector.operations.check.checking import check_project
    from connector.operations.check.files import check_files
    from connector.operations.outcomes import gravest

    settings = options.settings().without_kept_tokens()
    only_files = False
    try:
        with open_project(settings) as project, open_administration(settings) as organization:
            maps, off = list(project.documents), list(project.off)
            found = list(check_project(project, organization))
    except MapError:
        maps, off, found = check_files(settings)
        if not found:
            raise
        only_files = True
    problems = [problem for problem in found if notes or problem.severity != "note"]
    errors = [problem for problem in problems if problem.severity == "error"]
    warnings = [problem for problem in problems if problem.severity == "warning"]
    noted = sum(problem.severity == "note" for problem in found)
    if options.json:
        told = [
            {**p.as_dict(), "cause": p.cause, "dual_write": list(dual_write_codes(p.code))}
            for p in problems
        ]
        output.emit({"ok": not errors, "maps": maps, "off": off, "problems": told, "notes": noted})
    else:
        for problem in problems:
            code = " ".join((problem.code, *dual_write_codes(problem.code)))
            about = str(problem.subject)
            output.line(f"{problem.severity} {code}: {about}: {problem.message}")
            if problem.cause:
                output.line(f"  cause: {problem.cause}")
            output.line(f"  remedy: {problem.remedy}")
        bad = bool(errors or warnings)
        ending = f"{len(errors)} errors, {len(warnings)} warnings" if bad else "all well"
        more = f"; {noted} notes (`dualwrite check --notes`)" if noted and not notes else ""
        checked = "map files only" if only_files else f"{len(maps)} maps and both sides"
        output.line(f"checked {checked}: {ending}{more}")
        if only_files:
            output.say("both sides are asked once these are mended")
        if off:
            output.say(f"off: {', '.join(off)}")
    if errors:
        raise typer.Exit(gravest(problem.exit_code for problem in errors))
