"""Cards issued, enrolled, replaced and blocked, with their points."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from connector.errors import DualWriteError
from connector.ledger.desk import Customer, Desk
from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, GiveBack, Line, Posting, Redeem, TakeBack
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Record
from connector.ledger.schema import CARDS
from tests.unit.ledger.conftest import START

TODAY = START.date()


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    desk = Desk(ledger)
    desk.sequence("L-####", 8)
    vesting: dict[str, object] = {"VestingTimeUnit": "Day", "VestingTimeValue": 9}
    for name, more in (("plain", {}), ("later", vesting)):
        kind = {"RewardPointId": name, "RewardPointType": "Quantity", "Redeemable": "Yes", **more}
        ledger.store("reward-points").create(kind, by="test")
    return desk


def of(record: Record) -> dict[str, object]:
    values = dict(zip(CARDS.names, record.values, strict=True))
    return {name: value for name, value in values.items() if value is not None}


def anna() -> Customer:
    return Customer("P1", create=True)


def code(error: pytest.ExceptionInfo[DualWriteError]) -> str:
    assert error.value.remedy
    return error.value.code


def held(ledger: Ledger, card: str) -> dict[str, tuple[int, int]]:
    """What is available and what is unvested, by kind."""
    found = balances(ledger, card, TODAY)
    return {one.kind: (int(one.available), int(one.unvested)) for one in found}


# ---------------------------------------------------------------------------- issuing


def test_a_unit_numbers_its_own_cards(desk: Desk) -> None:
    desk.sequence("S1-###", 5, unit="S1")
    of_unit = Customer("P1", "s1", create=True)
    numbers = [of(desk.issue(customer=of_unit, by="ann"))["CardNumber"] for _ in range(2)]
    assert numbers == ["S1-005", "S1-006"]
    elsewhere = Customer("P1", "S2", create=True)
    assert of(desk.issue(customer=elsewhere, by="ann"))["CardNumber"] == "L-0008"
    assert of(desk.issue(by="ann"))["CardNumber"] == "L-0009"
    with pytest.raises(DualWriteError) as error:
        desk.sequence("S-###", unit="nine long")
    assert code(error) == "text-too-long"


def test_numbers_come_from_the_sequence_and_pass_over_those_taken(desk: Desk) -> None:
    desk.issue("L-0009", by="ann")
    numbers = [of(desk.issue(by="ann"))["CardNumber"] for _ in range(2)]
    assert numbers == ["L-0008", "L-0010"]


def test_a_card_of_nobody_has_no_day_of_enrolment(desk: Desk) -> None:
    assert of(desk.issue(by="ann")) == {"CardNumber": "L-0008", "CardTenderType": "AsCardTender"}


def test_a_card_of_a_customer_is_enrolled_today(desk: Desk) -> None:
    card = of(desk.issue("77", Customer("P1", "052", create=True), by="ann"))
    assert card["LoyaltyEnrollmentDate"] == card["LoyaltyEnrollmentDateLocal"] == date(2026, 1, 2)
    assert (card["PartyNumber"], card["OmOperatingUnitNumber"]) == ("P1", "052")


def test_a_number_is_used_up_only_by_a_card(desk: Desk) -> None:
    with pytest.raises(DualWriteError) as caught:
        desk.issue(None, Customer("nobody knows"), by="ann")
    assert code(caught) == "reference-unknown"
    assert of(desk.issue(by="ann"))["CardNumber"] == "L-0008"


@pytest.mark.parametrize(
    ("form", "following"), [("L", 1), ("#-#", 1), ("##", 100), ("##", -1), ("", 0)]
)
def test_a_form_that_cannot_number_is_refused(desk: Desk, form: str, following: int) -> None:
    with pytest.raises(DualWriteError) as caught:
        desk.sequence(form, following)
    assert code(caught) == "sequence-form"


def test_a_sequence_ends_and_says_so(desk: Desk) -> None:
    desk.sequence("#", 9)
    desk.issue(by="ann")
    with pytest.raises(DualWriteError) as caught:
        desk.issue(by="ann")
    assert code(caught) == "sequence-used-up"


def test_without_number_and_sequence_there_is_no_card(ledger: Ledger) -> None:
    with pytest.raises(DualWriteError) as caught:
        Desk(ledger).issue(by="ann")
    assert code(caught) == "sequence-missing"


def test_a_number_is_issued_once(desk: Desk) -> None:
    desk.issue("A", by="ann")
    with pytest.raises(DualWriteError) as caught:
        desk.issue("a ", by="ann")
    assert code(caught) == "card-taken"


# ---------------------------------------------------------------------------- enrolling


def test_the_card_somebody_brings_becomes_theirs(desk: Desk) -> None:
    desk.issue("A", by="ann")
    assert of(desk.enrol("a", anna(), by="till"))["PartyNumber"] == "P1"
    assert of(desk.enrol("new", anna(), by="till"))["PartyNumber"] == "P1"


def test_enrolling_again_changes_nothing(desk: Desk) -> None:
    first = desk.enrol("A", anna(), by="till")
    assert desk.enrol("A", Customer("p1"), by="till").version == first.version


def test_the_card_of_another_stays_theirs(desk: Desk) -> None:
    desk.enrol("A", anna(), by="till")
    with pytest.raises(DualWriteError) as caught:
        desk.enrol("A", Customer("P2", create=True), by="till")
    assert code(caught) == "card-of-another"


# ---------------------------------------------------------------------------- blocking


def test_a_blocked_customer_gets_no_card_and_has_none(desk: Desk) -> None:
    desk.enrol("A", anna(), by="till")
    desk.enrol("B", anna(), by="till")
    blocked = desk.block_customer("p1", "fraud", by="boss")
    assert {str(of(one)["CardTenderType"]) for one in blocked} == {"Blocked"}
    attempts: tuple[Callable[[], Record], ...] = (
        lambda: desk.issue(None, anna(), by="x"),
        lambda: desk.enrol("C", anna(), by="x"),
        lambda: desk.replace("A", by="x").card,
    )
    for attempt in attempts:
        with pytest.raises(DualWriteError) as caught:
            attempt()
        assert code(caught) == "customer-blocked"
        assert "fraud" in caught.value.message
    assert desk.allow_customer("P1", by="boss") is True
    assert desk.allow_customer("P1", by="boss") is False
    assert of(desk.enrol("C", anna(), by="till"))["PartyNumber"] == "P1"


def test_a_blocked_card_is_not_enrolled(desk: Desk) -> None:
    desk.issue("A", by="ann")
    desk.block("A", by="ann")
    with pytest.raises(DualWriteError) as caught:
        desk.enrol("A", anna(), by="till")
    assert code(caught) == "card-blocked"


# ---------------------------------------------------------------------------- replacing


class Till:
    def __init__(self, ledger: Ledger) -> None:
        self._journal, self._number = Journal(ledger), 0

    def post(self, line: Line) -> int:
        self._number += 1
        posted = self._journal.post(Posting(f"T{self._number}", (line,)), by="till")
        return posted.entries[0].number


def test_a_lost_card_hands_everything_to_the_new_one(desk: Desk, ledger: Ledger) -> None:
    desk.enrol("A", anna(), by="till")
    till = Till(ledger)
    till.post(Earn("A", "plain", Decimal(30)))
    till.post(Earn("A", "later", Decimal(5)))
    replaced = desk.replace("a", by="ann")
    assert of(replaced.card)["CardNumber"] == "L-0008"
    assert of(replaced.card)["PartyNumber"] == "P1"
    assert held(ledger, "L-0008") == {"plain": (30, 0), "later": (0, 5)}
    assert held(ledger, "A") == {"plain": (0, 0), "later": (0, 0)}
    old = ledger.store("cards").find("A")
    assert old is not None
    assert of(old)["ReplacementCardNumber"] == "L-0008"
    assert of(old)["CardTenderType"] == "Blocked"
    with pytest.raises(DualWriteError) as caught:
        desk.replace("A", by="ann")
    assert code(caught) == "card-replaced"


def test_what_comes_back_of_the_old_card_is_settled_with_the_newest(
    desk: Desk, ledger: Ledger
) -> None:
    desk.issue("A", by="ann")
    till = Till(ledger)
    till.post(Earn("A", "plain", Decimal(100)))
    sale = till.post(Earn("A", "plain", Decimal(30)))
    paid = till.post(Redeem("A", "plain", Decimal(10)))
    desk.replace("A", "B", by="ann")
    desk.replace("B", "C", by="ann")
    till.post(TakeBack(sale, Decimal(30)))
    assert held(ledger, "C") == {"plain": (90, 0)}
    till.post(GiveBack(paid, Decimal(10)))
    assert held(ledger, "C") == {"plain": (100, 0)}
    assert held(ledger, "A") == held(ledger, "B") == {"plain": (0, 0)}


def test_a_card_that_was_found_again_may_get_lost_again(desk: Desk, ledger: Ledger) -> None:
    desk.issue("A", by="ann")
    Till(ledger).post(Earn("A", "plain", Decimal(30)))
    desk.replace("A", "B", by="ann")
    cards = ledger.store("cards")
    found = cards.find("A")
    assert found is not None
    again = {"ReplacementCardNumber": None, "CardTenderType": "AsCardTender"}
    cards.update(found.id, again, by="ann")
    second = desk.replace("A", "C", by="ann")
    assert of(second.card)["CardNumber"] == "C"
    assert held(ledger, "B") == {"plain": (30, 0)}


def test_a_replacement_that_cannot_be_leaves_everything(desk: Desk, ledger: Ledger) -> None:
    desk.issue("A", by="ann")
    desk.issue("B", by="ann")
    before = ledger.head()
    with pytest.raises(DualWriteError) as caught:
        desk.replace("A", "b", by="ann")
    assert code(caught) == "card-taken"
    with pytest.raises(DualWriteError) as caught:
        desk.replace("nobody", by="ann")
    assert code(caught) == "card-unknown"
    assert ledger.head() == before
    assert of(desk.issue(by="ann"))["CardNumber"] == "L-0008"
