"""What the rules of a program may know of whoever holds a card.

Owns: this value, and how it is kept as JSON.
Never does: SQL (`members/facts.py`), deciding anything.
Tested in: tests/unit/ledger/members/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Member:
    """A card with all that rules ask about it. Names are folded (`fields.fold`) for comparing.

    `party` is None for an anonymous card. `sales` counts the sales posted before the one at hand,
    for the card and those it replaced. `tiers` names the tier held by program.
    """

    card: str
    """Its number as the ledger spells it."""
    party: str | None = None
    groups: frozenset[str] = frozenset()
    """Customer groups and affiliations, of the customer."""
    programs: frozenset[str] = frozenset()
    """Programs the card has joined by itself, besides those that every card is in."""
    tiers: Mapping[str, str] = field(default_factory=lambda: _NONE)
    sales: int = 0
    pool_sales: int | None = None
    """Those of all cards of the customer and of the household; None for an anonymous card, and in
    what an older version kept with its sales."""
    first: str = ""
    """The id of the card that began: its own, or that of the first one it replaced."""

    def form(self) -> dict[str, Any]:
        """As JSON, to be kept with what it was judged by; `of_form` reads it again."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: _collection(value) for name, value in held.items()}

    @classmethod
    def of_form(cls, form: Mapping[str, Any]) -> Self:
        """The member of `form`."""
        held: dict[str, Any] = {
            name: frozenset(value) if isinstance(value, list) else value
            for name, value in form.items()
        }
        return cls(**held)

    def counted(self, *, pooled: bool) -> int:
        """The sales before the one at hand, as a program counts them."""
        return self.pool_sales if pooled and self.pool_sales is not None else self.sales


def _collection(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else value
