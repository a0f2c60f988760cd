"""What holds after any postings, on any day: what is shown is what the journal says."""

from __future__ import annotations

from datetime import timedelta
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Line, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.shown.days import turn_days
from tests.unit.ledger.conftest import Clock
from tests.unit.ledger.journal.conftest import fill
from tests.unit.ledger.journal.test_laws import line
from tests.unit.ledger.shown.asking import right, shown

posting = st.lists(line, min_size=1, max_size=3)
days = st.integers(0, 40)
steps = st.lists(st.tuples(st.lists(posting, min_size=1, max_size=4), days), max_size=6)


@settings(max_examples=40)
@given(steps, st.integers(1, 3))
def test_the_shown_balances_are_those_of_the_journal(
    wanted: list[tuple[list[list[Line]], int]], size: int
) -> None:
    clock, number = Clock(), 0
    with (
        TemporaryDirectory() as folder,
        Ledger.open(f"sqlite:///{folder}/a.db", clock=clock) as ledger,
    ):
        fill(ledger)
        journal = Journal(ledger)
        for some, gap in wanted:
            for start in range(0, len(some), size):
                batch = [
                    Posting(f"P{(number := number + 1)}", tuple(lines), clock.now - timedelta(gap))
                    for lines in some[start : start + size]
                ]
                journal.post_all(batch, by="law")
            assert shown(ledger) == right(ledger, ledger.today())
            clock.forward(gap * 86_400)
            turn_days(ledger)
            assert shown(ledger) == right(ledger, ledger.today())
