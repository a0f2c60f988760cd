"""What `check` says about the way the changes of an entity set are found.

Owns: whether the chosen way can work, and which others the service offers.
Never does: finding changes (`feeds.py`).
Tested in: tests/unit/endpoints/odata_v4/test_advice.py, tests/acceptance/test_finops_exports.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from connector.endpoints.odata_v4.faults import column_unknown
from connector.endpoints.odata_v4.feeds import Way
from connector.endpoints.odata_v4.tables import Table
from connector.endpoints.web.service import Naming
from connector.errors import Problem, Subject
from connector.mapping.values import ValueType

MARKS = (ValueType.INSTANT, ValueType.INTEGER)
_OF_A_CHANGE = re.compile("modif|chang|updat|timestamp|version", re.IGNORECASE)


def advice_on(naming: Naming, table: Table, way: Way, also: str = "") -> Iterator[Problem]:
    """A watermark that is none, and a note on what the entity offers; `also` is added to it."""
    subject = Subject(side=naming.side, entity=table.name)
    chosen = None if way.column is None else table.find(way.column)
    if way.by == "watermark" and (chosen is None or chosen.column.type not in MARKS):
        why = "the watermark has to be an instant or a whole number of `$metadata`"
        yield Problem.of(column_unknown(naming, table.name, [str(way.column)], why))
    marks = [
        field.name
        for field in table.fields.values()
        if field.column.type is ValueType.INSTANT and _OF_A_CHANGE.search(field.name)
    ]
    tags = "rows have ETags" if table.versioned else "rows have no ETags, whole rows are compared"
    offered = [f"snapshot ({tags})"]
    offered += [f"watermark ({' or '.join(marks)})"] if marks else []
    offered += [also] if also else []
    yield Problem(
        "changes-found",
        f"changes of {table.name} are found by {way.by}; there is: {', '.join(offered)}",
        f"choose with `by` in [{naming.section}.changes]",
        subject,
        "note",
    )
