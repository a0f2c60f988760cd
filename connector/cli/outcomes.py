"""How load and sync say what they did.

Owns: the summary of map outcomes for people and for scripts, and the exit code.
Never does: the work.
Tested in: tests/acceptance/test_commands.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from connector.cli import output

if TYPE_CHECKING:
    from connector.operations.outcomes import MapOutcome, Need

_SHOWN = (
    "read commerce",
    "read dataverse",
    "created commerce",
    "created dataverse",
    "updated commerce",
    "updated dataverse",
    "deleted commerce",
    "deleted dataverse",
    "lost",
    "conflicts",
    "waiting",
    "parked",
)


def finish(
    command: str,
    outcomes: Sequence[MapOutcome],
    needs: Sequence[Need],
    off: Sequence[str] = (),
    *,
    as_json: bool,
    known_ok: bool = False,
) -> None:
    """Print the summary and leave with the exit code of docs/operations.md.

    `off` are maps that were left out because they are off.
    """
    from connector.operations.outcomes import exit_code

    if as_json:
        output.emit({**as_dict(command, outcomes, needs), "off": list(off)})
    else:
        _show(command, outcomes, needs)
        if off:
            output.say(f"off: {', '.join(off)} (`enabled: false`, see `dualwrite maps list`)")
    code = exit_code(outcomes, needs, known_ok=known_ok)
    if code:
        raise typer.Exit(code)


def as_dict(command: str, outcomes: Sequence[MapOutcome], needs: Sequence[Need]) -> dict[str, Any]:
    """The documented JSON form (docs/json.md)."""
    total = {"load": "loaded", "sync": "synced"}[command]
    return {
        "finished": all(outcome.finished for outcome in outcomes),
        total: sum(outcome.writes for outcome in outcomes),
        "maps": [outcome.as_dict() for outcome in outcomes],
        "needs": [need.as_dict() for need in needs],
    }


def _show(command: str, outcomes: Sequence[MapOutcome], needs: Sequence[Need]) -> None:
    shown = [name for name in _SHOWN if any(o.counts.get(name) for o in outcomes)]
    rows = [
        [o.map, *(o.counts.get(name, 0) for name in shown), f"{o.seconds:.1f} s", _ending(o)]
        for o in outcomes
    ]
    columns = ["map", *(name.replace(" ", "\n") for name in shown), "time", ""]
    output.table(command, columns, rows)
    for outcome in outcomes:
        for side in ("commerce", "dataverse"):
            times, waited = (outcome.counts.get(f"{verb} {side}", 0) for verb in _THROTTLING)
            if times:
                output.say(
                    f"{outcome.map}: {side} asked to slow down {times} times; "
                    f"requests waited {waited} s for it"
                )
        for side, pace in outcome.pace.items():
            _say_pace(outcome.map, side, pace)
        if outcome.counts.get("epoch"):
            say_restored(outcome.map)
        if outcome.error is not None:
            output.show_error(outcome.error, as_json=False)
    show_needs([need.as_dict() for need in needs])


def _say_pace(map: str, side: str, pace: Mapping[str, float | str | None]) -> None:
    """How fast writes went beside what the side allowed, where that is known (stderr)."""
    rate, allowed = pace["rows_per_second"], pace["allowed_rows_per_second"]
    if rate and allowed:
        output.say(
            f"{map}: {rate:,.0f} rows/s to {side}; it allows {allowed:,.0f} rows/s "
            f"(limited by {pace['limited_by']})"
        )


def say_restored(map: str) -> None:
    """Tell that a side was found to have gone back in time (stderr)."""
    output.say(
        f"{map}: a side was found restored from a backup; what it holds now counts as its edits. "
        'See docs/operations.md, "A side restored from a backup"'
    )


_THROTTLING = ("throttled", "waited")
_NEEDS = {
    "parked": ("{} parked", "`dualwrite failures list --map {map}` lists them with their reasons"),
    "conflict": ("{} in conflict", "`dualwrite conflicts list --map {map}` shows them"),
    "stopped": ("stopped", "`dualwrite status --map {map}` says why"),
    "paused": ("paused", "`dualwrite status --map {map}` says by whom and why"),
}
"""What needs a person, and where they find it, by the kind of need."""


def show_needs(needs: Sequence[Mapping[str, Any]]) -> None:
    """What needs a person, and where to look (stderr); `needs` in their JSON form."""
    for need in needs:
        output.say(need_told(need["map"], need["kind"], need["count"]))


def need_told(map: str, kind: str, count: int) -> str:
    """What needs a person, and where to look, in one line."""
    what, where = _NEEDS[kind]
    return f"{map}: {what.format(count)}: {where.format(map=map)}"


def _ending(outcome: MapOutcome) -> str:
    if outcome.error is not None:
        return outcome.error.code
    return "done" if outcome.finished else "more to do"
