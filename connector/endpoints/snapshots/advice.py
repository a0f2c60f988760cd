"""What `check` says about the way the changes of an entity set are found.

Owns: whether the chosen way can work, and which others the service offers.
Never does: finding changes; asking the service.
Tested in: tests/unit/endpoints/snapshots/test_advice.py, tests/acceptance/test_finops_exports.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from connector.endpoints.web.service import Naming
from connector.errors import Problem, Subject
from connector.mapping.columns import Column
from connector.mapping.values import ValueType

MARKS = (ValueType.INSTANT, ValueType.INTEGER)
_OF_A_CHANGE = re.compile("modif|chang|updat|timestamp|version", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a service has for one entity set; `tagged` where its rows bear ETags."""

    entity: str
    columns: Collection[Column]
    tagged: bool
    also: str = ""
    """A further way, in words."""


def advice_on(
    naming: Naming, offer: Offer, by: str, watermark: str | None = None
) -> Iterator[Problem]:
    """A watermark that is none, and a note on what there is; `by` is the way that was chosen."""
    subject = Subject(side=naming.side, entity=offer.entity)
    if by == "watermark" and not _is_mark(offer.columns, watermark):
        yield Problem(
            "column-unknown",
            f"{offer.entity} has no usable column {watermark}: a watermark is an instant or a "
            "whole number of `$metadata`",
            f"set `column` in [{naming.section}.changes] to one that rises with every write, or "
            'by = "snapshot"',
            Subject(side=naming.side, entity=offer.entity, field=watermark),
        )
    tags = "rows have ETags" if offer.tagged else "rows have no ETags, whole rows are compared"
    ways = [f"snapshot ({tags})"]
    marks = [
        column.name
        for column in offer.columns
        if column.type is ValueType.INSTANT and _OF_A_CHANGE.search(column.name)
    ]
    ways += [f"watermark ({' or '.join(marks)})"] if marks else []
    ways += [offer.also] if offer.also else []
    yield Problem(
        "changes-found",
        f"changes of {offer.entity} are found by {by}; there is: {', '.join(ways)}",
        f"choose with `by` in [{naming.section}.changes]",
        subject,
        "note",
    )


def _is_mark(columns: Collection[Column], name: str | None) -> bool:
    wanted = (name or "").casefold()
    return any(one.name.casefold() == wanted and one.type in MARKS for one in columns)
