"""What happened in one world, in order.

Owns: who did what at which simulated time; lines are spelled only when somebody reads them.
Never does: judging.
"""

from __future__ import annotations


class Trace:
    """The steps of one world. What they tell of is never changed afterwards, only replaced."""

    def __init__(self) -> None:
        self._steps: list[tuple[float, str, str, tuple[object, ...]]] = []

    def add(self, at: float, who: str, what: str, details: tuple[object, ...]) -> None:
        """Something happened, `at` so many seconds after the world began."""
        self._steps.append((at, who, what, details))

    def lines(self) -> list[str]:
        """The steps as lines."""
        return [
            f"{at:12.2f}  {who:10} {' '.join([what, *map(str, details)])}"
            for at, who, what, details in self._steps
        ]
