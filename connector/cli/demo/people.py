"""The people of the demo: members whose cards are made up, a shop clerk and an agent.

Owns: the generated data, and the edits both people make.
Never does: syncing.
Tested in: tests/acceptance/test_demo.py.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Self

import requests

from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change, Operation, Refused, Remove, Upsert

CARDS = "RetailLoyaltyCards"
POINTS = "RetailLoyaltyRewardPoints"

POINT_KINDS: tuple[dict[str, object], ...] = (
    {
        "RewardPointId": "Bonus",
        "RewardPointType": "Quantity",
        "Redeemable": "Yes",
        "RedeemRanking": 1,
        "ExpirationTimeUnit": "Year",
        "ExpirationTimeValue": 2,
        "VestingTimeUnit": "Day",
        "VestingTimeValue": 14,
        "MaximumLoyaltyRewardPoints": 50_000,
    },
    {
        "RewardPointId": "Cashback",
        "RewardPointType": "Amount",
        "RewardPointCurrency": "EUR",
        "Redeemable": "Yes",
        "RedeemRanking": 2,
        "ExpirationTimeUnit": "Month",
        "ExpirationTimeValue": 18,
        "VestingTimeUnit": "Day",
        "VestingTimeValue": 0,
        "MaximumLoyaltyRewardPoints": 10_000,
    },
    {
        "RewardPointId": "Status",
        "RewardPointType": "Quantity",
        "Redeemable": "No",
        "RedeemRanking": 3,
        "ExpirationTimeUnit": "Year",
        "ExpirationTimeValue": 1,
        "VestingTimeUnit": "Day",
        "VestingTimeValue": 0,
        "MaximumLoyaltyRewardPoints": 0,
    },
)

TENDERS = ("AsCardTender", "AsCardTender", "AsCardTender", "AsContactTender", "NoTender")


def card_number(index: int) -> str:
    """The number of the index-th member's card."""
    return f"LC-{100_000 + index}"


class Clerk:
    """Works in the commerce ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def open_shop(self, cards: int) -> None:
        """Fill the ledger with so many cards and a few kinds of reward points."""
        self._apply(POINTS, [Upsert(kind) for kind in POINT_KINDS])
        batch: list[Operation] = []
        for one in members(cards):
            batch.append(Upsert(one))
            if len(batch) == 1000:
                self._apply(CARDS, batch)
                batch = []
        self._apply(CARDS, batch)

    def change(self, entity: str, key: str, **values: object) -> None:
        """Change a record as somebody in the shop would."""
        self._apply(entity, [Change(self._id(entity, key), None, values)])

    def delete(self, entity: str, key: str) -> None:
        """Delete a record."""
        self._apply(entity, [Remove(self._id(entity, key), None)])

    def _id(self, entity: str, key: str) -> str:
        record = self._ledger.store(entity).find(key)
        assert record is not None
        return record.id

    def _apply(self, entity: str, operations: list[Operation]) -> None:
        kind = self._ledger.store(entity).entity
        with self._ledger.writing("clerk") as transaction:
            for result in transaction.apply(kind, operations, create_references=True):
                if isinstance(result, Refused):
                    raise result.error


def members(cards: int) -> Iterator[dict[str, object]]:
    """The cards of so many members, the same every time."""
    chance = random.Random(7)  # noqa: S311
    for index in range(cards):
        enrolled = date(2015, 1, 1) + timedelta(days=chance.randrange(4000))
        yield {
            "CardNumber": card_number(index),
            "CardTenderType": chance.choice(TENDERS),
            "PartyNumber": None if chance.random() < 0.1 else f"P{500_000 + index}",
            "OmOperatingUnitNumber": f"0{chance.randrange(10, 60)}",
            "LoyaltyEnrollmentDate": enrolled,
            "LoyaltyEnrollmentDateLocal": enrolled,
        }


class Agent:
    """Works in CRM: plain HTTP against the Web API under a user of its own."""

    def __init__(self, sandbox: dict[str, Any]) -> None:
        self._root = f"{sandbox['dataverse']}/api/data/v9.2"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(sandbox["ca"])
        answer = self._session.post(
            f"{sandbox['authority']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": sandbox["agent_client_id"],
                "client_secret": sandbox["agent_client_secret"],
                "scope": f"{sandbox['dataverse']}/.default",
            },
            timeout=30,
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def change(self, entity: str, key_column: str, key: str, **values: object) -> None:
        """Change a record as an agent would in a form."""
        url = f"{self._root}/{entity}({key_column}='{key}')"
        headers = {"If-Match": "*"}
        self._session.patch(url, json=values, headers=headers, timeout=30).raise_for_status()

    def delete(self, entity: str, key_column: str, key: str) -> None:
        """Delete a record."""
        url = f"{self._root}/{entity}({key_column}='{key}')"
        self._session.delete(url, timeout=30).raise_for_status()
