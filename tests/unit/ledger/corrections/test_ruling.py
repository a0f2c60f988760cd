"""Whether a correction may be posted, and the words for it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connector.errors import RecordError
from connector.ledger.corrections import ruling
from connector.ledger.corrections.limits import Allowance, Limits
from connector.ledger.corrections.ruling import Request, Used

REQUEST = Request("C-1", "Bonus", Decimal(50), "sorry for the wait", "avery@shop.example")


UNLIMITED, UNUSED = Limits(), Used()


def words(request: Request, limits: Limits = UNLIMITED, used: Used = UNUSED) -> str | None:
    return ruling.incomplete(request, limits) or ruling.not_allowed(request, limits, used)


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ({"card": None}, "No card is named"),
        ({"kind": None}, "No kind of points is named"),
        ({"amount": None}, "The amount is 0 or missing"),
        ({"amount": Decimal("0.0000")}, "The amount is 0 or missing"),
        ({"reason": None}, "There is no reason"),
    ],
)
def test_what_is_missing_is_asked_for(lacking: dict[str, None], told: str) -> None:
    text = words(REQUEST._replace(**lacking))
    assert text is not None
    assert text.startswith(told)


def test_nothing_is_in_the_way_of_a_whole_request() -> None:
    assert words(REQUEST) is None
    assert words(REQUEST._replace(reason=None), Limits(reason=False)) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_points_taken_away_count_as_those_added(sign: int) -> None:
    limits = Limits(Allowance(per_request=Decimal(50)))
    assert words(REQUEST._replace(amount=Decimal(50) * sign), limits) is None
    text = words(REQUEST._replace(amount=Decimal("50.0001") * sign), limits)
    assert text is not None
    assert text.startswith("50.0001 points are more than one request of yours may have: 50.")


def test_a_person_has_so_much_a_day() -> None:
    limits = Limits(Allowance(per_day=Decimal(100)))
    assert words(REQUEST, limits, Used(by_person=Decimal(50))) is None
    text = words(REQUEST, limits, Used(by_person=Decimal(51)))
    assert text is not None
    assert "51 are posted today, 49 are left" in text
    beyond = words(REQUEST, limits, Used(by_person=Decimal(120)))  # the limit was lowered since
    assert beyond is not None
    assert "0 are left" in beyond


def test_a_card_gets_so_much_a_day_whoever_asks() -> None:
    limits = Limits(per_card_day=Decimal(60))
    assert words(REQUEST, limits, Used(by_person=Decimal(900))) is None
    text = words(REQUEST, limits, Used(on_card=Decimal(20)))
    assert text is not None
    assert text.startswith("60 points may be corrected on one card on one day")


def test_only_certain_kinds() -> None:
    limits = Limits(Allowance(kinds=("bonus", "Status")))
    assert words(REQUEST, limits) is None
    text = words(REQUEST._replace(kind="Cashback"), limits)
    assert text is not None
    assert text.endswith("You may correct: bonus, Status.")


def test_only_certain_people_with_limits_of_their_own() -> None:
    people = {"AVERY@shop.example": Allowance(per_request=Decimal(10))}
    limits = Limits(Allowance(), people=people)
    own = words(REQUEST, limits)
    assert own is not None
    assert own.startswith("50 points are more than one request of yours may have: 10.")
    for person in ("robin@shop.example", None):
        text = words(REQUEST._replace(person=person), limits)
        assert text is not None
        assert "may not correct points" in text
    open_to_all = replace(limits, people={**people, "*": Allowance(per_request=Decimal(60))})
    assert words(REQUEST._replace(person="robin@shop.example"), open_to_all) is None
    assert words(REQUEST._replace(person=None), open_to_all) is None
    assert words(REQUEST, open_to_all) == own


def test_the_journals_refusals_are_told_without_its_commands() -> None:
    for code, amount, told in (
        ("points-short", Decimal(-50), "The card has 12.5 points of this kind at hand, 50 cannot"),
        ("points-fractional", Decimal("0.5"), "Points of the kind Bonus are counted whole"),
        ("points-invalid", Decimal("0.00001"), "0.00001 is no number of points"),
        ("posting-differs", Decimal(1), "The ledger refused: something. Show this to"),
    ):
        error = RecordError(code, "something", remedy="`dualwrite ledger balance CARD`")
        text = ruling.refused_by_journal(error, Decimal("12.5000"), REQUEST._replace(amount=amount))
        assert text.startswith(told)
        assert "dualwrite" not in text


def test_numbers_look_as_people_write_them() -> None:
    assert [ruling.shown(Decimal(n)) for n in ("1E+3", "2.5000", "100", "0.0001", "-3.0")] == [
        "1000",
        "2.5",
        "100",
        "0.0001",
        "-3",
    ]
