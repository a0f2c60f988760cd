"""Rows of one key that were set aside together, when all but one of them are gone."""

from __future__ import annotations

import pytest

from connector.engine.news.twins import is_twin, rejoin, set_aside
from connector.store.record import Presence, Record, SideState
from tests.unit.engine.building import COMMERCE, both, compiled, record
from tests.unit.engine.building import image as image_of

MAP = compiled(both("A"))
XX = ({"A": "x"}, {"a": "x"})


def twins(other: Presence) -> tuple[Record, Record]:
    """A pair whose commerce row is gone, and a row that came there under its key."""
    pair = record(MAP, *XX, XX)
    pair.commerce.presence, pair.dataverse.presence = Presence.ABSENT, other
    came = Record(8, MAP.name, "k", ordinal=1)
    came.commerce = SideState(
        Presence.PRESENT, "commerce-2", image=image_of(MAP, COMMERCE, {"A": "new"})
    )
    set_aside([pair], came, COMMERCE)
    return pair, came


@pytest.mark.parametrize("other", [Presence.PRESENT, Presence.ABSENT])
def test_the_row_that_stays_is_the_old_card_only_while_its_other_half_is_there(
    other: Presence,
) -> None:
    pair, came = twins(other)
    assert rejoin([pair, came], 50.0)
    assert not is_twin(pair)
    assert pair.commerce.id == "commerce-2"
    assert came.commerce.presence is Presence.ABSENT
    assert (pair.commerce.agreed is None) is (other is Presence.ABSENT)
    assert (pair.dataverse.agreed is None) is (other is Presence.ABSENT)
    assert pair.due == 50.0
