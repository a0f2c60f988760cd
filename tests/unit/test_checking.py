"""What `check` finds that needs no side to be asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from connector.endpoints.base import Entity
from connector.mapping.document import parse_document
from connector.mapping.values import Side
from connector.operations.checking import _untimed

TEXT = """
map: cards
commerce: {entity: Cards}
dataverse: {entity: cards}
conflict: manual
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {commerce: Name, sync: "=", dataverse: name, conflict: latest}
"""


def entity(timed: bool) -> Entity:
    return cast("Entity", SimpleNamespace(capabilities=SimpleNamespace(modified_time=timed)))


@pytest.mark.parametrize(("commerce", "found"), [(True, []), (False, ["Name"])])
def test_the_latest_edit_decides_only_where_both_sides_tell_the_time(
    commerce: bool, found: list[str]
) -> None:
    document = parse_document(TEXT)
    entities = {Side.COMMERCE: entity(commerce), Side.DATAVERSE: entity(True)}
    problems = list(_untimed(document, entities))
    assert [problem.subject.field for problem in problems] == found
    assert all(problem.subject.line == 8 for problem in problems)
