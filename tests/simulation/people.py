"""What people do on both sides, and what they left there.

Owns: edits, new cards, deletes, renames, each with values that occur nowhere else; the rows that
cards refer to, which appear late, are renamed and deleted.
Never does: knowing that a sync exists.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from random import Random
from typing import NamedTuple

from connector.mapping.values import Side, Value, normal_key
from tests.simulation.known import Known
from tests.simulation.maps import KEYS, SHARED
from tests.simulation.plan_of_seed import Plan
from tests.simulation.systems import SOMEBODY, System

FEWEST = 2
"""Rows a side keeps: a scan that finds nothing stops the map, which is another test's matter."""
CODES = ("EUR", "USD", "GBP", "CHF", "SEK")


class Parted(NamedTuple):
    """A person deleted a row that the engine knew as one half of a pair."""

    side: Side
    at: int
    """The place of the delete in the change log of its side."""
    key: str
    id: str
    other: str
    """The id of the half that is left."""


class People:
    """Everybody who works in the two systems."""

    def __init__(
        self, random: Random, plan: Plan, systems: dict[Side, System], known: Known
    ) -> None:
        self.random = random
        self.plan = plan
        self.systems = systems
        self.known = known
        self.acts = 0
        self.parted: list[Parted] = []
        self.written: dict[str, dict[Value, set[str]]] = {}
        """By column name in lower case: every value anybody wrote, and the keys of its cards."""
        self.codes: dict[str, set[str]] = {}
        """By id of a currency: every code it ever had."""
        self.born: dict[tuple[Side, str], int] = {}
        """(side, key): how often people made such a card."""
        self.keys: set[str] = set()
        self._habits, self._weights = zip(*plan.habits.items(), strict=True)
        self._count = 0

    def act(self, spared: Container[str] = ()) -> str:
        """One of them does something, to no spared row; what, for the trace."""
        side = self.random.choice(list(Side))
        habit = self.random.choices(self._habits, self._weights)[0]
        self.acts += 1
        if habit == "currency":
            return self.turn_currencies()
        ids = sorted(self.systems[side].rows)
        if habit == "create" or not ids:
            return self.create(side, self.key())
        id = self.random.choice(ids)
        if id in spared:
            return f"{side} {id} is left alone"
        if habit == "edit":
            return self.edit(side, id)
        if habit == "delete":
            return self.delete(side, id)
        return self.rename(side, id, self.key() if habit == "rename" else None)

    def key(self) -> str:
        """A key: new, or one that is or was in use, in any spelling."""
        if self.keys and self.random.random() < 0.5:
            key = self.random.choice(sorted(self.keys))
        else:
            key = f"K{len(self.keys)}"
            self.keys.add(key)
        return self.random.choice([key, key, key.lower(), key + " "])

    def create(self, side: Side, key: str) -> str:
        """A new card, unless there is one on this side already."""
        system = self.systems[side]
        if system.twin(key) is not None:
            return f"{side} {key} is there"
        self._count += 1
        id = f"{side.value[0]}{self.random.randrange(100):02}-{self._count}"
        names = [n for n in system.columns if self.random.random() < 0.7]
        values = {name: self.value(side, name) for name in names} | {KEYS[side]: key}
        id = system.id_for(values, id)
        born = side, known_key(key)
        self.born[born] = self.born.get(born, 0) + 1
        return self.put(side, id, values)

    def edit(self, side: Side, id: str) -> str:
        """Some columns of a card get new values, or none."""
        names = [n for n in self.systems[side].columns if n != KEYS[side]]
        chosen = self.random.sample(names, self.random.choice([1, 1, 2, 3]))
        return self.put(side, id, {name: self.value(side, name) for name in chosen})

    def delete(self, side: Side, id: str) -> str:
        """A card goes."""
        if len(self.systems[side].rows) <= FEWEST:
            return f"{side} keeps its last cards"
        system = self.systems[side]
        key = system.rows[id].values[KEYS[side]]
        other = self.systems[side.other].twin(key)
        system.drop(id, SOMEBODY)
        if other is not None and self.known.paired(side, id, other):
            self.parted.append(Parted(side, len(system.log), known_key(key), id, other))
        return f"{side} delete {id}"

    def rename(self, side: Side, id: str, key: str | None) -> str:
        """A card gets another key, or none."""
        system = self.systems[side]
        if key is not None and system.twin(key, but=id) is not None:
            return f"{side} {key} is taken"
        if system.traits.ids == "key":
            if key is None:
                return f"{side} {id} keeps its key"
            old, moved = system.rows[id], system.id_for({KEYS[side]: key}, id)
            system.drop(id, SOMEBODY)
            told = self.put(side, moved, old.values | {KEYS[side]: key})
            system.rows[moved].creator = old.creator
            return told
        return self.put(side, id, {KEYS[side]: key})

    # ------------------------------------------------------------------ what cards refer to

    def turn_currencies(self) -> str:
        """A currency is made, renamed or, where no card refers to it, deleted."""
        targets = self.systems[Side.DATAVERSE].targets
        free = [code for code in CODES if code not in targets.values()]
        if free and self.random.random() < 0.6:
            return self.new_currency(self.random.choice(free))
        if not targets:
            return "no currency to turn"
        id = self.random.choice(sorted(targets))
        if free and self.random.random() < 0.5:
            targets[id] = self.random.choice(free)
            self.codes[id].add(targets[id])
            return f"currency {id} is now {targets[id]}"
        rows = self.systems[Side.DATAVERSE].rows.values()
        if any(row.values["currency"] == id for row in rows):
            return f"currency {id} is in use"
        return f"currency {id} {targets.pop(id)} is gone"

    def new_currency(self, code: str) -> str:
        """A currency that cards may have been waiting for."""
        self._count += 1
        id = f"cur-{self._count}"
        self.systems[Side.DATAVERSE].targets[id] = code
        self.codes[id] = {code}
        return f"currency {id} {code}"

    def fulfil(self) -> None:
        """Every currency a card of commerce names comes into being."""
        there = set(self.systems[Side.DATAVERSE].targets.values())
        rows = self.systems[Side.COMMERCE].rows.values()
        for code in sorted({str(row.values["Currency"]) for row in rows} - there - {"None"}):
            self.new_currency(code)

    # ------------------------------------------------------------------ values

    def value(self, side: Side, column: str) -> Value:
        """A value that nobody wrote before; where a column has only few, one of them."""
        if column == "Active":
            return self.random.choice(["Yes", "No", None])
        if column == "active":
            return self.random.choice([True, False, None])
        if self.random.random() < 0.15:
            return None
        if column == "Currency":
            return self.random.choice(CODES)
        if column == "currency":
            return self.random.choice([*sorted(self.systems[side].targets), None])
        self._count += 1
        if column.lower() == "level":
            # Never a round number, nor one that a side which counts in tens makes round: that is
            # what a side makes of another one which keeps less.
            tens = self._count + (self._count - 1) // 9
            return tens * 10 + (self.random.randrange(10) or 5)
        return f"{column[0].lower()}{self._count:05}-{side.value}"

    def put(self, side: Side, id: str, values: dict[str, Value]) -> str:
        """Somebody makes or changes a card; every form a side may keep of a value is known."""
        system = self.systems[side]
        if id in system.rows:
            held, agreed = system.rows[id].values, self.known.agreed(side, id)
            # Under a key that is not agreed on it is another card, which meets its half anew.
            for name, value in agreed.items() if KEYS[side] in agreed else ():
                if name in values and name.lower() not in SHARED and held[name] == value:
                    system.superseded.setdefault((id, name), set()).add(value)
        system.change(id, values, SOMEBODY)
        self.gave(known_key(system.rows[id].values[KEYS[side]]), values)
        return f"{side} put {id} {values}"

    def gave(self, card: str, values: Mapping[str, Value]) -> None:
        """Remember what somebody wrote for a card: by hand, or as the decision of a conflict."""
        for name, value in values.items():
            if name.lower() in SHARED:
                continue
            written = self.written.setdefault(name.lower(), {})
            for form in {value, *self._kept(name, value)}:
                written.setdefault(form, set()).add(card)

    def _kept(self, name: str, value: Value) -> list[Value]:
        cuts = [system.traits.cut for system in self.systems.values()]
        return [c(value) for cut in cuts for n, c in cut.items() if n.lower() == name.lower()]


def known_key(value: Value) -> str:
    """A key as it is compared; empty where there is none."""
    return normal_key(value) or ""
