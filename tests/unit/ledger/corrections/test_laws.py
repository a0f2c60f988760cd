"""What holds of corrections whatever becomes of their requests."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.ledger.journal.balances import balances
from connector.ledger.journal.statements import mismatches, transactions
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change, Insert, Operation, Remove
from tests.unit.ledger.conftest import START
from tests.unit.ledger.corrections.conftest import told
from tests.unit.ledger.journal.conftest import fill

IDS = [f"00000000-0000-7000-8000-{number:012d}" for number in range(3)]
wishes = st.fixed_dictionaries(
    {},
    optional={
        "CardNumber": st.sampled_from(["A", "B", "SHUT", "C-404", None]),
        "RewardPointId": st.sampled_from(["plain", "money", "miles", None]),
        "Amount": st.sampled_from([Decimal(n) for n in ("5", "-3", "0", "0.5", "-0.5", "40")]),
        "Reason": st.sampled_from(["late", "broken", None]),
    },
)
id_ = st.integers(0, len(IDS) - 1)
operation: st.SearchStrategy[Operation] = st.one_of(
    st.builds(lambda n, w: Insert(IDS[n], {"CorrectionId": f"r{n}", **w}), id_, wishes),
    st.builds(lambda n, w: Change(IDS[n], None, w), id_, wishes),
    st.builds(lambda n, m: Change(IDS[n], None, {"CorrectionId": f"r{m}"}), id_, id_),
    st.builds(lambda n: Remove(IDS[n], None), id_),
)
batches = st.lists(st.lists(operation, min_size=1, max_size=4), max_size=8)


@settings(max_examples=40)
@given(batches)
def test_each_request_is_posted_once_at_most_and_says_so(wanted: list[list[Operation]]) -> None:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/ledger.db"
        with Ledger.open(url, clock=lambda: START) as ledger:
            fill(ledger)
            store = ledger.store("corrections")
            answered: dict[str, dict[str, Any]] = {}
            for batch in wanted:
                store.apply(batch, by="sync")
                now = {one.id: told(one) for one in store.listed(10)}
                for id, before in answered.items():
                    if before["Status"] == "Posted":  # it stays, with its figures
                        assert id in now
                        kept = ("CorrectionId", "Status", "PostedPoints", "NewBalance", "Entry")
                        assert [now[id][name] for name in kept] == [before[name] for name in kept]
                answered = now
                assert all(one["Status"] and one["Outcome"] for one in now.values())
            posted = [one for one in answered.values() if one["Status"] == "Posted"]
            entries = [one for card in ("A", "B") for one in transactions(ledger, card)]
            assert sorted(str(one.number) for one in entries) == sorted(
                one["Entry"] for one in posted
            )
            assert sum(one.points for one in entries) == sum(one["PostedPoints"] for one in posted)
            held = [one for card in ("A", "B") for one in balances(ledger, card, START.date())]
            assert all(one.available >= 0 for one in held)
            assert list(mismatches(ledger)) == []
