"""The accounts a batch of postings touches: cards, kinds, lots, entries that may come back.

Owns: this state in memory, its changes one by one, and taking them back together.
Never does: deciding what may be posted (`rules.py`), SQL (`accounts.py`, `journal.py`).
Tested in: tests/unit/ledger/journal/test_journal.py, test_laws.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from connector.errors import RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.journal.lots import Draw, Lot
from connector.ledger.journal.posting import EntryType

BLOCKED = "Blocked"
EARN_ONLY = "NoTender"
POOLED = "AsContactTender"


@dataclass(frozen=True, slots=True)
class Card:
    """What the journal needs to know of a card."""

    id: str
    number: str
    tender: str
    party: str | None
    replaced_by: str | None = None
    household: str | None = None
    """Of its customer."""

    @property
    def tail(self) -> str:
        """What of its number may stand in a sentence."""
        return f"…{self.number[-4:]}"

    def pays_from(self, other: Card) -> bool:
        """Whether the other card's points pay for this one, which pools."""
        if other.tender == BLOCKED or self.party is None:
            return False
        shared = self.household is not None and self.household == other.household
        return shared or self.party == other.party


@dataclass(frozen=True, slots=True)
class Kind:
    """What the journal needs to know of a kind of points.

    `whole` where it is counted by quantity; `expires` and `vests` are unit and value, 0 for
    never and at once; `cap` in ten-thousandths.
    """

    id: str
    name: str
    whole: bool
    redeemable: bool
    expires: tuple[str, int]
    vests: tuple[str, int]
    cap: int | None


@dataclass(slots=True)
class Origin:
    """An entry that a return can refer to; amounts in ten-thousandths, never negative."""

    number: int
    type: EntryType
    card: Card
    kind: Kind
    units: int
    returned: int = 0
    """What came back of it already."""
    lot: Lot | None = None
    """The lot it brought; None for an entry that brought none."""
    drawn: list[Draw] = field(default_factory=list)
    """What it still holds of the lots it drew from."""

    @property
    def left(self) -> int:
        """What can still come back."""
        return self.units - self.returned


class Draft(NamedTuple):
    """One entry to be stored; `units` and `asked` signed as they count for the card."""

    number: int
    type: EntryType
    card: Card
    kind: Kind
    units: int
    asked: int
    why: str
    lot: Lot | None = None
    """The lot it brings."""
    draws: Sequence[Draw] = ()
    source: int | None = None
    """The entry it refers to."""
    rule: str | None = None
    for_tiers: bool | None = None
    """True for an Adjust that counts for tiers."""


class Books:
    """The accounts of a batch. `number` gives the number of the next entry."""

    def __init__(self, number: Callable[[], int]) -> None:
        self.number = number
        self.origins: dict[int, Origin] = {}
        self._cards: dict[str, Card] = {}
        self._kinds: dict[str, Kind] = {}
        self._lots: dict[tuple[Card, Kind], list[Lot]] = {}
        self._undo: list[Callable[[], object]] = []

    # ------------------------------------------------------------------ what is known

    def add_card(self, card: Card) -> None:
        """A card as the ledger has it."""
        self._cards[fold(card.number)] = card

    def add_kind(self, kind: Kind) -> None:
        """A kind of points as the ledger has it."""
        self._kinds[fold(kind.name)] = kind

    def add_lot(self, card: Card, kind: Kind, lot: Lot) -> None:
        """A lot with something left, as the journal has it."""
        self._lots.setdefault((card, kind), []).append(lot)

    def cards(self) -> Iterable[Card]:
        """All that are known."""
        return self._cards.values()

    def card(self, number: str) -> Card:
        """The card of that number, whatever its case; RecordError `card-unknown`."""
        card = self._cards.get(fold(number))
        if card is None:
            raise RecordError(
                "card-unknown",
                "the ledger has no card with this number",
                remedy="check it; `dualwrite ledger set NUMBER --create` makes one",
                subject=Subject(record=f"…{number[-4:]}"),
            )
        return card

    def kind(self, name: str) -> Kind:
        """The kind of that id, whatever its case; RecordError `point-kind-unknown`."""
        kind = self._kinds.get(fold(name))
        if kind is None:
            raise RecordError(
                "point-kind-unknown",
                f"the ledger has no kind of points '{name}'",
                remedy="`dualwrite ledger list --entity reward-points` shows what there is; where "
                "it was renamed, put its new name into the programs and rewards that pay it",
                subject=Subject(field="kind"),
            )
        return kind

    def capped(self, name: str) -> bool:
        """Whether a card may hold only so much of that kind."""
        kind = self._kinds.get(fold(name))
        return kind is not None and kind.cap is not None

    def successor(self, card: Card) -> Card:
        """The card that answers for one that was replaced; a card itself where it was not."""
        seen = {card}
        while card.replaced_by is not None:
            following = self._cards.get(fold(card.replaced_by))
            if following is None or following in seen:
                break
            seen.add(following)
            card = following
        return card

    def held(self, card: Card) -> list[Kind]:
        """The kinds of which a card holds anything."""
        return [kind for (owner, kind), lots in self._lots.items() if owner == card and lots]

    def lots(self, card: Card, kind: Kind) -> Sequence[Lot]:
        """What a card holds of a kind."""
        return self._lots.get((card, kind), ())

    def purse(self, card: Card, kind: Kind) -> list[tuple[Card, Lot]]:
        """What a card can pay with: its own lots; where it pools, its household's as well."""
        shared = [card]
        if card.tender == POOLED:
            others = (other for other in self._cards.values() if other != card)
            shared += [other for other in others if card.pays_from(other)]
        return [(owner, lot) for owner in shared for lot in self.lots(owner, kind)]

    # ------------------------------------------------------------------ what changes

    @contextmanager
    def together(self) -> Iterator[None]:
        """All changes within, or none where an exception ends it."""
        self._undo = []
        try:
            yield
        except BaseException:
            for undo in reversed(self._undo):
                undo()
            raise

    def brought(self, entry: Draft, starts: date, expires: date | None) -> Draft:
        """An entry whose points become a lot."""
        lot = Lot(entry.number, entry.units, starts, expires)
        account = self._lots.setdefault((entry.card, entry.kind), [])
        account.append(lot)
        self._undo.append(lambda: account.remove(lot))
        self._keep(Origin(entry.number, entry.type, entry.card, entry.kind, entry.units, 0, lot))
        return entry._replace(lot=lot)

    def paid(self, entry: Draft) -> Draft:
        """An entry whose points are taken from its `draws`, and may come back to them."""
        self.drawn(entry.draws)
        self._keep(
            Origin(
                entry.number,
                entry.type,
                entry.card,
                entry.kind,
                -entry.units,
                drawn=list(entry.draws),
            )
        )
        return entry

    def drawn(self, draws: Iterable[Draw]) -> None:
        """So much of these lots goes, or comes back."""
        for lot, units in draws:
            self._set(lot, "remaining", lot.remaining - units)

    def returned(self, origin: Origin, units: int, back: Sequence[Draw] = ()) -> None:
        """So much of an entry came back, `back` of it to the lots it was drawn from."""
        self._set(origin, "returned", origin.returned + units)
        if back:
            given = {lot.entry: units for lot, units in back}
            held = [Draw(lot, units + given.get(lot.entry, 0)) for lot, units in origin.drawn]
            self._set(origin, "drawn", held)

    def _keep(self, origin: Origin) -> None:
        self.origins[origin.number] = origin
        self._undo.append(lambda: self.origins.pop(origin.number))

    def _set(self, of: Lot | Origin, name: str, value: object) -> None:
        before = getattr(of, name)
        self._undo.append(lambda: setattr(of, name, before))
        setattr(of, name, value)
