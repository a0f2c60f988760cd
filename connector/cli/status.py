"""`dualwrite status`: where each map stands.

Owns: how it is shown. Never does: asking a side; the state alone answers.
Tested in: tests/acceptance/test_commands.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from connector.cli import output
from connector.cli.options import Options, with_options
from connector.cli.outcomes import show_needs

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def status(
    options: Options,
    map: Annotated[str | None, typer.Option("--map", help="Only this map.")] = None,
) -> None:
    """Show per map: state, lag, what is pending, waiting, parked or in conflict, and last run."""
    from connector.books import open_books
    from connector.operations.choosing import chosen
    from connector.operations.standing import statuses

    with open_books(options.settings()) as books:
        documents = chosen(books, map)
        found, needs = statuses(books, documents)
    states, people = [one.as_dict() for one in found], [need.as_dict() for need in needs]
    if options.json:
        output.emit({"maps": states, "needs": people})
    else:
        columns = ("settled", "pending", "waiting", "conflict", "parked")
        rows = [
            [s["map"], s["state"], _lag(s), *(s[c] for c in columns), _run(s["last_run"])]
            for s in states
        ]
        output.table("status", ["map", "state", "lag", *columns, "last run"], rows)
        for state in states:
            if state["problem"] is not None:
                output.say(f"{state['map']}: {state['problem']['message']}")
                output.say(f"  remedy: {state['problem']['remedy']}")
            for side, epoch in state["epochs"].items():
                if epoch > 1:
                    output.say(f"{state['map']}: {side} is in epoch {epoch}: {_AGAIN}")
        show_needs([need for need in people if need["kind"] not in _SAID])
    if people:
        raise typer.Exit(3)


_SAID = ("stopped", "paused", "failing")
"""Needs whose problem is shown."""
_AGAIN = "it was restored from a backup, or bound anew"


def _lag(state: dict[str, Any]) -> str:
    lag = state["lag_seconds"]
    return "" if lag is None else f"{lag:.0f} s"


def _run(run: dict[str, Any] | None) -> str:
    if run is None:
        return "never"
    when = datetime.fromisoformat(run["started"]).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{run['command']} {when}: {run['outcome'] or 'running'}"
