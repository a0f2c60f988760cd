"""The feed tells every change once, collapsed to what holds now."""

from __future__ import annotations

import pytest

from connector.errors import PositionExpiredError
from connector.ledger.entity_store import EntityStore
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Remove, Upsert

PAGE = 100


def told(store: EntityStore, ledger: Ledger, since: int, size: int = PAGE) -> tuple[list[str], int]:
    """Everything after `since`: `+KEY` for a record, `-ID` for a delete, and where it ends."""
    head, lines = ledger.head(), []
    while True:
        page = store.changes(since, head, size)
        lines += [f"+{record.values[0]}" for record in page.records]
        lines += [f"-{row_id[-1]}" for row_id in page.deleted]
        since = page.through
        if page.last:
            return lines, since


def test_a_fresh_ledger_has_an_empty_feed(ledger: Ledger, cards: EntityStore) -> None:
    assert told(cards, ledger, 0) == ([], 0)


def test_a_record_changed_often_is_told_once_as_it_is_now(
    ledger: Ledger, cards: EntityStore
) -> None:
    first = cards.create({"CardNumber": "1"}, by="ann")
    cards.create({"CardNumber": "2"}, by="ann")
    for symbol in ("Blocked", "NoTender"):
        cards.update(first.id, {"CardTenderType": symbol}, by="ann")
    assert told(cards, ledger, 0) == (["+2", "+1"], 4)
    assert told(cards, ledger, 0, size=1) == (["+2", "+1"], 4)
    assert told(cards, ledger, 3) == (["+1"], 4)
    assert told(cards, ledger, 4) == ([], 4)


def test_a_deleted_record_is_told_by_its_id(ledger: Ledger, cards: EntityStore) -> None:
    record = cards.create({"CardNumber": "1"}, by="ann")
    cards.delete(record.id, by="ann")
    assert told(cards, ledger, 0) == (["-2"], 2)


def test_a_record_that_came_back_under_its_id_is_no_delete(
    ledger: Ledger, cards: EntityStore
) -> None:
    record = cards.create({"CardNumber": "1"}, by="ann")
    cards.delete(record.id, by="ann")
    cards.create({"CardNumber": "1"}, id=record.id, by="ann")
    assert told(cards, ledger, 0) == (["+1"], 3)


def test_each_entity_has_its_own_view_of_the_one_feed(
    ledger: Ledger, cards: EntityStore, points: EntityStore
) -> None:
    cards.create({"CardNumber": "1"}, by="ann")
    points.create({"RewardPointId": "Silver", "RewardPointType": "Quantity"}, by="ann")
    assert told(cards, ledger, 0) == (["+1"], 2)
    assert told(points, ledger, 0) == (["+Silver"], 2)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pages_of_any_size_tell_the_same(ledger: Ledger, cards: EntityStore, size: int) -> None:
    records = [cards.create({"CardNumber": f"{number}"}, by="ann") for number in range(7)]
    cards.apply([Remove(record.id, None) for record in records[:3]], by="ann")
    cards.update(records[4].id, {"CardTenderType": "Blocked"}, by="ann")
    lines, end = told(cards, ledger, 0, size)
    assert sorted(lines) == ["+3", "+4", "+5", "+6", "-2", "-3", "-4"]
    assert end == 11


def test_a_change_during_reading_is_left_for_the_next_time(
    ledger: Ledger, cards: EntityStore
) -> None:
    record = cards.create({"CardNumber": "1"}, by="ann")
    head = ledger.head()
    cards.update(record.id, {"CardTenderType": "Blocked"}, by="ann")
    assert cards.changes(0, head, PAGE).records == []
    assert [one.values[0] for one in cards.changes(head, 2, PAGE).records] == ["1"]


def test_a_change_and_its_entry_are_one_transaction(ledger: Ledger, cards: EntityStore) -> None:
    def interrupted() -> None:
        with ledger.writing("ann") as transaction:
            transaction.apply(cards.entity, [Upsert({"CardNumber": "1"})])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (cards.count(), ledger.head()) == (0, 0)
    assert cards.create({"CardNumber": "1"}, by="ann").version == 1


def test_a_position_beyond_the_end_means_an_older_copy_was_restored(
    ledger: Ledger, cards: EntityStore
) -> None:
    with pytest.raises(PositionExpiredError) as caught:
        cards.changes(5, 5, PAGE)
    assert "restored" in str(caught.value)
