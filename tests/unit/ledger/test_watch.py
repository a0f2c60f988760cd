"""Noticing commits: of other processes and connections, once each, and of nothing else."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import UnreachableError
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.ledger import Ledger

CARD = {"CardNumber": "C-1", "CardTenderType": "AsCardTender"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def test_a_commit_is_told_once(url: str) -> None:
    with Ledger.open(url) as ledger:
        watch = ledger.watch()
        assert not watch.moved()
        ledger.store("cards").create(CARD, by="anna")
        assert watch.moved()
        assert not watch.moved()
        ledger.store("cards").delete(
            ledger.store("cards").read_by("CardNumber", ["C-1"])["c-1"][0].id, by="anna"
        )
        assert watch.moved()
        watch.close()


def test_what_changes_nothing_is_not_told(url: str) -> None:
    with Ledger.open(url) as ledger:
        card = ledger.store("cards").create(CARD, by="anna")
        watch = ledger.watch()
        ledger.store("cards").update(card.id, {"CardNumber": "C-1"}, by="anna")
        assert not watch.moved()
        with pytest.raises(ZeroDivisionError), ledger.writing("anna"):
            raise ZeroDivisionError
        assert not watch.moved()
        watch.close()


def test_another_process_is_noticed(url: str) -> None:
    script = (
        "import sys; from connector.ledger.ledger import Ledger\n"
        "with Ledger.open(sys.argv[1]) as ledger:\n"
        "    ledger.store('cards').create({'CardNumber': 'C-2'}, by='anna')\n"
    )
    with Ledger.open(url) as ledger:
        watch = ledger.watch()
        subprocess.run([sys.executable, "-c", script, url], check=True, timeout=60)
        assert watch.moved()
        watch.close()


def test_a_look_costs_next_to_nothing_and_holds_nobody_up(url: str) -> None:
    with Ledger.open(url) as ledger:
        watch = ledger.watch()
        before = time.process_time()
        for _ in range(1000):
            watch.moved()
        assert time.process_time() - before < 1.0, "a thousand looks, 25 s of live mode"
        # No transaction stays open between two looks: the log can be emptied.
        ledger.store("cards").create(CARD, by="anna")
        with ledger.reading() as connection:
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint").one()
        assert busy == 0
        watch.close()


def test_a_ledger_that_cannot_be_read_is_unreachable(url: str, tmp_path: Path) -> None:
    with Ledger.open(url) as ledger:
        watch = ledger.watch()
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as somebody:
            somebody.execute("DROP TABLE feed_counter")
        with pytest.raises(UnreachableError, match="cannot be opened"):
            watch.moved()
        watch.close()
        with pytest.raises(UnreachableError, match="cannot be opened"):
            watch.moved()


def test_an_entry_that_changes_no_balance_is_noticed(url: str) -> None:
    """A card at its cap earns nothing, which the list of its transactions tells."""
    with Ledger.open(url) as ledger:
        ledger.store("cards").create(CARD, by="anna")
        kind = {"RewardPointId": "p", "RewardPointType": "Quantity"}
        capped = {**kind, "MaximumLoyaltyRewardPoints": 1}
        ledger.store("reward-points").create(capped, by="anna")
        journal = Journal(ledger)
        journal.post(Posting("k", (Earn("C-1", "p", Decimal(1)),)), by="till")
        watch = ledger.watch()
        journal.post(Posting("l", (Earn("C-1", "p", Decimal(1)),)), by="till")
        assert watch.moved()
        watch.close()
