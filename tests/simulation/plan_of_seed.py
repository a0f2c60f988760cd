"""What one seed decides before anything happens: the map, the systems, and how rough it gets.

Owns: swarm testing: each seed switches a random part of the faults on, each at its own rate, so
that seeds differ in kind and not only in order.
Never does: carrying any of it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from connector.endpoints.base import Column
from connector.engine.ports import Guard, Limits, Tuning
from connector.engine.retry import Retry
from connector.mapping.values import Side, Value, ValueType
from tests.simulation.systems import Traits

FAULTS: Mapping[str, tuple[float, float]] = {
    "crash": (0.6, 0.03),
    "unreachable": (0.4, 0.06),
    "lost before": (0.4, 0.2),
    "lost after": (0.5, 0.3),
    "transient": (0.4, 0.3),
    "stale": (0.3, 0.2),
    "rejected": (0.1, 0.05),
    "overtaking": (0.7, 0.6),
    "repeated": (0.4, 0.3),
    "skipped": (0.4, 0.5),
    "forgotten": (0.3, 0.02),
    "takeover": (0.3, 0.02),
    "arrives late": (0.5, 0.7),
    "people": (0.7, 0.08),
    "clock": (0.5, 0.02),
}
"""(chance that a seed has it, highest rate per occasion)."""

HABITS: Mapping[str, tuple[float, int]] = {
    "edit": (1.0, 12),
    "create": (0.9, 4),
    "delete": (0.7, 3),
    "rename": (0.15, 1),
    "unkey": (0.05, 1),
}
"""What people do: (chance that a seed has it, highest weight)."""


def map_text(conflict: str, deletes: tuple[str, str], master: str = "commerce") -> str:
    """The map: two-way, one-way, choice and grouped fields."""
    return (
        "map: card\n"
        "commerce: {entity: Cards, inactive: {column: Active, value: No}}\n"
        "dataverse: {entity: cards, inactive: {column: active, value: false}}\n"
        f"master: {master}\nconflict: {conflict}\n"
        f"deletes: {{commerce: {deletes[0]}, dataverse: {deletes[1]}}}\n"
        "fields:\n"
        '  - {commerce: Number, sync: "=", dataverse: number, key: true}\n'
        '  - {commerce: Name, sync: "=", dataverse: name}\n'
        '  - {commerce: Level, sync: "=", dataverse: level}\n'
        '  - {commerce: Note, sync: ">", dataverse: note}\n'
        '  - {commerce: Hint, sync: "<", dataverse: hint}\n'
        '  - {commerce: First, sync: "=", dataverse: first, together: both}\n'
        '  - {commerce: Second, sync: "=", dataverse: second, together: both}\n'
        '  - {commerce: Active, sync: "><", dataverse: active, values: {Yes: true, No: false}}\n'
    )


TEXTS = ("Number", "Name", "Note", "Hint", "First", "Second")
KEYS = {Side.COMMERCE: "Number", Side.DATAVERSE: "number"}


def columns(side: Side) -> tuple[Column, ...]:
    """The columns of the map on one side."""
    spelled: Callable[[str], str] = str if side is Side.COMMERCE else str.lower
    texts = [Column(spelled(name), ValueType.TEXT) for name in TEXTS]
    level = Column(spelled("Level"), ValueType.INTEGER)
    if side is Side.COMMERCE:
        active = Column("Active", ValueType.CHOICE, choices={"Yes": "Yes", "No": "No"})
    else:
        active = Column("active", ValueType.BOOLEAN)
    return (*texts, level, active)


def truncated(value: Value) -> Value:
    """What a column of ten characters keeps."""
    return value[:10] if isinstance(value, str) else value


def rounded(value: Value) -> Value:
    """What a column that counts in tens keeps."""
    return value // 10 * 10 if isinstance(value, int) else value


@dataclass(frozen=True)
class Plan:
    """Everything a seed decides at once."""

    rates: Mapping[str, float]
    habits: Mapping[str, int]
    text: str
    deletes: Mapping[Side, str]
    traits: Mapping[Side, Traits]
    tuning: Tuning
    steps: int
    cards: int
    extra: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, random: Random) -> Plan:
        """Draw a plan."""
        rates = {
            name: random.random() * highest if random.random() < chance else 0.0
            for name, (chance, highest) in FAULTS.items()
        }
        habits = {
            name: random.randint(1, most) if random.random() < chance else 0
            for name, (chance, most) in HABITS.items()
        }
        kinds = ["propagate", "restore", "ignore", "deactivate"]
        deletes = (random.choice(kinds), random.choice(kinds))
        conflict = random.choice(["manual", "commerce", "dataverse", "latest"])
        master = random.choice(["commerce", "dataverse"])
        guard = Guard(rows=2, share=0.2) if random.random() < 0.15 else Guard(1000, 1.0, 1)
        retry = Retry(random.choice([3, 8, 50]), random.choice([0.0, 2.0]))
        limits = Limits(page=random.randint(1, 6), in_flight=random.randint(1, 3))
        return cls(
            rates,
            habits,
            map_text(conflict, deletes, master),
            dict(zip(Side, deletes, strict=True)),
            {side: _traits(random, side) for side in Side},
            Tuning(guard, retry, limits),
            random.randint(2, 12),
            random.randint(0, 10),
        )


def _traits(random: Random, side: Side) -> Traits:
    spelled: Callable[[str], str] = str if side is Side.COMMERCE else str.lower
    cut: dict[str, Callable[[Value], Value]] = {}
    if random.random() < 0.3:
        cut[spelled("Name")] = truncated
    if random.random() < 0.3:
        cut[spelled("Level")] = rounded
    return Traits(
        sees_creates=side is Side.COMMERCE,
        ordered=side is Side.DATAVERSE or random.random() < 0.6,
        feed=side is Side.DATAVERSE or random.random() < 0.7,
        unique=random.random() < 0.7,
        page=random.randint(1, 5),
        batch=random.randint(1, 4),
        cut=cut,
    )
