"""What holds after any payments whatever."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import RecordError
from connector.ledger.journal.balances import Balance, balances
from connector.ledger.journal.statements import mismatches
from connector.ledger.ledger import Ledger
from connector.ledger.payments.payment import Payment, Request, State
from connector.ledger.payments.payments import Payments
from tests.unit.ledger.payments.conftest import CARDS, CLUB, KINDS, Till, fill, loader

CARD = st.sampled_from(["100001", "POOL", "SAME"])
KIND = st.sampled_from(["bonus", "gift", "cash"])
MONEY = st.integers(1, 2000).map(lambda cents: Decimal(cents).scaleb(-2))
EARNINGS = st.lists(st.tuples(CARD, KIND, st.integers(1, 400)), min_size=1, max_size=6)
ACT = st.one_of(
    st.tuples(st.just("authorise"), CARD, MONEY, st.booleans()),
    st.tuples(st.sampled_from(["capture", "void", "refund"]), st.integers(1, 5), MONEY | st.none()),
)


def standing(ledger: Ledger) -> dict[str, list[Balance]]:
    return {card: balances(ledger, card, ledger.today()) for card in CARDS}


def carried_out(payments: Payments, number: int, act: tuple[object, ...]) -> None:
    match act:
        case ("authorise", str(card), Decimal() as amount, bool(partial)):
            request = Request(card, amount, "EUR", f"O{number}", partial=partial)
            payments.authorise(request, key=f"K{number}", by="law")
        case ("capture", int(which), amount):
            assert amount is None or isinstance(amount, Decimal)
            payments.capture(which, amount, by="law")
        case ("void", int(which), _):
            payments.void(which, by="law")
        case (_, int(which), Decimal() as amount):
            order = payments.show(which).order
            payments.refund(order, amount, key=f"K{number}", by="law")


@settings(max_examples=25)
@given(EARNINGS, st.lists(ACT, max_size=10))
def test_points_are_spent_once_and_all_of_them_are_accounted_for(
    earned: list[tuple[str, str, int]], acts: list[tuple[object, ...]]
) -> None:
    with TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/a.db") as ledger:
        fill(ledger)
        payments = Payments(ledger, load=loader(CLUB))
        till = Till(ledger, payments)
        for card, kind, points in earned:
            till.earn(card, kind, points)
        for number, act in enumerate(acts):
            try:
                carried_out(payments, number, act)
            except RecordError:
                continue
        assert list(mismatches(ledger)) == []
        found = [one for card in CARDS for one in payments.of_card(card)]
        for kind in KINDS:
            held = [one for card in CARDS for one in standing(ledger)[card] if one.kind == kind]
            spent = sum(p.points for one in found for p in one.parts if p.kind == kind)
            assert sum(one.redeemed for one in held) == spent
            assert sum(one.lifetime - one.available for one in held) == spent
            assert all(one.available >= 0 for one in held)
        for one in found:
            assert one.amount == sum(part.amount for part in one.parts)
            assert 0 <= one.amount <= one.asked
            if one.state is State.VOIDED:
                assert not any(part.points for part in one.parts)


@settings(max_examples=25)
@given(EARNINGS, CARD, MONEY, st.lists(MONEY, max_size=3))
def test_voiding_and_refunding_all_of_it_leave_what_was_there(
    earned: list[tuple[str, str, int]], card: str, amount: Decimal, parts: list[Decimal]
) -> None:
    with TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{Path(folder)}/a.db") as ledger:
        fill(ledger)
        payments = Payments(ledger, load=loader(CLUB))
        till = Till(ledger, payments)
        for holder, kind, points in earned:
            till.earn(holder, kind, points)
        before = standing(ledger)
        for order in ("voided", "returned"):
            request = Request(card, amount, "EUR", order, partial=True)
            paid = payments.authorise(request, key=order, by="law")
            if not isinstance(paid, Payment):
                assert standing(ledger) == before
                continue
            assert sum(one.available for held in standing(ledger).values() for one in held) < sum(
                one.available for held in before.values() for one in held
            )
            if order == "voided":
                payments.void(paid.number, by="law")
            else:
                left = payments.capture(paid.number, by="law").amount
                for number, part in enumerate([*parts, left]):
                    part = min(part, left)
                    if part:
                        payments.refund(order, part, key=f"R{number}", by="law")
                        left -= part
            assert standing(ledger) == before
