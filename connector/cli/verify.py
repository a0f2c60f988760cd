"""`dualwrite verify`: the proof that both sides are equal.

Owns: its options and how findings are shown. Never does: the comparison.
Tested in: tests/acceptance/test_commands.py.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.options import Options, with_options
from connector.cli.progress import progress
from connector.cli.spoken import spoken
from connector.errors import MapError

if TYPE_CHECKING:
    from connector.mapping.document import MapDocument

app = typer.Typer(add_completion=False)

COUNTED = ("compared", "differences", "drift", "ignored", "excused", "adjusted")


@app.command()
@with_options
def verify(
    options: Options,
    map: Annotated[str | None, typer.Option("--map", help="Only this map.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Only this record.")] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write every finding to this .csv, .parquet or .html file."),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Settle the differences, then compare again.")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Findings listed; all are counted.")] = 50,
) -> None:
    """Compare everything both sides hold; each difference is read again before it is reported."""
    from connector.bootstrap import open_project
    from connector.engine.proof.verify import Verdict
    from connector.operations.choosing import chosen
    from connector.operations.runs.comparing import verify_map
    from connector.reports import findings_report

    maps: list[dict[str, Any]] = []
    errors: dict[str, MapError] = {}
    with ExitStack() as stack:
        told = stack.enter_context(progress(options.json))
        write = stack.enter_context(findings_report(report))
        project = stack.enter_context(open_project(options.settings(), told))
        documents = chosen(project, map)
        for document in documents:
            verdict = Verdict()
            try:
                verdict = verify_map(
                    project,
                    document,
                    lambda finding, name=document.map: write(name, finding),  # type: ignore[misc]
                    repair=repair,
                    key=key,
                )
            except MapError as error:
                errors[document.map] = error
            wrong = errors.get(document.map)
            one: dict[str, Any] = {"map": document.map, "equal": verdict.equal and wrong is None}
            one.update({name: getattr(verdict, name) for name in COUNTED})
            one["findings"] = [asdict(finding) for finding in verdict.findings[:limit]]
            one["error"] = wrong.as_dict() if wrong is not None else None
            maps.append(one)
    total: dict[str, Any] = {"equal": all(one["equal"] for one in maps)}
    total.update({name: sum(one[name] for one in maps) for name in COUNTED})
    if options.json:
        output.emit({**total, "maps": maps})
    else:
        _show({document.map: document for document in documents}, maps, total, report)
        for wrong in errors.values():
            output.show_error(wrong, as_json=False)
    if errors:
        raise typer.Exit(MapError.exit_code)
    if not total["equal"]:
        raise typer.Exit(3)


def _show(
    documents: dict[str, MapDocument],
    maps: list[dict[str, Any]],
    total: dict[str, Any],
    report: Path | None,
) -> None:
    rows = [
        [m["map"], "equal" if m["equal"] else "NOT EQUAL", *(m[n] for n in COUNTED)] for m in maps
    ]
    output.table("verify", ["map", "", *COUNTED], rows)
    listed = [(m["map"], f) for m in maps for f in m["findings"]]
    if listed:
        output.table(
            "findings",
            ["map", "key", "verdict", "field", "commerce", "dataverse", "why"],
            [
                (
                    name,
                    f["key"],
                    f["verdict"],
                    f["field"],
                    _cell(documents[name], f["commerce"]),
                    _cell(documents[name], f["dataverse"]),
                    f["reason"],
                )
                for name, f in listed
            ],
        )
    if report is not None:
        output.say(f"every finding is in {report}")
    output.line(_ending(total))


def _ending(total: dict[str, Any]) -> str:
    if not total["equal"]:
        return (
            "the sides differ: `dualwrite plan` shows what a sync would do, "
            "`dualwrite verify --repair` settles what it cannot see"
        )
    apart = [f"{total[n]} {n}" for n in ("drift", "ignored", "excused") if total[n]]
    return "both sides equal" + (f", apart from {', '.join(apart)}" if apart else "")


def _cell(document: MapDocument, values: dict[str, Any] | None) -> str:
    return "(absent)" if values is None else spoken(document, values)
