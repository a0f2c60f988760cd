"""What names a record on a command line."""

from __future__ import annotations

import pytest

from connector.mapping.compiled import NO_KEY
from connector.operations.naming import plain
from connector.store.record import Record, SideState


@pytest.mark.parametrize("key", ["C1", "a b", "Größe"])
def test_a_record_is_named_by_its_key(key: str) -> None:
    assert plain(Record(7, "card", "k", commerce=SideState(key=key))) == key


@pytest.mark.parametrize("key", ["-C1", NO_KEY, "C\ufffd1", "C\u200b1"])
def test_a_record_is_named_by_its_number_where_the_key_would_not_find_it(key: str) -> None:
    assert plain(Record(7, "card", "k", commerce=SideState(key=key))) == "7"
