"""What each line of a posting does to the books, and when it is refused.

Owns: earning up to a cap, paying, returning both ways, adjusting, transferring.
Never does: SQL, clocks, working out how many points a sale earns.
Tested in: tests/unit/ledger/journal/test_journal.py, test_laws.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeAlias

from connector.errors import RecordError, Subject
from connector.ledger.journal.amounts import UNIT, points, units
from connector.ledger.journal.books import BLOCKED, EARN_ONLY, Books, Card, Draft, Kind, Origin
from connector.ledger.journal.lots import Draw, by_age, draw, retrievable, spendable
from connector.ledger.journal.periods import after
from connector.ledger.journal.posting import (
    Adjust,
    Earn,
    EntryType,
    GiveBack,
    HandOver,
    Line,
    Redeem,
    TakeBack,
    Transfer,
)

Counted: TypeAlias = Earn | Redeem | TakeBack | GiveBack | Adjust | Transfer
Way: TypeAlias = tuple[Card, Card, Kind]
"""From, to, and of what."""


def enter(books: Books, lines: Iterable[Line], on: date) -> list[Draft]:
    """The entries of one posting; the books stand as after it.

    `on` is the day it happened. Raises RecordError, and the books stand as before.
    """
    with books.together():
        return [entry for line in lines for entry in _entered(books, line, on)]


def _entered(books: Books, line: Line, on: date) -> Sequence[Draft]:
    match line:
        case Earn():
            return [_earn(books, line, on)]
        case Redeem():
            return _redeem(books, line, on)
        case TakeBack():
            return [_take_back(books, line, on)]
        case GiveBack():
            return _give_back(books, line, on)
        case Adjust():
            return [_adjust(books, line, on)]
        case Transfer():
            return _transfer(books, line, on)
        case HandOver():
            return _hand_over(books, line, on)


def _earn(books: Books, line: Earn, on: date) -> Draft:
    card, kind = books.card(line.card), books.kind(line.kind)
    asked = granted = _positive(line, kind)
    _not_blocked(card)
    why = line.why
    if kind.cap is not None:
        held = sum(lot.remaining for lot in books.lots(card, kind) if not lot.expired(on))
        granted = max(0, min(asked, kind.cap - held))
        if granted < asked:
            why = _also(why, f"a card holds {points(kind.cap)} at most")
    entry = Draft(books.number(), EntryType.EARN, card, kind, granted, asked, why, rule=line.rule)
    expires = _last(on, kind)
    if line.months is not None:
        expires = after(on, "Month", line.months) if line.months else None
    return books.brought(entry, after(on, *kind.vests), expires)


def _redeem(books: Books, line: Redeem, on: date) -> list[Draft]:
    card, kind = books.card(line.card), books.kind(line.kind)
    asked = _positive(line, kind)
    may_pay(card)
    pays(kind)
    purse = books.purse(card, kind)
    draws = draw(spendable((lot for _, lot in purse), on), asked)
    _enough(card, kind, asked, draws)
    owners = {lot.entry: owner for owner, lot in purse}
    entries: list[Draft] = []
    for owner in dict.fromkeys(owners[lot.entry] for lot, _ in draws):
        part = [one for one in draws if owners[one.lot.entry] == owner]
        paid = -sum(one.units for one in part)
        why = line.why if owner == card else _also(line.why, f"paid for card {card.tail}")
        entry = Draft(books.number(), EntryType.REDEEM, owner, kind, paid, paid, why, draws=part)
        entries.append(books.paid(entry))
    return entries


def _take_back(books: Books, line: TakeBack, on: date) -> Draft:
    origin = _returnable(books, line.entry, EntryType.EARN)
    asked = _returning(line, origin)
    card, kind, why, own = origin.card, origin.kind, line.why, origin.lot
    following = books.successor(card)
    # What a card still holds of it was not handed on, whatever card it names as its replacement.
    if following != card and (own is None or not own.remaining):
        why = _also(why, f"earned with card {card.tail}, which it replaced")
        card, own = following, None
    draws = draw(retrievable(own, books.lots(card, kind), on), asked)
    taken = sum(one.units for one in draws)
    if taken < asked:
        why = _also(why, f"{points(asked - taken)} of them are spent already")
    books.returned(origin, asked)
    books.drawn(draws)
    return Draft(
        books.number(),
        EntryType.RETURN_EARNED,
        card,
        kind,
        -taken,
        -asked,
        why,
        draws=draws,
        source=origin.number,
    )


def _give_back(books: Books, line: GiveBack, on: date) -> list[Draft]:
    origin = _returnable(books, line.entry, EntryType.REDEEM)
    asked = left = _returning(line, origin)
    back: list[Draw] = []
    # What was drawn last goes back first: it is what keeps longest.
    for lot, held in reversed(origin.drawn):
        part = min(held, left)
        if part > 0:
            back.append(Draw(lot, -part))
            left -= part
    assert left == 0, "what was paid was drawn"
    books.returned(origin, asked, back)
    books.drawn(back)
    refund = Draft(
        books.number(),
        EntryType.REFUND,
        origin.card,
        origin.kind,
        asked,
        asked,
        line.why,
        draws=back,
        source=origin.number,
    )
    holder = books.successor(origin.card)
    if holder == origin.card:
        return [refund]
    live = [Draw(lot, -units) for lot, units in back if not lot.expired(on)]
    way = (origin.card, holder, origin.kind)
    return [refund, *(_moved(books, way, live, line.why) if live else [])]


def _adjust(books: Books, line: Adjust, on: date) -> Draft:
    card, kind = books.card(line.card), books.kind(line.kind)
    asked = _some(line, kind)
    why = _also(line.why, "counts for tiers") if line.for_tiers else line.why
    entry = Draft(
        *(books.number(), EntryType.ADJUST, card, kind, asked, asked, why),
        for_tiers=line.for_tiers or None,
    )
    if asked > 0:
        return books.brought(entry, on, _last(on, kind))
    draws = draw(spendable(books.lots(card, kind), on), -asked)
    _enough(card, kind, -asked, draws)
    return books.paid(entry._replace(draws=draws))


def _transfer(books: Books, line: Transfer, on: date) -> list[Draft]:
    card, to, kind = books.card(line.card), books.card(line.to), books.kind(line.kind)
    asked = _positive(line, kind)
    _two(card, to)
    # From a blocked card points can be saved; on one, a card that was replaced, they would be lost.
    _not_blocked(to)
    draws = draw(spendable(books.lots(card, kind), on), asked)
    _enough(card, kind, asked, draws)
    return _moved(books, (card, to, kind), draws, line.why)


def _hand_over(books: Books, line: HandOver, on: date) -> list[Draft]:
    card, to = books.card(line.card), books.card(line.to)
    _two(card, to)
    return [
        entry
        for kind in books.held(card)
        for entry in _handed(books, (card, to, kind), line.why, on)
    ]


def _handed(books: Books, way: Way, why: str, on: date) -> list[Draft]:
    """All that is not expired, unvested points included."""
    card, _, kind = way
    live = [lot for lot in books.lots(card, kind) if not lot.expired(on)]
    draws = draw(sorted(live, key=by_age), sum(lot.remaining for lot in live))
    return _moved(books, way, draws, why) if draws else []


def _moved(books: Books, way: Way, draws: Sequence[Draw], why: str) -> list[Draft]:
    """One entry that takes, and one for each lot that keeps its days on the other card."""
    card, to, kind = way
    total = sum(one.units for one in draws)
    out = Draft(
        books.number(),
        EntryType.ADJUST,
        card,
        kind,
        -total,
        -total,
        _also(why, f"to card {to.tail}"),
        draws=draws,
    )
    entries, why = [books.paid(out)], _also(why, f"from card {card.tail}")
    for lot, part in draws:
        into = Draft(books.number(), EntryType.ADJUST, to, kind, part, part, why, source=lot.entry)
        entries.append(books.brought(into, lot.starts, lot.expires))
    return entries


# ---------------------------------------------------------------------------- what may be


def _not_blocked(card: Card) -> None:
    if card.tender == BLOCKED:
        raise _of_card("card-blocked", card, "is blocked", "unblock it, or use another card")


def _two(card: Card, to: Card) -> None:
    if card == to:
        raise _of_card(
            "transfer-to-itself", card, "is on both ends of the transfer", "name another card"
        )


def may_pay(card: Card) -> None:
    """Refuse a card that does not pay: RecordError `card-blocked`, `card-earns-only`."""
    _not_blocked(card)
    if card.tender == EARN_ONLY:
        raise _of_card(
            "card-earns-only",
            card,
            "earns points and does not pay with them",
            "change its CardTenderType, or pay with another card",
        )


def pays(kind: Kind) -> None:
    """Refuse points that do not pay: RecordError `points-not-redeemable`."""
    if not kind.redeemable:
        raise RecordError(
            "points-not-redeemable",
            f"points of the kind '{kind.name}' do not pay",
            remedy="use a redeemable kind, or set its Redeemable to Yes",
            subject=Subject(field="kind"),
        )


def _enough(card: Card, kind: Kind, asked: int, draws: Iterable[Draw]) -> None:
    there = sum(one.units for one in draws)
    if there < asked:
        raise _of_card(
            "points-short",
            card,
            f"has {points(there)} available points of the kind '{kind.name}', "
            f"{points(asked)} are asked for",
            f"take {points(there)} at most; `dualwrite ledger balance CARD` shows the rest",
        )


def _returnable(books: Books, number: int, type_: EntryType) -> Origin:
    origin = books.origins.get(number)
    if origin is None or origin.type is not type_:
        raise RecordError(
            "entry-unknown",
            f"the journal has no entry {number} of the type {type_}",
            remedy="`dualwrite ledger transactions CARD` lists the entries of a card",
            subject=Subject(record=str(number)),
        )
    return origin


def _returning(line: TakeBack | GiveBack, origin: Origin) -> int:
    # What was earned in parts comes back in parts, even if its kind is counted by quantity now.
    parted = origin.units % UNIT > 0
    asked = _positive(line, replace(origin.kind, whole=False) if parted else origin.kind)
    if asked > origin.left:
        raise RecordError(
            "return-exceeds",
            f"of entry {origin.number} {points(origin.left)} can come back, not {points(asked)}",
            remedy=f"return {points(origin.left)} at most",
            subject=Subject(record=str(origin.number)),
        )
    return asked


def _some(line: Counted, kind: Kind) -> int:
    asked = units(line.points, whole=kind.whole)
    if asked == 0:
        raise _no_number("a posting of 0 points says nothing", "give a number of points")
    return asked


def _positive(line: Counted, kind: Kind) -> int:
    asked = _some(line, kind)
    if asked < 0:
        raise _no_number(
            "a negative number of points can only be adjusted",
            "give a positive number: what it does follows from the command",
        )
    return asked


# ---------------------------------------------------------------------------- small parts


def _last(on: date, kind: Kind) -> date | None:
    """The last day of points that came on a day."""
    unit, value = kind.expires
    return after(on, unit, value) if value else None


def _also(why: str, more: str) -> str:
    return f"{why}; {more}" if why else more


def _of_card(code: str, card: Card, what: str, remedy: str) -> RecordError:
    return RecordError(code, f"the card {what}", remedy=remedy, subject=Subject(record=card.tail))


def _no_number(message: str, remedy: str) -> RecordError:
    return RecordError("points-invalid", message, remedy=remedy, subject=Subject(field="points"))
