"""What holds after any postings whatever: the journal balances, and can be played again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger.journal import accounts
from connector.ledger.journal.balances import Balance, balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import (
    Adjust,
    Earn,
    GiveBack,
    Line,
    Posted,
    Posting,
    Redeem,
    Refused,
    TakeBack,
    Transfer,
)
from connector.ledger.journal.statements import mismatches, transactions
from connector.ledger.journal.tables import deductions
from connector.ledger.ledger import Ledger
from tests.unit.ledger.conftest import START
from tests.unit.ledger.journal.conftest import CARDS, fill

NAMES = ("A", "POOL", "SAME")
card = st.sampled_from(NAMES)
kind = st.sampled_from(["plain", "money", "later", "capped"])
amount = st.integers(1, 60).map(Decimal)
entry = st.integers(1, 12)
line: st.SearchStrategy[Line] = st.one_of(
    st.builds(Earn, card, kind, amount),
    st.builds(Redeem, card, kind, amount),
    st.builds(TakeBack, entry, amount),
    st.builds(GiveBack, entry, amount),
    st.builds(Adjust, card, kind, amount | amount.map(lambda one: -one)),
    st.builds(Transfer, card, card, kind, amount),
)
happenings = st.lists(
    st.tuples(st.lists(line, min_size=1, max_size=3), st.integers(0, 60)), max_size=14
)


def postings(wanted: list[tuple[list[Line], int]]) -> list[Posting]:
    return [
        Posting(f"P{number}", tuple(lines), START - timedelta(days=60 - day))
        for number, (lines, day) in enumerate(wanted)
    ]


def standing(ledger: Ledger) -> dict[str, list[Balance]]:
    return {name: balances(ledger, name, START.date()) for name in CARDS}


@settings(max_examples=25)
@given(happenings, st.integers(1, 14))
def test_the_journal_balances_and_can_be_played_again(
    wanted: list[tuple[list[Line], int]], size: int
) -> None:
    with TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/a.db") as ledger:
        fill(ledger)
        journal = Journal(ledger)
        accepted = []
        for one in postings(wanted):
            (result,) = journal.post_all([one], by="law")
            if not isinstance(result, Refused):
                accepted.append(one)
        assert list(mismatches(ledger)) == []
        for name in NAMES:
            held = {one.kind: one for one in balances(ledger, name, START.date())}
            for which, balance in held.items():
                moved = [e for e in transactions(ledger, name, limit=1000) if e.kind == which]
                total = sum((e.points for e in moved), Decimal(0))
                assert balance.available + balance.unvested + balance.expired == total
                assert balance.lifetime - balance.redeemed + balance.adjusted == total
                assert min(balance.available, balance.unvested, balance.expired) >= 0
        # Refused postings left no trace: the accepted ones alone lead to the same, in batches.
        with Ledger.open(f"sqlite:///{Path(folder) / 'b.db'}") as copy:
            fill(copy)
            for start in range(0, len(accepted), size):
                results = Journal(copy).post_all(accepted[start : start + size], by="law")
                assert not any(isinstance(one, Refused) for one in results)
            assert standing(copy) == standing(ledger)


held_kind = st.sampled_from(["plain", "money"])
few_points = st.integers(1, 9).map(Decimal)
bringing = st.tuples(
    st.lists(st.builds(Earn, st.just("A"), held_kind, few_points), min_size=3, max_size=3),
    st.integers(20, 40),
)
drawing: st.SearchStrategy[Line] = st.one_of(
    st.builds(Redeem, st.just("A"), held_kind, few_points),
    st.builds(Adjust, st.just("A"), held_kind, few_points.map(lambda one: -one)),
    st.builds(Transfer, st.just("A"), st.just("POOL"), held_kind, few_points),
    st.builds(TakeBack, entry, few_points),
    st.builds(GiveBack, st.integers(10, 20), few_points),
)
paying = st.tuples(st.lists(drawing, min_size=1, max_size=2), st.integers(40, 60))


@settings(max_examples=25)
@given(
    st.lists(bringing, min_size=3, max_size=3),
    st.lists(paying, min_size=3, max_size=9),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_reading_the_first_lots_only_draws_from_the_same_ones(
    brought: list[tuple[list[Line], int]],
    paid: list[tuple[list[Line], int]],
    size: int,
    page: int,
) -> None:
    wanted = brought + paid
    told = []
    for few in (0, 1_000):  # none, and all accounts, are looked into one by one
        with (
            TemporaryDirectory() as folder,
            Ledger.open(f"sqlite:///{folder}/a.db", clock=lambda: START) as ledger,
            patch.object(accounts, "FEW", few),
            patch.object(accounts, "PAGE", page),
        ):
            fill(ledger)
            every = postings(wanted)
            results = [
                answer
                for start in range(0, len(every), size)
                for answer in Journal(ledger).post_all(every[start : start + size], by="law")
            ]
            with ledger.reading() as connection:
                drawn = connection.execute(sa.select(deductions)).all()
            told.append(([_plain(one) for one in results], drawn, standing(ledger)))
    assert told[0] == told[1]


def _plain(result: Posted | Refused) -> object:
    return str(result.error) if isinstance(result, Refused) else result


@settings(max_examples=25)
@given(
    st.lists(st.tuples(amount, st.integers(0, 40)), min_size=1, max_size=5),
    amount,
    st.integers(0, 3),
)
def test_a_sale_and_its_return_leave_what_was_there(
    earned: list[tuple[Decimal, int]], sale: Decimal, parts: int
) -> None:
    with TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/a.db") as ledger:
        fill(ledger)
        journal = Journal(ledger)
        for number, (points, days) in enumerate(earned):
            at = datetime(2025, 12, 1, tzinfo=UTC) + timedelta(days)
            journal.post(Posting(f"E{number}", (Earn("A", "money", points),), at), by="law")
        before = standing(ledger)
        (entry,) = journal.post(Posting("S", (Earn("A", "money", sale),)), by="law").entries
        cut = min(Decimal(parts), sale)
        for number, back in enumerate(one for one in (cut, sale - cut) if one):
            journal.post(Posting(f"R{number}", (TakeBack(entry.number, back),)), by="law")
        assert standing(ledger) == before
