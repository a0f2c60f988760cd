"""What one seed decides before anything happens: the map, the systems, and how rough it gets.

Owns: swarm testing: each seed switches a random part of the faults on, each at its own rate, so
that seeds differ in kind and not only in order; some seeds are free of faults, some have all of
them at their worst.
Never does: carrying any of it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from connector.engine.ports import Guard, Limits, Tuning
from connector.engine.retry import Retry
from connector.mapping.values import Side
from tests.simulation.maps import Cut, map_text, rounded, spelled, truncated
from tests.simulation.traits import UNGUARDED, Traits, foreign

FAULTS: Mapping[str, tuple[float, float]] = {
    # the process
    "crash": (0.6, 0.03),
    "takeover": (0.3, 0.02),
    "arrives late": (0.5, 0.7),
    # requests and replies
    "unreachable": (0.4, 0.06),
    "lost before": (0.4, 0.2),
    "lost after": (0.5, 0.3),
    "sent twice": (0.3, 0.2),
    "truncated": (0.3, 0.2),
    "transient": (0.4, 0.3),
    "stale": (0.3, 0.2),
    "rejected": (0.1, 0.05),
    "overtaking": (0.7, 0.6),
    # pages
    "repeated": (0.5, 0.4),
    "skipped": (0.4, 0.5),
    "shuffled": (0.4, 0.5),
    "forgotten": (0.3, 0.02),
    # the store
    "commit refused": (0.3, 0.02),
    "commit unheard": (0.3, 0.02),
    # people and time
    "people": (0.7, 0.08),
    "clock": (0.5, 0.02),
    "clock set": (0.3, 0.02),
    "paused": (0.2, 0.3),
    # backups, per step
    "state restored": (0.15, 0.15),
    "side restored": (0.15, 0.15),
}
"""(chance that a seed has it, highest rate per occasion)."""

HABITS: Mapping[str, tuple[float, int]] = {
    "edit": (1.0, 12),
    "create": (0.9, 4),
    "delete": (0.7, 3),
    "rename": (0.15, 1),
    "unkey": (0.05, 1),
    "currency": (0.3, 2),
}
"""What people do: (chance that a seed has it, highest weight)."""

UNDOING, UNDOES = 8, 0.15
"""In one seed of so many somebody takes runs back, so often per step."""

CALM, WORST = 20, 50
"""One seed in so many is free of faults; one has every fault at its highest rate."""


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
    skew: Mapping[str, float] = field(default_factory=dict)
    """Seconds a clock is ahead of the true time, by whose it is."""
    one_host: bool = True
    """Whether a process can tell that another one has died, before its lease expires."""
    fulfilled: bool = True
    """Whether every currency comes into being in the end."""
    undoes: float = 0.0
    """How often, per step, somebody takes a run back."""

    @classmethod
    def of(cls, random: Random, seed: int) -> Plan:
        """Draw the plan of a seed."""
        rates = {
            name: random.random() * highest if random.random() < chance else 0.0
            for name, (chance, highest) in FAULTS.items()
        }
        if seed % CALM == 0:
            rates = dict.fromkeys(FAULTS, 0.0)
        elif seed % WORST == 1:
            rates = {name: highest for name, (_, highest) in FAULTS.items()}
        habits = {
            name: random.randint(1, most) if random.random() < chance else 0
            for name, (chance, most) in HABITS.items()
        }
        kinds = ["propagate", "restore", "ignore", "deactivate"]
        deletes = (random.choice(kinds), random.choice(kinds))
        conflict = random.choice(["manual", "commerce", "dataverse", "latest"])
        master = random.choice(["commerce", "dataverse"])
        traits = {side: _traits(random, side) for side in Side}
        traits[Side.COMMERCE] = commerce = foreign(seed, traits[Side.COMMERCE])
        if commerce.preconditions == "none" or commerce.ids == "allotted":
            rates = {name: 0.0 if name in UNGUARDED else rate for name, rate in rates.items()}
        return cls(
            rates,
            habits,
            map_text(conflict, deletes, master, lookup=bool(habits["currency"])),
            dict(zip(Side, deletes, strict=True)),
            traits,
            _tuning(random),
            random.randint(2, 12),
            random.randint(0, 10),
            _skew(random),
            random.random() < 0.7,
            random.random() < 0.7,
            UNDOES if seed % UNDOING == UNDOING - 1 else 0.0,
        )


def _tuning(random: Random) -> Tuning:
    guard = Guard(rows=2, share=0.2) if random.random() < 0.15 else Guard(1000, 1.0, 1)
    retry = Retry(random.choice([3, 8, 50]), random.choice([0.0, 2.0]))
    limits = Limits(page=random.randint(1, 6), in_flight=random.randint(1, 3))
    return Tuning(guard, retry, limits)


def _skew(random: Random) -> dict[str, float]:
    """Most clocks are right; some are off by seconds, some by hours."""
    whose = [*(side.value for side in Side), "store"]
    return {
        name: random.choice([1.0, 3600.0]) * random.uniform(-2, 2) if random.random() < 0.3 else 0.0
        for name in whose
    }


def _traits(random: Random, side: Side) -> Traits:
    cut: dict[str, Cut] = {}
    if random.random() < 0.3:
        cut[spelled(side, "Name")] = truncated
    if random.random() < 0.3:
        cut[spelled(side, "Level")] = rounded
    return Traits(
        sees_creates=side is Side.COMMERCE,
        ordered=side is Side.DATAVERSE or random.random() < 0.6,
        feed=side is Side.DATAVERSE or random.random() < 0.7,
        unique=random.random() < 0.7,
        page=random.randint(1, 5),
        batch=random.randint(1, 4),
        cut=cut,
    )
