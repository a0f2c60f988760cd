"""Requests to correct points: posted once, answered in words, kept when they are posted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.errors import RecordError
from connector.ledger.corrections.entity import CORRECTIONS
from connector.ledger.corrections.limits import Allowance, Limits
from connector.ledger.journal.statements import transactions
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change, Done, Insert, Refused, Remove, Taken, Upsert
from connector.ledger.schema import CARDS
from tests.unit.ledger.conftest import START, Clock
from tests.unit.ledger.corrections.conftest import Office, Opening, told

NOTHING = {"PostedPoints": None, "NewBalance": None, "PostedAt": None, "Entry": None}


def ids(number: int) -> str:
    return f"11111111-0000-7000-8000-{number:012x}"


# ---------------------------------------------------------------------------- posted


def test_a_request_is_posted_with_its_record(office: Office) -> None:
    office.earn("A", "plain", "20.0000")
    record = office.ask()
    assert {name: record[name] for name in ("Status", *NOTHING)} == {
        "Status": "Posted",
        "PostedPoints": Decimal(50),
        "NewBalance": Decimal(70),
        "PostedAt": START,
        "Entry": "2",
    }
    assert record["Outcome"] == "50 points added. The card then had 70 points of this kind at hand."
    entry = transactions(office.ledger, "A")[0]
    assert (entry.number, entry.points, entry.type) == (2, Decimal(50), "Adjust")
    assert entry.why == "correction requested by avery"
    assert office.available() == Decimal(70)


def test_points_are_taken_away(office: Office) -> None:
    office.earn("A", "money", "20.5")
    record = office.ask(RewardPointId="MONEY", Amount=Decimal("-0.5"))
    assert (record["Status"], record["PostedPoints"], record["NewBalance"]) == (
        "Posted",
        Decimal("-0.5"),
        Decimal(20),
    )
    assert record["Outcome"].startswith("0.5 points taken away.")


def test_a_reason_of_several_lines_is_kept(office: Office) -> None:
    record = office.ask(Reason="The till was down.\nCustomer paid cash.")
    assert record["Reason"] == "The till was down.\nCustomer paid cash."
    assert record["Status"] == "Posted"


def test_the_limits_are_those_of_who_changed_it_last(within: Opening) -> None:
    few = Allowance(per_request=Decimal(10))
    office = within(Limits(people={"lead": Allowance(), "avery": few}))
    refused = office.ask(RequestedBy="lead", EditedBy="lead", Amount=0)
    assert refused["Status"] == "Refused"
    assert office.change(Amount=50, EditedBy="avery")["Status"] == "Refused"
    answered = office.change(EditedBy=None)
    assert (answered["EditedBy"], answered["Status"]) == ("avery", "Refused"), "it is not forgotten"
    assert office.change(Amount=51, EditedBy=None)["Status"] == "Refused"
    posted = office.change(Amount=5)
    assert (posted["Status"], posted["RequestedBy"]) == ("Posted", "lead")
    assert transactions(office.ledger, "A")[0].why == "correction requested by avery"
    other = office.ask("r2", RequestedBy="avery", Amount=50)
    assert other["Status"] == "Refused", "who filed it counts where nobody changed it"
    assert office.change("r2", EditedBy="lead")["Status"] == "Posted"


def test_the_same_request_is_never_posted_again(office: Office) -> None:
    values: dict[str, object] = {
        "CorrectionId": "R1",
        "CardNumber": "A",
        "RewardPointId": "plain",
        "Amount": 50,
        "Reason": "x",
    }
    first = office.store.apply([Insert(ids(1), values)], by="sync")
    assert isinstance(first[0], Done)
    again = office.store.apply(
        [
            Insert(ids(1), values),
            Insert(ids(2), {**values, "CorrectionId": "r1 "}),
            Upsert(values),
            Change(ids(1), None, values),
        ],
        by="sync",
    )
    assert [type(one) for one in again] == [Taken, Taken, Done, Done]
    assert [one.effect for one in again if isinstance(one, Done)] == ["unchanged", "unchanged"]
    assert office.available() == Decimal(50)


def test_two_requests_in_one_batch_count_one_after_the_other(office: Office) -> None:
    office.earn("A", "plain", "60")
    common = {"CardNumber": "A", "RewardPointId": "plain", "Amount": -50, "Reason": "x"}
    operations = [Insert(ids(n), {"CorrectionId": f"r{n}", **common}) for n in (1, 2)]
    results = office.store.apply(operations, by="sync")
    values = [told(one.record) for one in results if isinstance(one, Done) and one.record]
    assert [one["Status"] for one in values] == ["Posted", "Refused"]
    assert values[1]["Outcome"].startswith("The card has 10 points of this kind at hand, 50 cannot")


def test_what_is_filed_and_withdrawn_in_one_batch_does_nothing(office: Office) -> None:
    values = {"CorrectionId": "r1", "CardNumber": "A", "RewardPointId": "plain", "Amount": 5}
    office.store.apply([Insert(ids(1), values), Remove(ids(1), None)], by="sync")
    assert office.store.find("r1") is None
    assert office.available() == Decimal(0)


def test_a_transaction_that_fails_posts_nothing(office: Office) -> None:
    values = {"CorrectionId": "r1", "CardNumber": "A", "RewardPointId": "plain", "Amount": 5}

    def fail() -> None:
        with office.ledger.writing("sync") as transaction:
            (result,) = transaction.apply(CORRECTIONS, [Insert(ids(1), {**values, "Reason": "x"})])
            assert isinstance(result, Done)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert office.store.find("r1") is None
    assert office.available() == Decimal(0)


# ---------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"CardNumber": None}, "No card is named."),
        ({"CardNumber": "C-404"}, "The shops' ledger does not know this card."),
        ({"CardNumber": "SHUT"}, "This card is blocked."),
        ({"RewardPointId": None}, "No kind of points is named."),
        ({"RewardPointId": "miles"}, "The shops' ledger has no points of the kind miles."),
        ({"Amount": None}, "The amount is 0 or missing."),
        ({"Amount": Decimal(0)}, "The amount is 0 or missing."),
        ({"Amount": Decimal("1.5")}, "Points of the kind plain are counted whole"),
        ({"Amount": Decimal(-1)}, "The card has no points of this kind"),
        ({"Reason": " "}, "There is no reason."),
    ],
)
def test_a_refusal_is_an_outcome(office: Office, values: dict[str, Any], words: str) -> None:
    record = office.ask(**values)
    assert record["Outcome"].startswith(words)
    assert {name: record[name] for name in NOTHING} == NOTHING
    assert record["Status"] == "Refused"
    assert office.available() == Decimal(0)


def test_a_replaced_card_names_the_one_to_choose(office: Office) -> None:
    office.ledger.store("cards").update(
        _card(office.ledger, "SHUT"), {"ReplacementCardNumber": "LONGNUMBER9"}, by="clerk"
    )
    assert office.ask(CardNumber="SHUT")["Outcome"].startswith("This card was replaced by …BER9.")


def test_limits_of_the_day_count_what_was_posted(within: Opening, clock: Clock) -> None:
    limits = Limits(Allowance(per_day=Decimal(100)), per_card_day=Decimal(120))
    office = within(limits)
    assert office.ask("r1", Amount=Decimal(60))["Status"] == "Posted"
    assert office.ask("r2", Amount=Decimal(-60))["Status"] == "Refused"  # 120 within the day
    assert office.ask("r3", Amount=Decimal(-40), RequestedBy="AVERY")["Status"] == "Posted"
    record = office.ask("r4", RequestedBy="robin", Amount=Decimal(30))
    assert record["Outcome"].startswith("120 points may be corrected on one card on one day; 100")
    assert office.ask("r5", RequestedBy="robin", CardNumber="B")["Status"] == "Posted"
    clock.now += timedelta(days=1)
    assert office.change("r4", Reason="the next day")["Status"] == "Posted"


def test_limits_of_the_day_count_within_a_batch_too(within: Opening) -> None:
    office = within(Limits(Allowance(per_day=Decimal(100))))
    common = {"RewardPointId": "plain", "Amount": 60, "Reason": "x", "RequestedBy": "avery"}
    operations = [
        Insert(ids(n), {"CorrectionId": f"r{n}", "CardNumber": card, **common})
        for n, card in enumerate("AB")
    ]
    office.store.apply(operations, by="sync")
    assert (office.available("A"), office.available("B")) == (Decimal(60), Decimal(0))


def test_nobody_else_may_ask(within: Opening) -> None:
    office = within(Limits(people={"robin": Allowance()}))
    assert office.ask("r1")["Outcome"].startswith("avery may not correct points.")
    assert office.ask("r2", RequestedBy="Robin")["Status"] == "Posted"


# ---------------------------------------------------------------------------- edited


def test_a_refused_request_is_tried_again_when_it_is_changed(office: Office) -> None:
    assert office.ask(CardNumber="C-404")["Status"] == "Refused"
    assert office.change(CardNumber="C-405")["Status"] == "Refused"
    record = office.change(CardNumber="A")
    assert (record["Status"], record["NewBalance"]) == ("Posted", Decimal(50))
    assert office.available() == Decimal(50)


@pytest.mark.parametrize(
    "values",
    [
        {"Amount": Decimal(500)},
        {"Amount": None},
        {"CardNumber": "B"},
        {"CardNumber": None},
        {"RewardPointId": "capped"},
        {"Reason": "another one"},
    ],
)
def test_a_posted_request_does_nothing_more(office: Office, values: dict[str, Any]) -> None:
    before = office.ask()
    office.earn("A", "plain", "5")
    after = office.change(**values)
    assert after["Outcome"].startswith(before["Outcome"])
    assert "that does nothing" in after["Outcome"]
    assert after["Outcome"].endswith("File a new request for any further correction.")
    kept = ("Status", *NOTHING)
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert {name: after[name] for name in values} == values
    assert office.available() == Decimal(55)
    back = office.change(**{name: before[name] for name in values})
    assert back["Outcome"] == before["Outcome"]


def test_a_posted_request_follows_its_card_to_another_number(office: Office) -> None:
    office.ask()
    office.ledger.store("cards").update(_card(office.ledger, "A"), {"CardNumber": "A2"}, by="clerk")
    assert "that does nothing" not in office.change(CardNumber="A2")["Outcome"]


# ---------------------------------------------------------------------------- deleted


def test_what_is_posted_stays_and_what_was_refused_goes(office: Office) -> None:
    office.ask("r1")
    office.ask("r2", CardNumber=None)
    posted, refused = (office.store.find(key) for key in ("r1", "r2"))
    assert posted is not None
    assert refused is not None
    results = office.store.apply(
        [
            Remove(posted.id.upper(), None),
            Change(posted.id, None, {"correctionid": "r9"}),
            Remove(refused.id, refused.version),
        ],
        by="sync",
    )
    assert [type(one) for one in results] == [Refused, Refused, Done]
    assert isinstance(results[0], Refused)
    assert results[0].error.code == "correction-posted"
    assert office.store.find("r1") is not None
    assert office.store.find("r2") is None
    assert office.available() == Decimal(50)


def test_answers_are_the_ledgers_own(office: Office) -> None:
    with pytest.raises(RecordError) as error:
        office.ask(Status="Posted")
    assert error.value.code == "field-read-only"
    assert office.store.find("r1") is None


def test_a_clock_that_was_set_back_stops_everything(office: Office, clock: Clock) -> None:
    office.earn("A", "plain", "5")
    clock.now -= timedelta(hours=1)
    with pytest.raises(RecordError) as error:
        office.ask()
    assert error.value.code == "clock-set-back"
    assert office.store.find("r1") is None


def test_the_feed_tells_a_request_once_with_its_answer(office: Office) -> None:
    since = office.store.head()
    record = office.ask()
    page = office.store.changes(since, office.store.head(), 10)
    assert [told(one) for one in page.records] == [record]


def _card(ledger: Ledger, number: str) -> str:
    found = ledger.store(CARDS.name).find(number)
    assert found is not None
    return found.id
