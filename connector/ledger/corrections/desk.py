"""Carrying out corrections: a request that is written is judged and posted at once.

Owns: the transaction of a request and its posting, the answer in the record, what an edit or a
delete of a request means.
Never does: judging (`ruling.py`), the rules of points (`journal/rules.py`).
Tested in: tests/unit/ledger/corrections/, tests/integration/test_correction_races.py,
tests/acceptance/test_corrections.py.

A request is posted at most once, ever: its key is the key of the posting, and both commit
together. What was refused is tried again whenever the request is changed; what was posted stays,
whatever becomes of the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, cast

import sqlalchemy as sa

from connector.errors import RecordError, Subject
from connector.ledger.corrections import ruling
from connector.ledger.corrections.entity import CORRECTIONS, OUTCOME_LENGTH, Status
from connector.ledger.corrections.limits import Limits
from connector.ledger.corrections.ruling import Request, Used
from connector.ledger.fields import Value, fold
from connector.ledger.journal.amounts import points
from connector.ledger.journal.books import BLOCKED
from connector.ledger.journal.journal import post_within
from connector.ledger.journal.keys import CORRECTION
from connector.ledger.journal.posting import Adjust, Posting, Refused
from connector.ledger.journal.tables import entries, postings
from connector.ledger.operations import Change, Done, Operation, Record, Remove, Result
from connector.ledger.operations import Refused as RecordRefused
from connector.ledger.schema import CARDS, REWARD_POINTS
from connector.ledger.sql import rows_in

if TYPE_CHECKING:
    from connector.ledger.ledger import WriteTransaction

PERSON = "requested by"
"""Where the source of a posting names who asked."""

_OWN = CORRECTIONS.table.c
_CARD = CARDS.table.c
_KIND = REWARD_POINTS.table.c


class CorrectionDesk:
    """Carries out requests within these limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def apply(self, transaction: WriteTransaction, operations: Sequence[Operation]) -> list[Result]:
        """Carry out `operations` on requests; one result each, in order.

        The record of a request that is new or changed comes back with the answer in it. Raises
        RecordError `clock-set-back`; nothing of the transaction may be kept then.
        """
        operations = [_known_editor(one) for one in operations]
        posted = _posted(transaction.connection, operations)
        stays = [_touches(one, posted) for one in operations]
        done = iter(
            transaction.put(
                CORRECTIONS,
                [one for one, kept in zip(operations, stays, strict=True) if not kept],
            )
        )
        results = [RecordRefused(_kept()) if kept else next(done) for kept in stays]
        asking: dict[str, Record] = {}
        for operation, result in zip(operations, results, strict=True):
            if not isinstance(result, Done):
                continue
            if result.record is None:
                assert isinstance(operation, Remove)
                asking.pop(operation.id.lower(), None)
            elif result.effect != "unchanged":
                asking[result.record.id] = result.record
        answered = _Round(transaction, self._limits, asking.values()).answered()
        return [_with_answer(result, answered) for result in results]


class _Card(NamedTuple):
    """A card that a request names."""

    id: str
    tender: str
    replaced_by: str | None


class _Entered(NamedTuple):
    """What the journal holds of a request."""

    entry: int
    at: datetime
    card: str
    kind: str
    units: int
    reason: str


class _Round:
    """The requests of one transaction that want an answer."""

    def __init__(
        self, transaction: WriteTransaction, limits: Limits, records: Iterable[Record]
    ) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._today = transaction.at.astimezone(transaction.zone).date()
        self._limits = limits
        self._records = list(records)
        requests = [_request(one) for one in self._records]
        cards = {fold(one.card) for one in requests if one.card is not None}
        kinds = {fold(one.kind) for one in requests if one.kind is not None}
        columns = [_CARD.key, _CARD.id, _CARD.card_tender_type, _CARD.replacement_card_number]
        found = rows_in(self._connection, columns, _CARD.key, list(cards))
        self._cards = {row[0]: _Card(*row[1:]) for row in found}
        named = rows_in(self._connection, [_KIND.key, _KIND.id], _KIND.key, list(kinds))
        self._kinds: dict[str, str] = {row[0]: row[1] for row in named}
        self._entered = _entered(self._connection, [_posting_key(one) for one in self._records])
        self._by_person: dict[str | None, Decimal] = {}
        self._on_card: dict[str, Decimal] = {}
        for card, units, source in self._posted_today() if self._records else ():
            self._count(source.get(PERSON), card, points(abs(units)))

    def answered(self) -> dict[str, Record]:
        """The records with their answers, by id."""
        changes = [Change(one.id, None, self._answer(one)) for one in self._records]
        found: dict[str, Record] = {}
        for result in self._transaction.put(CORRECTIONS, changes) if changes else ():
            assert isinstance(result, Done), result
            assert result.record is not None
            found[result.record.id] = result.record
        return found

    def _answer(self, record: Record) -> Mapping[str, Value]:
        key, request = _posting_key(record), _request(record)
        refusal: str | None = None
        if key not in self._entered:
            refusal = self._objection(request) or self._post(key, request)
        if refusal is not None:
            nothing = dict.fromkeys(("PostedPoints", "NewBalance", "PostedAt", "Entry"))
            return {**nothing, "Status": Status.REFUSED.value, "Outcome": refusal[:OUTCOME_LENGTH]}
        return self._as_posted(record, request, self._entered[key])

    def _objection(self, request: Request) -> str | None:
        """Why the request is not handed to the journal."""
        refusal = ruling.incomplete(request, self._limits)
        if refusal is not None:
            return refusal
        assert request.card is not None
        assert request.kind is not None
        card = self._cards.get(fold(request.card))
        if card is None:
            return ruling.unknown_card()
        if card.tender == BLOCKED:
            return ruling.blocked_card(card.replaced_by)
        if fold(request.kind) not in self._kinds:
            return ruling.unknown_kind(request.kind)
        used = Used(
            self._by_person.get(_folded(request.person), Decimal(0)),
            self._on_card.get(card.id, Decimal(0)),
        )
        return ruling.not_allowed(request, self._limits, used)

    def _post(self, key: str, request: Request) -> str | None:
        """Post the request; why the journal does not take it."""
        assert request.card is not None
        assert request.kind is not None
        assert request.amount is not None
        who = f" by {request.person}" if request.person else ""
        line = Adjust(request.card, request.kind, request.amount, f"correction requested{who}")
        source = {"correction": key.removeprefix(CORRECTION), PERSON: request.person or ""}
        posting = Posting(key, (line,), comment=request.reason or "", source=source)
        (result,) = post_within(self._transaction, [posting], self._transaction.zone)
        card = self._cards[fold(request.card)].id
        if isinstance(result, Refused):
            available = self._available(card, self._kinds[fold(request.kind)])
            return ruling.refused_by_journal(result.error, available, request)
        self._entered.update(_entered(self._connection, [key]))
        self._count(request.person, card, abs(request.amount))
        return None

    def _as_posted(
        self, record: Record, request: Request, entered: _Entered
    ) -> Mapping[str, Value]:
        """What the record of a posted request holds, also if somebody changed it since."""
        values = dict(zip(CORRECTIONS.names, record.values, strict=True))
        balance = values["NewBalance"]
        if balance is None:
            balance = self._available(entered.card, entered.kind)
        assert isinstance(balance, Decimal)
        text = ruling.posted(points(entered.units), balance)
        if not self._same(request, entered):
            text = ruling.changed_since(text)
        return {
            "Status": Status.POSTED.value,
            "Outcome": text,
            "PostedPoints": points(entered.units),
            "NewBalance": balance,
            "PostedAt": entered.at,
            "Entry": str(entered.entry),
        }

    def _same(self, request: Request, entered: _Entered) -> bool:
        """Whether a request still asks for what was posted."""
        card = self._cards.get(fold(request.card or ""))
        return (
            card is not None
            and card.id == entered.card
            and self._kinds.get(fold(request.kind or "")) == entered.kind
            and request.amount == points(entered.units)
            and (request.reason or "") == entered.reason
        )

    # ------------------------------------------------------------------ the journal

    def _available(self, card: str, kind: str) -> Decimal:
        """What pays today."""
        e, today = entries.c, self._today
        lots = sa.select(sa.func.sum(e.remaining)).where(
            e.card == card,
            e.kind == kind,
            e.remaining > 0,
            e.starts <= today,
            sa.or_(e.expires.is_(None), e.expires >= today),
        )
        return points(int(self._connection.scalar(lots) or 0))

    def _posted_today(self) -> Sequence[tuple[str, int, Mapping[str, str]]]:
        """Card, units and source of the corrections of this day."""
        began = datetime.combine(self._today, time.min, self._transaction.zone)
        query = (
            sa.select(entries.c.card, entries.c.units, postings.c.source)
            .select_from(CORRECTIONS.table)
            .join(postings, postings.c.key == sa.literal(CORRECTION).concat(_OWN.key))
            .join(entries, entries.c.posting == postings.c.number)
            .where(_OWN.posted_at >= began)
        )
        rows = self._connection.execute(query).all()
        return cast("Sequence[tuple[str, int, Mapping[str, str]]]", rows)

    def _count(self, person: str | None, card: str, amount: Decimal) -> None:
        name = _folded(person)
        self._by_person[name] = self._by_person.get(name, Decimal(0)) + amount
        self._on_card[card] = self._on_card.get(card, Decimal(0)) + amount


# ---------------------------------------------------------------------------- small parts


def _request(record: Record) -> Request:
    values = dict(zip(CORRECTIONS.names, record.values, strict=True))
    card, kind, amount = values["CardNumber"], values["RewardPointId"], values["Amount"]
    reason, person = values["Reason"], values["EditedBy"] or values["RequestedBy"]
    assert isinstance(card, str | None)
    assert isinstance(kind, str | None)
    assert isinstance(amount, Decimal | None)
    assert isinstance(reason, str | None)
    assert isinstance(person, str | None)
    return Request(card, kind, amount, reason, person)


def _known_editor(operation: Operation) -> Operation:
    """Without an editor who is not known: that the answer was written says nothing of people."""
    if not isinstance(operation, Change):
        return operation
    editor = fold("EditedBy")
    kept = {name: one for name, one in operation.values.items() if fold(name) != editor or one}
    return replace(operation, values=kept)


def _posting_key(record: Record) -> str:
    return CORRECTION + fold(str(record.values[0]))


def _folded(person: str | None) -> str | None:
    return fold(person) if person else None


def _posted(connection: sa.Connection, operations: Sequence[Operation]) -> Mapping[str, str]:
    """Key by id of those requests among the operations that are posted."""
    ids = {one.id.lower() for one in operations if isinstance(one, Change | Remove)}
    rows = rows_in(
        connection, [_OWN.id, _OWN.key], _OWN.id, list(ids), _OWN.status == Status.POSTED.value
    )
    return {row[0]: row[1] for row in rows}


def _touches(operation: Operation, posted: Mapping[str, str]) -> bool:
    """Whether an operation would take away what says that a request was posted."""
    if not isinstance(operation, Change | Remove) or operation.id.lower() not in posted:
        return False
    if isinstance(operation, Remove):
        return True
    given = {fold(name): value for name, value in operation.values.items()}
    key = given.get(fold(CORRECTIONS.key.name), posted[operation.id.lower()])
    return not isinstance(key, str) or fold(key) != posted[operation.id.lower()]


def _kept() -> RecordError:
    return RecordError(
        "correction-posted",
        "this correction is posted: the record of it stays, and keeps its id",
        remedy="file a correction of the opposite amount to undo what it did",
        subject=Subject(entity=CORRECTIONS.name),
    )


def _with_answer(result: Result, answered: Mapping[str, Record]) -> Result:
    if not isinstance(result, Done) or result.record is None:
        return result
    return result._replace(record=answered.get(result.record.id, result.record))


def _entered(connection: sa.Connection, keys: Sequence[str]) -> dict[str, _Entered]:
    """What the journal holds of these postings, by key."""
    columns = [
        postings.c.key,
        entries.c.number,
        postings.c.at,
        entries.c.card,
        entries.c.kind,
        entries.c.units,
        postings.c.comment,
    ]
    joined = entries.c.posting == postings.c.number
    return {
        row[0]: _Entered(row[1], row[2].replace(tzinfo=UTC), *row[3:])
        for row in rows_in(connection, columns, postings.c.key, keys, joined)
    }
