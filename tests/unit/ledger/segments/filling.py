"""A shop of plain data put into a ledger, straight into its tables."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import sqlalchemy as sa

from connector.ledger.journal.tables import entries, postings
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.members.groups import Groups
from connector.ledger.members.tables import card_programs
from connector.ledger.operations import Done, Upsert
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep as keep_program
from connector.ledger.sales.tables import sale_lines, sales
from connector.ledger.schema import CARDS
from connector.ledger.shown.entities import CARD_TIERS, joined
from tests.unit.ledger.segments.naive import Holder, Shop

KINDS = ("bonus", "status")


def fill(ledger: Ledger, shop: Shop) -> None:
    """Everything of the shop; the ledger is empty before."""
    with ledger.writing("t") as transaction:
        for name in sorted(shop.open_programs):
            document = ProgramDocument.model_validate({"program": name})
            keep_program(transaction, document, "")
    kinds = [{"RewardPointId": name, "RewardPointType": "Amount"} for name in KINDS]
    ledger.store("reward-points").apply(
        [Upsert({**one, "RewardPointCurrency": "EUR"}) for one in kinds], by="t"
    )
    ids = cards(ledger, shop)
    numbers = count(1)
    with ledger.writing("t") as transaction:
        for one in shop.holders:
            _tickets(transaction, ids[one.card], one, numbers)
            _lots(transaction, ids[one.card], one, numbers)
            _belongings(transaction, ids[one.card], one)
    for party, names in shop.groups.items():
        for name in sorted(names):
            Groups(ledger).add(party, name, by="t", create=True)


def cards(ledger: Ledger, shop: Shop) -> dict[str, str]:
    """Ids by card number."""
    rows = [
        {
            "CardNumber": one.card,
            "PartyNumber": one.party,
            "CardTenderType": "Blocked" if one.blocked else "AsCardTender",
            "LoyaltyEnrollmentDate": one.enrolled,
            "OmOperatingUnitNumber": one.unit,
        }
        for one in shop.holders
    ]
    results = ledger.store("cards").apply(
        [Upsert(row) for row in rows], by="t", create_references=True
    )
    assert all(isinstance(one, Done) for one in results), results
    with ledger.reading() as connection:
        query = sa.select(CARDS.table.c.card_number, CARDS.table.c.id)
        return {row.card_number: row.id for row in connection.execute(query)}


def _units(value: Decimal) -> int:
    return int(value * 10_000)


def _tickets(transaction: WriteTransaction, id: str, one: Holder, numbers: Iterator[int]) -> None:
    for ticket in one.tickets:
        number = next(numbers)
        row: dict[str, Any] = {
            "id": number,
            "number": f"S{number}",
            "key": f"s{number}",
            "digest": "",
            "card": id,
            "at": ticket.at.replace(tzinfo=None),
            "currency": ticket.currency,
            "channel": ticket.channel,
            "unit": ticket.unit,
            "payments": {},
            "fields": {},
            "member": {},
            "versions": {},
        }
        transaction.connection.execute(sa.insert(sales), [row])
        lines = [
            {
                "sale": number,
                "line": place,
                "product": line.product,
                "product_key": line.product.casefold(),
                "categories": list(line.categories),
                "category_keys": "\n".join(["", *(c.casefold() for c in line.categories), ""])
                if line.categories
                else "",
                "quantity": _units(line.quantity),
                "amount": _units(line.amount),
                "returned_quantity": _units(line.quantity) if line.back else 0,
                "returned_amount": _units(line.amount) if line.back else 0,
            }
            for place, line in enumerate(ticket.lines, 1)
        ]
        transaction.connection.execute(sa.insert(sale_lines), lines)


def _lots(transaction: WriteTransaction, id: str, one: Holder, numbers: Iterator[int]) -> None:
    kinds = sa.text("SELECT id FROM reward_points WHERE key = :key")
    at = transaction.at.replace(tzinfo=None)
    for lot in one.lots:
        number = next(numbers)
        posting = {
            "number": number,
            "key": f"p{number}",
            "digest": "",
            "at": at,
            "posted_at": at,
            "posted_by": "t",
            "comment": "",
            "source": {},
        }
        transaction.connection.execute(sa.insert(postings), [posting])
        entry = {
            "number": number,
            "posting": number,
            "type": "Earn",
            "card": id,
            "kind": transaction.connection.scalar(kinds, {"key": lot.kind}),
            "units": _units(lot.left),
            "asked": _units(lot.left),
            "remaining": _units(lot.left),
            "starts": lot.starts,
            "expires": lot.expires,
            "why": "",
        }
        transaction.connection.execute(sa.insert(entries), [entry])


def _belongings(transaction: WriteTransaction, id: str, one: Holder) -> None:
    at = transaction.at.replace(tzinfo=None)
    for program in sorted(one.joined):
        row = {"card": id, "program": program, "since": at, "by": "t"}
        transaction.connection.execute(sa.insert(card_programs), [row])
    for program, tier in one.tiers.items():
        values = {
            "CardTierId": joined(one.card, program),
            "CardNumber": one.card,
            "Program": program,
            "Tier": tier,
        }
        transaction.put(CARD_TIERS, [Upsert(values)])
