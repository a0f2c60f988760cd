"""How far the work is, on stderr, while it runs.

Owns: the live line of counts and rates at a terminal; silence in a pipe.
Never does: counting for anybody else.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[str, int], None]]:
    """A callback (step, how many more) that shows each step with its total and rate."""
    if quiet or not sys.stderr.isatty():
        yield lambda _step, _count: None
        return
    from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    from connector.cli.output import stderr

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<20}"),
        TextColumn("{task.completed:>10,.0f}"),
        TextColumn("{task.fields[rate]:>9,.0f}/s"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=stderr(), transient=True) as live:
        tasks: dict[str, TaskID] = {}

        def told(step: str, count: int) -> None:
            if step not in tasks:
                tasks[step] = live.add_task(step, total=None, rate=0.0)
            task = live.tasks[list(tasks).index(step)]
            rate = (task.completed + count) / max(task.elapsed or 0.0, 0.1)
            live.update(tasks[step], advance=count, rate=rate)

        yield told
