"""People at work on both sides while processes die: a clerk in the shop, an agent in CRM.

Owns: their edits, drawn from one chance, and what each of them left standing where.
Never does: syncing, killing, judging.

Every party number and replacement number is written once only, so that it can be found again:
in a card, or in the audit.
"""

from __future__ import annotations

import itertools
from datetime import date
from random import Random
from typing import Any

import sqlalchemy as sa

from connector.ledger.fields import fold
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change, Operation, Refused, Remove, Upsert
from connector.ledger.schema import REFERENCES
from connector.mapping.values import Side
from tests.chaos.site import Site

CARDS = "RetailLoyaltyCards"
TABLE = "msdyn_loyaltycards"
TENDERS = ("AsCardTender", "AsContactTender", "NoTender", "Blocked")
TENDER_NUMBERS = (806380000, 806380001, 806380002, 806380003)
PARTIES = 20_000
C, D = Side.COMMERCE, Side.DATAVERSE


class People:
    """Both of them; `standing` is what the last of them left in each cell."""

    def __init__(self, site: Site, random: Random, cards: int) -> None:
        self._site = site
        self._random = random
        self._numbers = itertools.count(1)
        self._new_cards = itertools.count(cards)
        self._ledger = Ledger.open(site.ledger_url)
        self.cards = [_number(n) for n in range(cards)]
        """Numbers of cards that are, or were, on a side."""
        self.standing: dict[tuple[Side, str, str], str] = {}
        """(side, card, field) -> value."""
        self.acts = 0

    def close(self) -> None:
        """Go home."""
        self._ledger.close()

    # ------------------------------------------------------------------ before it begins

    def open_shop(self) -> None:
        """Most cards are in the ledger, some in CRM, some in both, of different opinion."""
        engine = sa.create_engine(self._site.ledger_url)
        with engine.begin() as connection:
            numbers = [f"P{n:06}" for n in range(1, PARTIES)]
            rows = [{"number": number, "key": fold(number)} for number in numbers]
            connection.execute(sa.insert(REFERENCES["parties"]), rows)
        engine.dispose()
        ours = [number for n, number in enumerate(self.cards) if n % 10 != 9]
        self._apply([Upsert(self._card_of_clerk(number)) for number in ours])
        theirs = [number for n, number in enumerate(self.cards) if n % 10 >= 8]
        targets = [
            {"@odata.type": "Microsoft.Dynamics.CRM.msdyn_loyaltycard", **self._card_of_agent(one)}
            for one in theirs
        ]
        url = f"{TABLE}/Microsoft.Dynamics.CRM.CreateMultiple"
        answer = self._site.session("agent_").post(url, json={"Targets": targets})
        assert answer.status_code == 200, answer.text

    def _card_of_clerk(self, number: str) -> dict[str, object]:
        party = self._leave(C, number, "party", "P")
        return {"CardNumber": number, "CardTenderType": "AsCardTender", "PartyNumber": party}

    def _card_of_agent(self, number: str) -> dict[str, object]:
        party = self._leave(D, number, "party", "P")
        return {"msdyn_cardnumber": number, "msdyn_partynumber": party}

    # ------------------------------------------------------------------ one act

    def act(self) -> None:
        """One person does one thing; in CRM only while it can be reached."""
        self.acts += 1
        side = self._random.choice([C, D]) if self._site.sandbox_alive else C
        what = self._random.random()
        if what < 0.10:
            number = _number(next(self._new_cards))
            self.cards.append(number)
            self._create(side, number)
            if what < 0.03 and self._site.sandbox_alive:
                self._create(side.other, number)
        elif what < 0.16:
            self._delete(side, self._random.choice(self.cards))
        else:
            self._edit(side, self._random.choice(self.cards))

    def _create(self, side: Side, number: str) -> None:
        if side is C:
            self._apply([Upsert(self._card_of_clerk(number))])
        else:
            answer = self._agent().post(TABLE, json=self._card_of_agent(number))
            if answer.status_code == 412:  # a worker was faster
                self.standing.pop((D, number, "party"))
            else:
                assert answer.status_code == 204, answer.text

    def _edit(self, side: Side, number: str) -> None:
        field = self._random.choice(["party", "party", "replacement", "tender", "dates"])
        was = self.standing.get((side, number, field))
        if self._change(side, number, self._new_value(side, number, field)):
            return
        # The card was not there: what stood before still counts.
        self.standing.pop((side, number, field), None)
        if was is not None:
            self.standing[side, number, field] = was

    def _new_value(self, side: Side, number: str, field: str) -> dict[str, object]:
        """Column values for one field of the card."""
        if field == "party":
            name = ("PartyNumber", "msdyn_partynumber")[side is D]
            return {name: self._leave(side, number, field, "P")}
        if field == "replacement":
            name = ("ReplacementCardNumber", "msdyn_replacementcardnumber")[side is D]
            return {name: self._leave(side, number, field, "R")}
        if field == "tender":
            place = self._random.randrange(len(TENDERS))
            if side is C:
                return {"CardTenderType": TENDERS[place]}
            return {"msdyn_cardtendertype": TENDER_NUMBERS[place]}
        day = date(self._random.randrange(2010, 2026), self._random.randrange(1, 13), 1)
        if side is C:
            return dict.fromkeys(("LoyaltyEnrollmentDate", "LoyaltyEnrollmentDateLocal"), day)
        return dict.fromkeys(("msdyn_enrollmentdate", "msdyn_effectivedate"), day.isoformat())

    def _change(self, side: Side, number: str, values: dict[str, object]) -> bool:
        """Whether the card was there."""
        if side is C:
            record = self._ledger.store(CARDS).find(number)
            return record is not None and self._apply([Change(record.id, None, values)])
        answer = self._agent().patch(
            f"{TABLE}(msdyn_cardnumber='{number}')", json=values, headers={"If-Match": "*"}
        )
        assert answer.status_code in (204, 404), answer.text
        return bool(answer.status_code == 204)

    def _delete(self, side: Side, number: str) -> None:
        if side is C:
            record = self._ledger.store(CARDS).find(number)
            gone = record is not None and self._apply([Remove(record.id, None)])
        else:
            answer = self._agent().delete(f"{TABLE}(msdyn_cardnumber='{number}')")
            assert answer.status_code in (204, 404), answer.text
            gone = answer.status_code == 204
        if gone:
            for field in ("party", "replacement"):
                self.standing.pop((side, number, field), None)

    # ------------------------------------------------------------------ means

    def _leave(self, side: Side, number: str, field: str, letter: str) -> str:
        """A value nobody wrote before, which now stands in that cell."""
        token = f"{letter}{next(self._numbers):06}"
        self.standing[side, number, field] = token
        return token

    def _apply(self, operations: list[Operation]) -> bool:
        """Carry out what the clerk does; False where another one took the record away."""
        kind = self._ledger.store(CARDS).entity
        with self._ledger.writing("clerk") as transaction:
            results = transaction.apply(kind, operations)
        for result in results:
            if isinstance(result, Refused):
                raise result.error
        return all(type(result).__name__ == "Done" for result in results)

    def _agent(self) -> Any:
        return self._site.session("agent_")


def _number(index: int) -> str:
    return f"M{100_000 + index}"
