"""How far the work is, on stderr, while it runs.

Owns: the live line of counts and rates at a terminal; silence in a pipe.
Never does: counting for anybody else.
Tested in: tests/unit/cli/test_progress.py.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

    from connector.endpoints.base import Pace
    from connector.mapping.values import Side


class Told:
    """What a run tells while it works; this one shows nothing."""

    def __call__(self, step: str, count: int) -> None:
        """So many more of a step were done."""

    def paced(self, side: Side, pace: Pace) -> None:
        """A side takes writes at this pace."""


class _Live(Told):
    """Shows each step with its total and rate, and what a side allows beside what holds it."""

    def __init__(self, live: Progress) -> None:
        self._live = live
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()  # several maps may be at work

    def __call__(self, step: str, count: int) -> None:
        with self._lock:
            task = self._task(step)
            done = task.completed + count
            rate = f"{done / max(task.elapsed or 0.0, 0.1):,.0f}/s"
            self._live.update(task.id, advance=count, done=f"{done:,.0f}", rate=rate)

    def paced(self, side: Side, pace: Pace) -> None:
        if pace.rate is not None:
            with self._lock:
                task = self._task(f"{side} allows")
                self._live.update(task.id, rate=f"{pace.rate:,.0f}/s", why=pace.limit or "")

    def _task(self, name: str) -> Task:
        if name not in self._tasks:
            self._tasks[name] = self._live.add_task(name, total=None, done="", rate="", why="")
        return self._live.tasks[self._live.task_ids.index(self._tasks[name])]


@contextmanager
def progress(quiet: bool = False) -> Iterator[Told]:
    """Whom a run tells how far it is; nothing is shown in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield Told()
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from connector.cli.output import stderr

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<20}"),
        TextColumn("{task.fields[done]:>10}"),
        TextColumn("{task.fields[rate]:>11}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[why]}"),
    )
    with Progress(*columns, console=stderr(), transient=True) as live:
        yield _Live(live)
