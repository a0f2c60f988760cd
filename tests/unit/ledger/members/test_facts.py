"""Members as rules see them: everything of many cards in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from connector.ledger.desk import Customer, Desk
from connector.ledger.ledger import Ledger
from connector.ledger.members.facts import facts
from connector.ledger.members.groups import GroupKind, Groups
from connector.ledger.members.households import Households
from connector.ledger.members.joining import Joining
from connector.ledger.members.member import Member
from connector.ledger.operations import Upsert
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from connector.ledger.sales.tables import sales
from connector.ledger.shown.entities import CARD_TIERS, joined
from tests.unit.ledger.conftest import START


@pytest.fixture
def ids(ledger: Ledger) -> dict[str, str]:
    desk = Desk(ledger)
    found = {
        number: desk.issue(number, Customer(party, create=True), by="test").id
        for number, party in (("A1", "Anna"), ("A2", "Anna"), ("B1", "Ben"))
    }
    with ledger.writing("test") as transaction:
        keep(transaction, ProgramDocument.model_validate({"program": "gold-club"}), "")
    return {**found, "N1": desk.issue("N1", by="test").id}


def sold(ledger: Ledger, card: str, times: int) -> None:
    rows = [
        {
            "id": number,
            "number": f"S{number}",
            "key": f"s{number}",
            "digest": "",
            "card": card,
            "at": START.replace(tzinfo=None),
            "currency": "EUR",
            "payments": {},
            "fields": {},
            "member": {},
            "versions": {},
        }
        for number in range(times)
    ]
    with ledger.writing("t") as transaction:
        transaction.connection.execute(sa.insert(sales), rows)


@contextmanager
def counted(connection: sa.Connection) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    sa.event.listen(connection, "before_cursor_execute", note)
    yield asked
    sa.event.remove(connection, "before_cursor_execute", note)


def test_groups_come_with_the_customer_and_programs_with_the_card(
    ledger: Ledger, ids: dict[str, str]
) -> None:
    Groups(ledger).add("Anna", "Staff", by="t")
    Groups(ledger).add("Anna", "Veteran", GroupKind.AFFILIATION, by="t")
    Joining(ledger).join("A2", "Gold-Club", by="t")
    Joining(ledger).join("N1", "Gold-Club", by="t")
    sold(ledger, ids["B1"], 3)
    held = [("B1", "gold-club", "silver"), ("B1", "other", None), ("A1", "other", "first")]
    with ledger.writing("t") as transaction:
        rows: list[dict[str, object]] = [
            {
                "CardTierId": joined(card, program),
                "CardNumber": card,
                "Program": program,
                "Tier": tier,
            }
            for card, program, tier in held
        ]
        transaction.put(CARD_TIERS, [Upsert(row) for row in rows])
    with ledger.reading() as connection:
        found = facts(connection, [*ids.values(), ids["A1"], "no such id"])
    groups = frozenset({"staff", "veteran"})
    programs = frozenset({"gold-club"})
    assert found == {
        ids["A1"]: Member(
            "A1", "Anna", groups, tiers={"other": "first"}, pool_sales=0, first=ids["A1"]
        ),
        ids["A2"]: Member("A2", "Anna", groups, programs, pool_sales=0, first=ids["A2"]),
        ids["B1"]: Member(
            "B1", "Ben", tiers={"gold-club": "silver"}, sales=3, pool_sales=3, first=ids["B1"]
        ),
        ids["N1"]: Member("N1", None, programs=programs, first=ids["N1"]),
    }


def test_a_card_goes_on_where_the_one_it_replaced_ended(
    ledger: Ledger, ids: dict[str, str]
) -> None:
    sold(ledger, ids["N1"], 3)
    second = Desk(ledger).replace("N1", "N2", by="t").card
    third = Desk(ledger).replace("N2", "N3", by="t").card
    with ledger.reading() as connection:
        found = facts(connection, [second.id, third.id, ids["B1"]])
    assert (found[second.id].sales, found[second.id].first) == (3, ids["N1"])
    assert (found[third.id].sales, found[third.id].first) == (3, ids["N1"])
    assert (found[ids["B1"]].sales, found[ids["B1"]].first) == (0, ids["B1"])


def test_the_sales_of_a_pool_are_those_of_customer_and_household(
    ledger: Ledger, ids: dict[str, str]
) -> None:
    def pools() -> list[int | None]:
        with ledger.reading() as connection:
            found = facts(connection, list(ids.values()))
        return [found[ids[card]].pool_sales for card in ("A1", "A2", "B1", "N1")]

    sold(ledger, ids["A1"], 2)
    assert pools() == [2, 2, 0, None]
    Households(ledger).set("Ben", "Elm Street 1", by="t")
    assert pools() == [2, 2, 0, None]
    Households(ledger).set("Anna", "Elm Street 1", by="t")
    assert pools() == [2, 2, 2, None]


def test_a_batch_costs_as_many_queries_as_one_card(ledger: Ledger, ids: dict[str, str]) -> None:
    asked: list[int] = []
    for wanted in (list(ids.values())[:1], list(ids.values())):
        with ledger.reading() as connection, counted(connection) as statements:
            facts(connection, wanted)
            asked.append(len(statements))
    assert asked[0] == asked[1]


def test_nothing_is_asked_for_nobody(ledger: Ledger) -> None:
    with ledger.reading() as connection, counted(connection) as statements:
        assert facts(connection, []) == {}
        assert statements == []
