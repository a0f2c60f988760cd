"""Writes of ours whose replies were lost are no edits of people, on whichever side they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.mapping.values import Side
from connector.store.work import ChangeKind
from tests.integration.engine.scripted import SOMEBODY, Killed, Moments

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench

C, D = Side.COMMERCE, Side.DATAVERSE
BOTH_WRITTEN = ("commerce has written", "dataverse is asked to write", "dataverse has written")


@pytest.fixture
def in_doubt(loaded: Bench) -> Bench:
    """Both sides of C1 were written to each other's edit, and nobody lived to see it."""
    loaded.edit(C, "C1", Level=2)
    loaded.edit(D, "C1", name="theirs")
    loaded.reopen(Moments(kill_on=BOTH_WRITTEN))
    with pytest.raises(Killed):
        loaded.sync()
    loaded.reopen()
    return loaded


def test_an_edit_made_since_meets_no_edit_of_ours(in_doubt: Bench) -> None:
    in_doubt.edit(C, "C1", Level=3)
    in_doubt.sync()
    assert in_doubt.card(D, "C1")["level"] == 3
    in_doubt.assert_settled()


def test_the_audit_tells_of_edits_of_people_only(in_doubt: Bench) -> None:
    in_doubt.sync()
    seen = [row for row in in_doubt.history("C1") if row.kind is ChangeKind.SEEN]
    assert [row.detail for row in seen] == [SOMEBODY, SOMEBODY]
    in_doubt.assert_settled()
