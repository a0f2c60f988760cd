"""Refusals of the application that a test orders: this row is not written, for this reason.

Owns: which writes meet one, and the infolog they get.
Never does: the rules that always hold (`writes.py`).
Tested in: tests/integration/sandbox/finops/test_faults.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.sandbox.finops import errors
from connector.sandbox.finops.catalog import BY_SET
from connector.sandbox.finops.entities import Entity
from connector.sandbox.finops.values import Stored


@dataclass(slots=True)
class Rule:
    """The next `count` writes to `entity` whose key fits `key` (a star is any text) are refused.

    `text` is the infolog's; without one it is an update conflict.
    """

    entity: str
    key: str = "*"
    text: str | None = None
    count: int = 1
    method: str | None = None
    """POST, PATCH, PUT or DELETE; None is any."""
    _fits: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        if self.entity not in BY_SET:
            raise KeyError(self.entity)
        pattern = re.escape(self.key).replace(r"\*", ".*")
        self._fits = re.compile(pattern, re.IGNORECASE | re.DOTALL)

    def meets(self, entity: Entity, key: str, method: str) -> bool:
        """Whether a write meets it; counted down."""
        if self.count <= 0 or entity.set_name != self.entity or self.method not in (None, method):
            return False
        if self._fits.fullmatch(key) is None:
            return False
        self.count -= 1
        return True


class Rules:
    """The rules that are set."""

    def __init__(self) -> None:
        self._set: list[Rule] = []

    def add(self, rule: Rule) -> None:
        """One more; the oldest fitting one is met first."""
        self._set.append(rule)

    def clear(self) -> None:
        """None any more."""
        self._set.clear()

    def check(self, entity: Entity, values: Mapping[str, Stored], method: str) -> None:
        """Raises `AxError` if this write meets a rule."""
        if not self._set:
            return
        key = str(values[entity.key[-1]])
        for rule in self._set:
            if rule.meets(entity, key, method):
                if rule.text is None:
                    raise errors.conflict(entity)
                raise errors.infolog(entity, [f"Error: {rule.text}"])
