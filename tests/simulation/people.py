"""What people do on both sides, and what they left there.

Owns: edits, new cards, deletes, renames, each with values that occur nowhere else.
Never does: knowing that a sync exists.
"""

from __future__ import annotations

from random import Random

from connector.mapping.values import Side, Value, normal_key
from tests.simulation.plan_of_seed import KEYS, Plan
from tests.simulation.systems import SOMEBODY, System

FEWEST = 2
"""Rows a side keeps: a scan that finds nothing stops the map, which is another test's matter."""


class People:
    """Everybody who works in the two systems."""

    def __init__(self, random: Random, plan: Plan, systems: dict[Side, System]) -> None:
        self.random = random
        self.plan = plan
        self.systems = systems
        self.acts = 0
        self.written: dict[str, set[Value]] = {}
        """By column name in lower case: every value anybody wrote."""
        self.keys: set[str] = set()
        self._count = 0

    def act(self) -> str:
        """One of them does something; what, for the trace."""
        side = self.random.choice(list(Side))
        names, weights = zip(*self.plan.habits.items(), strict=True)
        habit = self.random.choices(names, weights)[0]
        self.acts += 1
        ids = sorted(self.systems[side].rows)
        if habit == "create" or not ids:
            return self.create(side, self.key())
        id = self.random.choice(ids)
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
        return self._put(side, id, values)

    def edit(self, side: Side, id: str) -> str:
        """Some columns of a card get new values, or none."""
        names = [n for n in self.systems[side].columns if n != KEYS[side]]
        chosen = self.random.sample(names, self.random.choice([1, 1, 2, 3]))
        return self._put(side, id, {name: self.value(side, name) for name in chosen})

    def delete(self, side: Side, id: str) -> str:
        """A card goes."""
        if len(self.systems[side].rows) <= FEWEST:
            return f"{side} keeps its last cards"
        self.systems[side].drop(id, SOMEBODY)
        return f"{side} delete {id}"

    def rename(self, side: Side, id: str, key: str | None) -> str:
        """A card gets another key, or none."""
        if key is not None and self.systems[side].twin(key, but=id) is not None:
            return f"{side} {key} is taken"
        return self._put(side, id, {KEYS[side]: key})

    def value(self, side: Side, column: str) -> Value:
        """A value that nobody wrote before; where a column has only two, one of them."""
        if column == "Active":
            return self.random.choice(["Yes", "No", None])
        if column == "active":
            return self.random.choice([True, False, None])
        if self.random.random() < 0.15:
            return None
        self._count += 1
        if column.lower() == "level":
            return self._count * 10 + self.random.randrange(10)
        return f"{column[0].lower()}{self._count:05}-{side.value}"

    def _put(self, side: Side, id: str, values: dict[str, Value]) -> str:
        self.systems[side].change(id, values, SOMEBODY)
        for name, value in values.items():
            for cut in (s.traits.cut for s in self.systems.values()):
                kept = [c(value) for n, c in cut.items() if n.lower() == name.lower()]
                self.written.setdefault(name.lower(), set()).update([value, *kept])
            self.written.setdefault(name.lower(), set()).add(value)
        return f"{side} put {id} {values}"


def known_key(value: Value) -> str:
    """A key as it is compared; empty where there is none."""
    return normal_key(value) or ""
