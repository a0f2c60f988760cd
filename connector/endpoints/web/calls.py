"""How long write calls take, and how many rows the next one should have.

Owns: measured times by table and kind of call; the size of a call that follows from them.
Never does: I/O, reading a clock, sending.
Tested in: tests/unit/endpoints/web/test_calls.py.

Facts: "Dataverse Web API: bulk-operations": there is no fixed size; begin with 100 to 1,000
rows, calls time out after two to four minutes. The service counts execution time, so the fixed
part of a call is lost on small ones and a long call is at risk to time out.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_ROWS = 500
"""Rows of the first call of a kind."""
AIM = 20.0
"""Seconds a call should take at most."""
FORGET = 0.9
"""How much earlier calls still count with each new one."""


@dataclass(slots=True)
class CallTimes:
    """The calls of one kind on one table: a line of seconds over rows, and the size in use.

    `most` is the upper bound of rows, `timeout` the seconds after which a call is given up.
    """

    most: int
    timeout: float
    rows: int = 0
    """Rows the next call should have."""
    _n: float = 0.0
    _x: float = 0.0
    _y: float = 0.0
    _xx: float = 0.0
    _xy: float = 0.0

    def __post_init__(self) -> None:
        self.rows = min(FIRST_ROWS, self.most)

    @property
    def known(self) -> bool:
        """Whether any call has been measured."""
        return self._n > 0

    def accepted(self, rows: int, seconds: float) -> None:
        """A call of so many rows took so long."""
        self._n = self._n * FORGET + 1.0
        self._x = self._x * FORGET + rows
        self._y = self._y * FORGET + seconds
        self._xx = self._xx * FORGET + rows * rows
        self._xy = self._xy * FORGET + rows * seconds
        aim = min(AIM, self.timeout / 3)
        # A short call says nothing against the present size, and nothing for a larger one.
        if seconds > aim or rows * 2 > self.rows:
            fitting = int(rows * min(2.0, max(0.5, aim / max(seconds, 0.001))))
            self.rows = max(1, min(self.most, fitting))

    def lost(self, rows: int) -> None:
        """A call of so many rows was given up: the next ones are half as long."""
        self.rows = max(1, min(self.rows, rows // 2))

    def seconds(self, rows: int) -> float:
        """How long a call of so many rows is expected to take; 0.0 before the first one."""
        if not self.known:
            return 0.0
        spread = self._xx * self._n - self._x * self._x
        if spread <= 1e-6 * self._xx * self._n:
            # All calls had the same size: in proportion.
            return self._y / self._x * rows
        each = max(0.0, (self._xy * self._n - self._x * self._y) / spread)
        fixed = max(0.0, (self._y - each * self._x) / self._n)
        return fixed + each * rows
