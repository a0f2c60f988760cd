"""What `check` says of the limits of corrections.

Owns: limits that name what is not there, limits nobody uses, and requests without limits.
Never does: judging a request; the ledger does. What contradicts itself is refused when the config
is read.
Tested in: tests/unit/operations/test_check_corrections.py, tests/acceptance/test_corrections.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.bootstrap import Project
from connector.config.corrections import AllowanceSettings, CorrectionSettings
from connector.errors import Problem, Subject
from connector.ledger.corrections.entity import CORRECTIONS
from connector.ledger.schema import REWARD_POINTS
from connector.mapping.document import MapDocument
from connector.mapping.values import Side

SECTION = "corrections"
_ENTITY = CORRECTIONS.name.casefold()


def check_corrections(project: Project, reachable: Sequence[MapDocument]) -> Iterator[Problem]:
    """What is wrong between `[corrections]` and the maps that carry requests."""
    settings = project.settings.corrections
    carrying = [one for one in reachable if one.commerce.entity.casefold() == _ENTITY]
    for document in carrying:
        yield from _unlimited(settings, document)
        yield from _kinds_unknown(project, settings, document)
    if not carrying and SECTION in project.settings.model_fields_set:
        yield Problem(
            "corrections-unused",
            "there are limits for requests to correct points, and no map that carries them",
            "switch the map `point-corrections` on, or take [corrections] out of the config",
            Subject(field=SECTION),
            "note",
        )


def _unlimited(settings: CorrectionSettings, document: MapDocument) -> Iterator[Problem]:
    limits = [settings.of(one) for one in settings.people] or [settings.everybody]
    if not any(_endless(one) for one in limits):
        return
    yield Problem(
        "corrections-unlimited",
        "requests to correct points may be as large as their author likes"
        + (" for one of the people named" if settings.people else ""),
        "set `corrections.per_request` and `corrections.per_day`",
        document.file.subject("commerce", map=document.map),
        "warning",
    )


def _endless(limits: AllowanceSettings) -> bool:
    return limits.per_request is None and limits.per_day is None


def _kinds_unknown(
    project: Project, settings: CorrectionSettings, document: MapDocument
) -> Iterator[Problem]:
    key = REWARD_POINTS.key.name
    named = sorted(settings.named_kinds())
    ledger = project.endpoints(document)[Side.COMMERCE]
    found = ledger.read(REWARD_POINTS.name, [key], by=key, values=named).rows
    for kind in named:
        if kind not in found:
            yield Problem(
                "corrections-kind-unknown",
                f"the limits of corrections name the kind of points `{kind}`, which is not there",
                "correct `corrections.kinds`, or make the kind",
                Subject(field=f"{SECTION}.kinds"),
                "warning",
            )
