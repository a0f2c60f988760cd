"""What a service desk does with cards: issue, enrol, replace, block.

Owns: these acts, each one transaction over cards, points and the blocked customers.
Never does: the rules of a field (`batch.py`) or of points (`journal/rules.py`).
Tested in: tests/unit/ledger/test_desk.py.

Facts: commerce-loyalty, section 3: a card without a number and without a sequence is an error; a
replacement is a new card to which points move by entries on both; a customer may be blocked from
enrolment besides a card being blocked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.barring import BLOCKED, Barring
from connector.ledger.fields import fold
from connector.ledger.journal.posting import Entry
from connector.ledger.ledger import Ledger, WriteTransaction
from connector.ledger.operations import Change, Done, Insert, Operation, Record
from connector.ledger.operations import Refused as RecordRefused
from connector.ledger.replacing import hand_over, unfinished
from connector.ledger.schema import CARDS, REFERENCES, blocked_customers
from connector.ledger.sequences import has_sequence, next_number, set_sequence

SEQUENCE = "cards"
ACTIVE = "AsCardTender"
_OTHER = "correct ReplacementCardNumber: `dualwrite ledger set CARD ReplacementCardNumber=…`"
_CARD = CARDS.table.c
_PARTY = REFERENCES["parties"].c


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose a card is to be, and where it is issued; None leaves it open.

    With `create`, a party or operating unit the ledger does not know is added.
    """

    party: str | None = None
    unit: str | None = None
    create: bool = False


@dataclass(frozen=True, slots=True)
class Replaced:
    """The new card, and what moved to it."""

    card: Record
    entries: Sequence[Entry]


class Desk:
    """Cards of one open ledger. `zone` says which day a card is issued on; its own if None."""

    def __init__(self, ledger: Ledger, zone: tzinfo | None = None) -> None:
        self._ledger = ledger
        self._zone = zone or ledger.zone

    def sequence(self, form: str, following: int = 1, unit: str | None = None) -> None:
        """Number cards by this form from now on, beginning with `following`.

        With `unit`, only those that this operating unit issues. Raises UsageError `sequence-form`
        and RecordError `text-too-long`.
        """
        CARDS.field("OmOperatingUnitNumber").accept(unit)
        with self._ledger.writing("desk") as transaction:
            set_sequence(transaction.connection, _sequence(unit), form, following)

    def issue(
        self,
        number: str | None = None,
        customer: Customer = Customer(),
        *,
        tender: str = ACTIVE,
        by: str,
    ) -> Record:
        """A new card, of nobody if the customer is open; its number from the sequence if None.

        Raises RecordError (`card-taken`, `customer-blocked` and a field's own) and ConfigError.
        """
        with self._ledger.writing(by) as transaction:
            return self._issued(transaction, number, customer, tender)

    def enrol(self, number: str, customer: Customer, *, by: str) -> Record:
        """The card somebody brings becomes this customer's; one nobody knows is made.

        Raises RecordError (`card-of-another`, `card-blocked`, `customer-blocked`).
        """
        with self._ledger.writing(by) as transaction:
            return self._enrolled(transaction, number, customer)

    def recognise(self, transaction: WriteTransaction, number: str, customer: Customer) -> str:
        """The card with which a customer at the till buys, within the transaction of the sale.

        By swipe; where `number` is empty by who they are: the newest of their cards, or one from
        the sequence. Raises as `enrol` does.
        """
        held = self._held(transaction, customer) if not number.strip() else None
        if held is not None:
            return held
        if number.strip():
            card = self._enrolled(transaction, number, customer)
        else:
            card = self._issued(transaction, None, customer, ACTIVE)
        return str(card.values[0])

    def replace(self, number: str, new: str | None = None, *, by: str) -> Replaced:
        """A new card takes the place of one that is lost: same customer, all the points.

        The old one is blocked and names the new one. Where it names one already to which nothing
        was handed over, that is finished with this very card. Raises RecordError (`card-unknown`,
        `card-replaced`, `card-taken`, `customer-blocked`; of a card that was named before also
        `card-blocked`, `card-of-another`) and ConfigError.
        """
        with self._ledger.writing(by) as transaction:
            old = _known(transaction, number)
            card = self._successor(transaction, old, new)
            entered = hand_over(transaction, old, card, self._zone)
            named = {"ReplacementCardNumber": card.values[0], "CardTenderType": BLOCKED}
            _changed(transaction, old, named)
            return Replaced(card, entered)

    def block(self, number: str, *, by: str) -> Record:
        """The card neither earns nor pays any more; RecordError `card-unknown`."""
        with self._ledger.writing(by) as transaction:
            card = _known(transaction, number)
            return _changed(transaction, card, {"CardTenderType": BLOCKED})

    def block_customer(self, party: str, why: str, *, by: str) -> list[Record]:
        """No card is issued to this customer any more, and the ones there are, are blocked."""
        with self._ledger.writing(by) as transaction:
            connection = transaction.connection
            gone = sa.delete(blocked_customers).where(blocked_customers.c.party == fold(party))
            connection.execute(gone)
            at = transaction.feed.stored_at
            row = {"party": fold(party), "at": at, "by": by, "why": why}
            connection.execute(sa.insert(blocked_customers), [row])
            spelled = sa.select(_PARTY.number).where(_PARTY.key == fold(party))
            query = sa.select(_CARD.card_number).where(_CARD.party_number.in_(spelled))
            numbers = connection.scalars(query).all()
            cards = [_known(transaction, number) for number in numbers]
            return [_changed(transaction, card, {"CardTenderType": BLOCKED}) for card in cards]

    def allow_customer(self, party: str, *, by: str) -> bool:
        """Cards may be issued to this customer again; whether that was not so before."""
        with self._ledger.writing(by) as transaction:
            gone = sa.delete(blocked_customers).where(blocked_customers.c.party == fold(party))
            return transaction.connection.execute(gone).rowcount > 0

    # ------------------------------------------------------------------ parts

    def _successor(self, transaction: WriteTransaction, old: Record, number: str | None) -> Record:
        """The card that goes on for an old one: a new one, or one that was named before."""
        values = _values(old)
        tail, named = str(old.values[0]), values["ReplacementCardNumber"]
        if named is None:
            following = self._number(transaction, number)
        elif number is not None and fold(number) != fold(str(named)):
            raise _refused("card-replaced", tail, "names another replacement", _OTHER)
        else:
            following = str(named)
            there = _found(transaction, following)
            if there is not None:
                return self._taking_over(transaction, old, there)
        party = values["PartyNumber"]
        _not_blocked(transaction, Customer(None if party is None else str(party)))
        given = {name: value for name, value in values.items() if value is not None}
        given |= {"CardNumber": following, "ReplacementCardNumber": None}
        if given["CardTenderType"] == BLOCKED:
            given["CardTenderType"] = ACTIVE
        return _done(transaction, Insert(self._ledger.new_id(), given), following)

    def _taking_over(self, transaction: WriteTransaction, old: Record, new: Record) -> Record:
        """The card there is, as that of the same customer, if nothing was handed to it yet."""
        today = transaction.at.astimezone(self._zone).date()
        if not unfinished(transaction.connection, today, old.id):
            raise _refused(
                "card-replaced",
                str(old.values[0]),
                "was replaced already",
                "replace the newer card",
            )
        before, number = _values(new), str(new.values[0])
        owners = {
            fold(str(one["PartyNumber"]))
            for one in (before, _values(old))
            if one["PartyNumber"] is not None
        }
        if len(owners) > 1:
            raise _refused("card-of-another", number, "belongs to another customer", _OTHER)
        if before["CardTenderType"] == BLOCKED:
            raise _refused("card-blocked", number, "is blocked", _OTHER)
        taken = {
            name: value
            for name, value in _values(old).items()
            if before[name] is None and name != "ReplacementCardNumber"
        }
        return _changed(transaction, new, taken)

    def _enrolled(self, transaction: WriteTransaction, number: str, customer: Customer) -> Record:
        card = _found(transaction, number)
        if card is None:
            return self._issued(transaction, number, customer, ACTIVE)
        _not_blocked(transaction, customer)
        values = _values(card)
        if values["CardTenderType"] == BLOCKED:
            raise _refused("card-blocked", number, "is blocked", "use another card")
        party = values["PartyNumber"]
        if party is not None and customer.party is not None:
            if fold(str(party)) == fold(customer.party):
                return card
            raise _refused(
                "card-of-another",
                number,
                "belongs to another customer",
                "issue a new card; points move with `dualwrite ledger transfer`",
            )
        owner = self._owner(transaction, customer)
        return _changed(transaction, card, owner, create=customer.create)

    def _held(self, transaction: WriteTransaction, customer: Customer) -> str | None:
        """The newest card of a customer that is not blocked."""
        if customer.party is None:
            return None
        spelled = sa.select(_PARTY.number).where(_PARTY.key == fold(customer.party))
        query = (
            sa.select(_CARD.card_number)
            .where(_CARD.party_number.in_(spelled), _CARD.card_tender_type != BLOCKED)
            .order_by(_CARD.id.desc())
            .limit(1)
        )
        return transaction.connection.scalar(query)

    def _issued(
        self, transaction: WriteTransaction, number: str | None, customer: Customer, tender: str
    ) -> Record:
        owner = self._owner(transaction, customer)
        chosen = self._number(transaction, number, customer.unit)
        given = {"CardNumber": chosen, "CardTenderType": tender, **owner}
        insert = Insert(self._ledger.new_id(), given)
        return _done(transaction, insert, str(given["CardNumber"]), create=customer.create)

    def _owner(self, transaction: WriteTransaction, customer: Customer) -> dict[str, object]:
        """Party, unit and the day of enrolment, which counts from when there is a customer."""
        _not_blocked(transaction, customer)
        today = transaction.at.astimezone(self._zone)
        values: dict[str, object] = {}
        if customer.party is not None:
            values["PartyNumber"] = customer.party
            values["LoyaltyEnrollmentDate"] = transaction.at.astimezone(UTC).date()
            values["LoyaltyEnrollmentDateLocal"] = today.date()
        if customer.unit is not None:
            values["OmOperatingUnitNumber"] = customer.unit
        return values

    def _number(
        self, transaction: WriteTransaction, number: str | None, unit: str | None = None
    ) -> str:
        if number is not None:
            return number
        connection = transaction.connection
        own = unit is not None and has_sequence(connection, _sequence(unit))
        name = _sequence(unit if own else None)
        return next_number(connection, name, lambda one: _found(transaction, one) is not None)


def _sequence(unit: str | None) -> str:
    """The name of a unit's sequence, or of the one for all that have none."""
    return SEQUENCE if unit is None else f"{SEQUENCE}:{fold(unit)}"


# ---------------------------------------------------------------------------- one card


def _found(transaction: WriteTransaction, number: str) -> Record | None:
    columns = [_CARD.id, _CARD.version, _CARD.modified_at, _CARD.modified_by]
    columns += [CARDS.table.c[one.column] for one in CARDS.fields]
    query = sa.select(*columns).where(_CARD.key == fold(number))
    row = transaction.connection.execute(query).one_or_none()
    if row is None:
        return None
    return Record(row[0], row[1], row[2].replace(tzinfo=UTC), row[3], tuple(row[4:]))


def _known(transaction: WriteTransaction, number: str) -> Record:
    card = _found(transaction, number)
    if card is None:
        raise _refused("card-unknown", number, "is not in the ledger", "check its number")
    return card


def _values(card: Record) -> dict[str, object]:
    return dict(zip(CARDS.names, card.values, strict=True))


def _changed(
    transaction: WriteTransaction,
    card: Record,
    values: Mapping[str, object],
    *,
    create: bool = False,
) -> Record:
    change = Change(card.id, card.version, values)
    return _done(transaction, change, str(card.values[0]), create=create)


def _done(
    transaction: WriteTransaction, operation: Operation, number: str, *, create: bool = False
) -> Record:
    (result,) = transaction.apply(CARDS, [operation], create_references=create)
    if isinstance(result, RecordRefused):
        raise result.error
    if not isinstance(result, Done) or result.record is None:
        raise _refused("card-taken", number, "is in the ledger already", "use another number")
    return result.record


def _not_blocked(transaction: WriteTransaction, customer: Customer) -> None:
    if customer.party is not None:
        Barring(transaction.connection, [customer.party]).refuse(customer.party)


def _refused(code: str, number: str, what: str, remedy: str) -> RecordError:
    return RecordError(
        code, f"the card {what}", remedy=remedy, subject=Subject(record=f"…{number[-4:]}")
    )
