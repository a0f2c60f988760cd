"""What names a record on a command line, and finds it there."""

from __future__ import annotations

import pytest

from connector.mapping.compiling.compiled import NO_KEY
from connector.mapping.values import normal_key
from connector.operations.naming import plain, spelled
from connector.store.record import Record, SideState


def borne(key: str, commerce: str | None, dataverse: str | None = None) -> Record:
    """A record under `key`, with what its sides call it."""
    return Record(7, "card", key, 0, SideState(key=commerce), SideState(key=dataverse))


@pytest.mark.parametrize("key", ["C1", "a b", "Größe"])
def test_a_record_is_named_by_its_key(key: str) -> None:
    assert plain(borne(normal_key(key) or "", key)) == key


@pytest.mark.parametrize("key", ["-C1", NO_KEY, "C\ufffd1", "C\u200b1"])
def test_a_record_is_named_by_its_number_where_the_key_would_not_find_it(key: str) -> None:
    assert plain(borne(normal_key(key) or "", key)) == "7"


def test_the_parts_of_a_key_find_it() -> None:
    assert plain(borne("usrt\x1f10", "USRT / 10")) == "USRT / 10"


def test_a_changed_key_is_not_what_finds_the_record() -> None:
    renamed = borne("c1", "D2", "C1")
    assert (spelled(renamed), plain(renamed)) == ("C1", "C1")
    both = borne("c1", "D2", "D2")
    assert (spelled(both), plain(both)) == ("D2", "7")
