"""Marks follow a segment: what changed is added and taken away, and nothing else is touched."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connector.errors import UsageError
from connector.ledger.ledger import Ledger
from connector.ledger.members.groups import Groups
from connector.ledger.operations import Upsert
from connector.ledger.segments import marking, store
from connector.ledger.segments.document import SegmentDocument
from connector.ledger.segments.marking import Marked
from connector.ledger.segments.tables import segment_moves
from tests.unit.ledger.conftest import START, Clock

TODAY = START.date()


def keep(ledger: Ledger, **more: object) -> None:
    content = {"segment": "staff", "title": "Staff", "who": {"groups": ["staff"]}, **more}
    with ledger.writing("t") as transaction:
        store.keep(transaction, SegmentDocument.model_validate(content), "")


@pytest.fixture(autouse=True)
def people(ledger: Ledger) -> None:
    fill(ledger)


def fill(ledger: Ledger) -> None:
    """Five customers with a card each, three of them staff, and the segment of these."""
    cards = [{"CardNumber": f"C{one}", "PartyNumber": f"P{one}"} for one in range(5)]
    ledger.store("cards").apply([Upsert(one) for one in cards], by="t", create_references=True)
    for one in range(3):
        Groups(ledger).add(f"P{one}", "Staff", by="t")
    keep(ledger)


def marks(ledger: Ledger) -> dict[str, tuple[object, object, int]]:
    """Title, day and version by card number."""
    found = ledger.store("card-segments").listed(100)
    assert all(one.values[2] == "staff" for one in found)
    return {str(one.values[1]): (one.values[3], one.values[4], one.version) for one in found}


def test_only_what_changed_is_written(ledger: Ledger, clock: Clock) -> None:
    assert marking.mark(ledger, "STAFF", by="ann") == Marked("staff", 3, 0, 0)
    before = marks(ledger)
    assert {card: mark[:2] for card, mark in before.items()} == {
        f"C{one}": ("Staff", TODAY) for one in range(3)
    }
    head = ledger.head()
    assert marking.mark(ledger, "staff", by="ann") == Marked("staff", 0, 0, 0)
    assert ledger.head() == head
    clock.forward(86_400)
    Groups(ledger).remove("P0", "staff", by="t")
    Groups(ledger).add("P3", "staff", by="t")
    assert marking.mark(ledger, "staff", by="ann") == Marked("staff", 1, 1, 0)
    after = marks(ledger)
    assert set(after) == {"C1", "C2", "C3"}
    assert after["C3"][1] == TODAY + timedelta(1)
    assert (after["C1"], after["C2"]) == (before["C1"], before["C2"])


def test_a_blocked_card_loses_its_mark(ledger: Ledger) -> None:
    marking.mark(ledger, "staff", by="ann")
    ledger.store("cards").apply([Upsert({"CardNumber": "C1", "CardTenderType": "Blocked"})], by="t")
    assert marking.mark(ledger, "staff", by="ann").removed == 1
    assert set(marks(ledger)) == {"C0", "C2"}


def test_a_new_title_is_shown_and_the_day_stays(ledger: Ledger, clock: Clock) -> None:
    marking.mark(ledger, "staff", by="ann")
    clock.forward(86_400)
    keep(ledger, title="Our people")
    assert marking.mark(ledger, "staff", by="ann") == Marked("staff", 0, 0, 3)
    assert {mark[:2] for mark in marks(ledger).values()} == {("Our people", TODAY)}


def test_many_are_done_in_chunks(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "CHUNK", 2)
    assert marking.mark(ledger, "staff", by="ann").added == 3
    assert len(marks(ledger)) == 3


def test_what_a_crash_left_undone_is_done_by_the_next_marking(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "CHUNK", 2)
    carry_out = marking._apply
    done: list[object] = []

    def power_cut(*work: object) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(work)
        carry_out(*work)  # type: ignore[arg-type]

    monkeypatch.setattr(marking, "_apply", power_cut)
    with pytest.raises(KeyboardInterrupt):
        marking.mark(ledger, "staff", by="ann")
    assert len(marks(ledger)) == 2
    monkeypatch.setattr(marking, "_apply", carry_out)
    Groups(ledger).remove("P2", "staff", by="t")
    Groups(ledger).remove("P0", "staff", by="t")
    marking.mark(ledger, "staff", by="ann")
    assert set(marks(ledger)) == {"C1"}
    with ledger.reading() as connection:
        assert connection.execute(segment_moves.select()).all() == []


def test_unmarking_takes_all_away_unless_they_would_come_back(ledger: Ledger) -> None:
    marking.mark(ledger, "staff", by="ann")
    assert marking.unmark(ledger, "staff", by="ann") == Marked("staff", 0, 3, 0)
    assert marks(ledger) == {}
    keep(ledger, kept="yes")
    with pytest.raises(UsageError) as caught:
        marking.unmark(ledger, "staff", by="ann")
    assert caught.value.code == "segment-kept"


def test_the_turn_of_the_day_keeps_those_that_want_to_be_kept(ledger: Ledger, clock: Clock) -> None:
    assert marking.refresh(ledger, by="turn") == []
    keep(ledger, kept="yes")
    assert marking.refresh(ledger, by="turn") == [Marked("staff", 3, 0, 0)]
    clock.forward(86_400)
    Groups(ledger).remove("P0", "staff", by="t")
    assert marking.refresh(ledger, by="turn") == [Marked("staff", 0, 1, 0)]
    with ledger.reading() as connection:
        kept = store.found(connection, "staff")
    assert kept.marked_at == clock.now


def test_the_same_on_postgresql(postgresql_url: str) -> None:
    with Ledger.open(postgresql_url) as ledger:
        fill(ledger)
        assert marking.mark(ledger, "staff", by="ann") == Marked("staff", 3, 0, 0)
        Groups(ledger).remove("P0", "staff", by="t")
        keep(ledger, title="Our people")
        assert marking.mark(ledger, "staff", by="ann") == Marked("staff", 0, 1, 2)
        assert {card: mark[0] for card, mark in marks(ledger).items()} == dict.fromkeys(
            ("C1", "C2"), "Our people"
        )
        assert marking.unmark(ledger, "staff", by="ann").removed == 2


def test_an_enrolment_ages(ledger: Ledger) -> None:
    content = {"segment": "new", "who": {"enrolled": {"within": "2 days"}}}
    with ledger.writing("t") as transaction:
        store.keep(transaction, SegmentDocument.model_validate(content), "")
    ledger.store("cards").apply(
        [Upsert({"CardNumber": "C1", "LoyaltyEnrollmentDate": date(2026, 1, 1)})], by="t"
    )
    assert marking.mark(ledger, "new", date(2026, 1, 2), by="t").added == 1
    assert marking.mark(ledger, "new", date(2026, 1, 3), by="t").removed == 1
