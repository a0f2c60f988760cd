"""How one simulated system differs from another, and which kinds of system there are.

Owns: traits, and drawing those of a commerce side that is not of our own making.
Never does: behaving so; `systems.py` and `wire.py` do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from tests.simulation.maps import Cut


@dataclass(frozen=True)
class Traits:
    """How one system differs from another."""

    sees_creates: bool
    """Whether the reply to a create holds the row, as it does where creates are not bulk."""
    ordered: bool
    feed: bool
    unique: bool
    """Whether an alternate key keeps a second row of one key out."""
    page: int
    batch: int
    cut: Mapping[str, Cut] = field(default_factory=dict)
    """Columns that hold less than what is written to them."""
    ids: Literal["chosen", "key", "allotted"] = "chosen"
    preconditions: Literal["version", "compare", "none"] = "version"
    sees_updates: bool = True
    """Whether the reply to an update holds the row."""
    tells: bool = True
    """Whether a row says who changed it last, and when."""
    compares: bool = False
    """Whether its feed comes of comparing what it holds with what it held (`compare.py`)."""


UNGUARDED = frozenset({"arrives late", "sent twice", "takeover"})
"""Faults that nothing holds off where a system takes every write at any time: what the engine
promises there ends with them (docs/consistency.md)."""


def foreign(seed: int, traits: Traits) -> Traits:
    """The traits of a commerce side that some seeds have instead: others keep theirs.

    Drawn apart from everything else, so that no other seed is another world for it.
    """
    kind = {2: "key", 5: "key", 7: "bare", 8: "allotted"}.get(seed % 11)
    if kind is None:
        return traits
    random = Random(f"{seed} {kind}")
    feed = random.random() < 0.8
    bare: Literal["compare", "none"] = "none" if random.random() < 0.5 else "compare"
    return replace(
        traits,
        ids="allotted" if kind == "allotted" else "key",
        preconditions="version" if kind == "key" else bare,
        sees_creates=random.random() < 0.6,
        sees_updates=random.random() < 0.5,
        tells=random.random() < 0.2,
        ordered=False,
        feed=feed,
        compares=feed,
    )
