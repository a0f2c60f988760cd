"""Where the time of this process goes: what its threads are seen at, some hundred times a second.

Cheap enough not to bend what it measures, as a profiler that follows every call would.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EVERY = 0.004
"""Seconds between two looks."""
WAITING = frozenset(
    {"wait", "_wait_for_tstate_lock", "get", "select", "recv_into", "read", "_worker"}
)


@contextmanager
def sampled() -> Iterator[Counter[str]]:
    """Looks at the thread that opens it; shares by the innermost module of ours."""
    seen: Counter[str] = Counter()
    watched, done = threading.get_ident(), threading.Event()

    def look() -> None:
        while not done.wait(EVERY):
            frame = sys._current_frames().get(watched)
            if frame is not None:
                seen[_place(frame)] += 1

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def _place(frame: FrameType) -> str:
    """`module.function` of the innermost frame of ours; `waiting` where nothing runs."""
    if frame.f_code.co_name in WAITING and "threading" in frame.f_code.co_filename:
        return "waiting for the sandbox"
    one: FrameType | None = frame
    while one is not None:
        module = str(one.f_globals.get("__name__", ""))
        if module.startswith("connector."):
            return f"{module.removeprefix('connector.')}.{one.f_code.co_name}"
        one = one.f_back
    return "elsewhere"
