"""Differences of live tables as findings: what each means for a map, and what to do.

Owns: their severity, words and remedies.
Never does: finding differences (`drift.py`); stopping a map (`stock.py`).
Tested in: tests/unit/engine/test_drift.py, tests/acceptance/test_check.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from connector.engine.runs.drift import Difference, Drift
from connector.errors import Problem, Subject
from connector.mapping.document import MapDocument
from connector.mapping.values import Side

Read = Mapping[Side, Sequence[str]]
"""The columns of each side that the map read when it last ran."""

CODES = {
    Drift.ADDED: "column-added",
    Drift.REMOVED: "column-removed",
    Drift.MADE_ANEW: "column-recreated",
    Drift.RETYPED: "column-retyped",
    Drift.SHORTER: "length-shortened",
    Drift.LONGER: "length-extended",
    Drift.FEWER_CHOICES: "choices-removed",
    Drift.MORE_CHOICES: "choices-added",
    Drift.KEY_DROPPED: "key-dropped",
}

_SEVERITY = {
    Drift.MADE_ANEW: "error",
    Drift.RETYPED: "error",
    Drift.REMOVED: "error",
    Drift.SHORTER: "warning",
    Drift.FEWER_CHOICES: "warning",
    Drift.KEY_DROPPED: "warning",
}
"""Where the map uses the column; everything else is a note."""

_WHAT = {
    Drift.ADDED: "was added since the map last ran",
    Drift.REMOVED: "was removed since the map last ran",
    Drift.MADE_ANEW: "was deleted and made anew since the map last ran: it is empty in every row, "
    "which nobody meant as clearing",
    Drift.RETYPED: "was {then} when the map last ran and is {now} now: what its rows hold may be "
    "lost or changed",
    Drift.SHORTER: "was shortened from {then} to {now} since the map last ran: longer values would "
    "be set aside",
    Drift.LONGER: "was lengthened from {then} to {now} since the map last ran",
    Drift.FEWER_CHOICES: "lost the choices {then} since the map last ran: records that hold one "
    "would be set aside",
    Drift.MORE_CHOICES: "got the choices {now} since the map last ran",
    Drift.KEY_DROPPED: "lost their alternate key since the map last ran: two rows with one value "
    "are possible",
}

_REMEDY = {
    Drift.ADDED: "map it if its values are to travel; nothing needs to be done",
    Drift.REMOVED: "take the row out of the map; or make the column anew, then the map stops until "
    "you have looked",
    Drift.SHORTER: "lengthen it again, or cut longer texts with the step `truncate`",
    Drift.LONGER: "nothing; see that the other side takes as much",
    Drift.FEWER_CHOICES: "add them again, or take them out of `values`",
    Drift.MORE_CHOICES: "add them to `values` if records are to use them",
    Drift.KEY_DROPPED: "run `dualwrite provision`, or add the alternate key again",
}
_NOTHING = "nothing; this map does not use it"


def stops(difference: Difference, read: Read) -> bool:
    """Whether values of the map's records went with it, so that a person has to look first."""
    lost = difference.drift in (Drift.MADE_ANEW, Drift.RETYPED)
    return lost and _used(difference, read)


def stop_reason(found: Sequence[Difference], document: MapDocument) -> Problem:
    """Why the map stops, for its row in the store and for the person who decides."""
    first = found[0]
    more = f" (and {len(found) - 1} more columns)" if len(found) > 1 else ""
    problem = _problem(first, document)
    return replace(problem, message=problem.message + more)


def findings_of(
    found: Iterable[Difference], document: MapDocument, read: Read
) -> Iterator[Problem]:
    """A finding for each column the map uses; those it does not use are told together."""
    rest: dict[tuple[Side, Drift], list[Difference]] = {}
    for one in found:
        if _used(one, read):
            yield _problem(one, document)
        else:
            rest.setdefault((one.side, one.drift), []).append(one)
    for (side, drift), several in rest.items():
        yield _noted(drift, side, several, document)


def _used(difference: Difference, read: Read) -> bool:
    names = set(read.get(difference.side, ()))
    return names.issuperset(difference.columns)


def _problem(difference: Difference, document: MapDocument) -> Problem:
    drift, columns = difference.drift, ", ".join(f"`{name}`" for name in difference.columns)
    what, code = _WHAT[drift].format(then=difference.then, now=difference.now), CODES[drift]
    return Problem(
        code,
        f"{columns} of {difference.entity} {what}",
        _REMEDY.get(drift) or _resuming(document.map),
        _place(difference, document),
        _SEVERITY.get(drift, "note"),
        exit_code=3 if drift in (Drift.MADE_ANEW, Drift.RETYPED) else 2,
    )


def _resuming(map: str) -> str:
    return (
        "nothing was written; put its values back from a backup if there is one, or let "
        f"`dualwrite maps resume {map}` fill it from the other side (`dualwrite plan --map {map}` "
        "shows it before); to go on without the column, take its row out of the map first"
    )


def _place(difference: Difference, document: MapDocument) -> Subject:
    """The row of the map that names the column, else the map as a whole."""
    side, names = difference.side, {name.casefold() for name in difference.columns}
    for index, row in enumerate(document.fields):
        dataverse = [] if row.dataverse is None else [row.dataverse.partition(".")[0]]
        mapped = row.commerce_columns if side is Side.COMMERCE else dataverse
        if names & {name.casefold() for name in mapped}:
            return replace(document.field_subject(index, side.value), side=side.value)
    return replace(document.file.subject(side.value, map=document.map), side=side.value)


def _noted(
    drift: Drift, side: Side, several: Sequence[Difference], document: MapDocument
) -> Problem:
    columns = ", ".join(f"`{name}`" for one in several for name in one.columns)
    code = CODES[drift]
    return Problem(
        code,
        f"{drift} in {several[0].entity} since the map last ran, which does not use it: {columns}",
        _NOTHING if drift is not Drift.ADDED else _REMEDY[drift],
        replace(document.file.subject(side.value, map=document.map), side=side.value),
        "note",
    )
