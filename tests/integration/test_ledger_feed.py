"""The feed under concurrency: separate connections, late commits, many writers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connector.errors import UnreachableError
from connector.ledger import sql
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change, Done, Upsert


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def reader(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as opened:
        yield opened


def numbers_after(ledger: Ledger, since: int) -> tuple[list[object], int]:
    page = ledger.store("cards").changes(since, ledger.head(), 10_000, ["CardNumber"])
    return [record.values[0] for record in page.records], page.through


def test_a_change_that_commits_late_is_never_passed_over(url: str, reader: Ledger) -> None:
    """Writer 1 numbers its change and lingers; writer 2 starts later and must not overtake."""
    order: list[str] = []
    with Ledger.open(url) as first, Ledger.open(url) as second:
        cards = first.store("cards").entity

        def overtake() -> None:
            second.store("cards").create({"CardNumber": "second"}, by="2")
            order.append("second committed")

        with first.writing("1") as transaction:
            (result,) = transaction.apply(cards, [Upsert({"CardNumber": "first"})])
            assert isinstance(result, Done)
            other = threading.Thread(target=overtake)
            other.start()
            other.join(timeout=0.3)
            assert other.is_alive(), "the second writer waits for the first one's commit"
            seen, position = numbers_after(reader, 0)
            assert (seen, position) == ([], 0), "nothing of either is visible"
            order.append("first commits")
        other.join(timeout=120)
    assert order == ["first commits", "second committed"]
    assert numbers_after(reader, position) == (["first", "second"], 2)


def test_a_rolled_back_writer_leaves_no_hole_a_reader_could_wait_for(
    url: str, reader: Ledger
) -> None:
    with Ledger.open(url) as writer:
        cards = writer.store("cards").entity

        def interrupted() -> None:
            with writer.writing("1") as transaction:
                transaction.apply(cards, [Upsert({"CardNumber": "lost"})])
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        writer.store("cards").create({"CardNumber": "kept"}, by="1")
    assert numbers_after(reader, 0) == (["kept"], 1)


def test_a_reader_beside_many_writers_sees_every_change_in_order(url: str, reader: Ledger) -> None:
    """The reader polls all the time and moves its position on; in the end nothing is missing."""
    writers, each = 4, 25
    done = threading.Event()

    def write(name: int) -> None:
        with Ledger.open(url) as ledger:
            for number in range(each):
                ledger.store("cards").create({"CardNumber": f"{name}-{number}"}, by=f"{name}")

    def read() -> list[object]:
        seen: list[object] = []
        position = 0
        while True:
            finished = done.is_set()
            found, position = numbers_after(reader, position)
            seen += found
            if finished:
                return seen

    with ThreadPoolExecutor(writers + 1) as pool:
        reading = pool.submit(read)
        for writing in [pool.submit(write, name) for name in range(writers)]:
            writing.result()
        done.set()
        seen = reading.result()
    assert len(seen) == len(set(seen)) == writers * each
    for name in range(writers):
        own = [one for one in seen if str(one).startswith(f"{name}-")]
        assert own == [f"{name}-{number}" for number in range(each)]


def test_two_writers_of_one_card_do_not_both_win(url: str) -> None:
    with Ledger.open(url) as ledger:
        card = ledger.store("cards").create({"CardNumber": "1"}, by="0")

        def update(symbol: str) -> bool:
            with Ledger.open(url) as own:
                change = Change(card.id, card.version, {"CardTenderType": symbol})
                (result,) = own.store("cards").apply([change], by=symbol)
                return isinstance(result, Done)

        with ThreadPoolExecutor(3) as pool:
            won = list(pool.map(update, ["Blocked", "NoTender", "AsContactTender"]))
    assert won.count(True) == 1


def test_a_writer_that_never_finishes_is_named_after_a_while(
    url: str, reader: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "LOCK_WAIT_MS", 50)
    with (
        Ledger.open(url) as second,
        reader.writing("1"),
        pytest.raises(UnreachableError) as caught,
    ):
        second.store("cards").create({"CardNumber": "2"}, by="2")
    assert caught.value.code == "ledger-busy"
