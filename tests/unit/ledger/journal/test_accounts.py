"""What is read of the accounts of a batch."""

from __future__ import annotations

from decimal import Decimal

from connector.ledger.journal.accounts import PAGE, Accounts
from connector.ledger.journal.books import Books
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Adjust, Posting, Redeem
from connector.ledger.ledger import Ledger


def test_paying_reads_no_more_lots_than_it_draws_from(ledger: Ledger, journal: Journal) -> None:
    lots = [Posting(f"{n}", (Adjust("A", "plain", Decimal(1)),)) for n in range(PAGE * 4)]
    journal.post_all(lots, by="t")
    for points, read in ((1, PAGE), (PAGE, PAGE), (PAGE + 1, PAGE * 3), (PAGE * 9, PAGE * 4)):
        books = Books(int)
        with ledger.reading() as connection:
            wanted = [Redeem("A", "plain", Decimal(points))]
            Accounts(connection, books).load(wanted, {ledger.today()})
        assert len(books.lots(books.card("A"), books.kind("plain"))) == read
