"""Which of several saved versions of one map is meant, and names that no two maps share.

Owns: both choices, told of where something is left behind.
Never does: taking the highest number: a parked 9.9.9.9 is no newer than what runs.
Tested in: tests/unit/mapping/moving/test_choosing.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from connector.errors import Problem
from connector.mapping.moving.draft import slug
from connector.mapping.moving.known import known_entity
from connector.mapping.moving.template import Template


def newest(templates: Sequence[Template]) -> tuple[list[Template], list[Problem]]:
    """One template for each pair of tables, in the order of the files.

    Of several, the one that runs (a runtime configuration names its version), else the one that
    was saved last, else the higher version.
    """
    pairs: dict[tuple[str, str], list[Template]] = {}
    for template in templates:
        pairs.setdefault(_pair(template), []).append(template)
    taken: list[Template] = []
    problems: list[Problem] = []
    for several in pairs.values():
        saved = [one for one in several if not one.running] or several
        running = {one.version for one in several if one.running and one.version}
        best = max(saved, key=lambda one: (one.version in running, one.saved, _numbers(one)))
        taken.append(best)
        problems += [_left(one, best) for one in saved if one is not best]
    return taken, problems


def distinct(names: Sequence[str], templates: Sequence[Template]) -> list[str]:
    """The names, with the Dataverse table, or a number, behind those several maps would have."""
    wanted = Counter(names)
    taken = set(names)
    made: list[str] = []
    for name, template in zip(names, templates, strict=True):
        if wanted[name] > 1:
            base = name = f"{name}-{slug(template.dataverse)}"
            number = 2
            while name in taken:
                name, number = f"{base}-{number}", number + 1
            taken.add(name)
        made.append(name)
    return made


def _pair(template: Template) -> tuple[str, str]:
    known = known_entity(template.commerce)
    commerce = known.entity_set if known is not None else template.commerce
    return commerce.casefold(), template.dataverse.casefold()


def _numbers(template: Template) -> tuple[int, ...]:
    parts = (template.version or "").split(".")
    return tuple(int(part) for part in parts if part.isdecimal() and len(part) < 10)


def _left(template: Template, taken: Template) -> Problem:
    version, other = template.version or "?", taken.version or "?"
    return Problem(
        "import-version-left",
        f"`{template.commerce}`: version {version} is left out, {other} is taken "
        f"({taken.subject.file})",
        "to import this one, give it in a file of its own",
        template.subject,
        "warning",
        exit_code=0,
    )
