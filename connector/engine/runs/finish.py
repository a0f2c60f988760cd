"""How a run ended.

Owns: what `load` and `sync` answer.
Never does: working.
Tested in: tests/integration/engine/test_load.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finish:
    """How a run ended; `finished` False means a bound was reached with work left."""

    finished: bool
    rounds: int
    cut: bool = False
    """Whether time ran out with work that could go on at once."""
