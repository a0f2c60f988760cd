"""`dualwrite serve`: live mode, until a signal ends it.

Owns: its options, the lines it tells of cycles. Never does: the work (`connector/operations/`).
Tested in: tests/acceptance/test_serve.py.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.options import Options, with_options
from connector.cli.outcomes import need_told
from connector.cli.signals import heard_on_hangup, stop_in_good_order

if TYPE_CHECKING:
    from connector.operations.outcomes import MapOutcome

app = typer.Typer(add_completion=False)

_LOG = logging.getLogger("connector.live")
_NEEDS = {"parked": "parked", "conflict": "conflicts"}
"""What a cycle may find that needs a person, and how its counts call it."""


@app.command()
@with_options
def serve(
    options: Options,
    map: Annotated[str | None, typer.Option("--map", help="Only this map.")] = None,
) -> None:
    """Carry changes across as they happen, until SIGTERM or SIGINT."""
    from connector.bootstrap import Manner, open_project
    from connector.live.inbox import Inbox, Kind, Wake
    from connector.operations.choosing import chosen
    from connector.operations.serve.live import serve_maps

    output.set_up_logging(debug=options.debug, timed=True)
    logging.getLogger("connector.live").setLevel(logging.DEBUG if options.debug else logging.INFO)
    inbox = Inbox()
    with (
        stop_in_good_order(lambda: inbox.put(Wake(Kind.SIGNAL))) as stop,
        heard_on_hangup(lambda: inbox.put(Wake(Kind.FILES))),
        open_project(options.settings(), stopping=stop, manner=Manner.LIVE) as project,
    ):
        tell = _tell_script if options.json else _tell_person
        serve_maps(project, chosen(project, map), inbox, tell)


def _tell_script(outcome: MapOutcome, at: float) -> None:
    """One line of JSON on stdout (docs/json.md)."""
    from connector.operations.standing import instant

    output.emit({"at": instant(at), **outcome.as_dict()})
    _tell_needs(outcome)


def _tell_person(outcome: MapOutcome, _at: float) -> None:
    """One line on stderr; an error has its line already."""
    if outcome.error is None:
        done = ", ".join(f"{name} {count}" for name, count in sorted(outcome.counts.items()))
        _LOG.info("%s: %s in %.2f s", outcome.map, done, outcome.seconds)
    _tell_needs(outcome)


def _tell_needs(outcome: MapOutcome) -> None:
    """What this cycle set aside for a person, and where to find it, on stderr."""
    for kind, counted in _NEEDS.items():
        if outcome.counts.get(counted):
            _LOG.warning("%s", need_told(outcome.map, kind, outcome.counts[counted]))
