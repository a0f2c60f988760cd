"""This process among others: its time, its memory, its name in leases, and who has died.

Owns: clocks that nobody sets, sleep that a signal ends, the cycle collector, telling one life of a
process id from the next.
Never does: ending anything.
Tested in: tests/unit/test_process.py.
"""

from __future__ import annotations

import gc
import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
_NAMESPACE = _PROC / "self/ns/pid"
_SLICE = 0.1
"""Seconds after which a signal is heard."""


def monotonic() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps.

    Where a system has no such clock, a worker that was suspended finds out when it commits.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def sleeper(stopping: Callable[[], bool]) -> Callable[[float], None]:
    """Sleeping that ends with the wish to stop, so that no signal waits for a side that is away."""

    def sleep(seconds: float) -> None:
        while seconds > 0:
            time.sleep(min(seconds, _SLICE))  # at least once: whoever asks again must not spin
            if stopping():
                return
            seconds -= _SLICE

    return sleep


@contextmanager
def rarely_collecting() -> Iterator[None]:
    """Run the cycle collector seldom: a load makes millions of tuples and hardly a cycle.

    With the default thresholds the collector walks the pages in flight again and again, a fifth
    of all processor time.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def own_name() -> str:
    """This process as leases name it: HOST[WHERE]/ID.BEGAN.

    WHERE tells machines of one name apart, and containers of one machine; BEGAN tells the lives of
    one process id apart, which a container gives to each of its restarts.
    """
    return f"{_host()}/{os.getpid()}{_dotted(_began(os.getpid()))}"


def gone(name: str) -> bool:
    """Whether a name in a lease is that of a process beside this one that has died.

    As after `kill -9`. Of other machines and containers nobody here knows: then the lease expires.
    """
    host, _, process = name.rpartition("/")
    id, _, began = process.partition(".")
    if host != _host() or not id.isdecimal() or os.name != "posix":
        return False
    try:
        os.kill(int(id), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # alive, and of another user
    return bool(began) and _began(int(id)) != began


def _host() -> str:
    """The host's name and, where it tells, which boot of it and whose process ids these are."""
    name = socket.gethostname()
    try:
        where = f"{_BOOT.read_text('ascii').strip()} {_NAMESPACE.stat().st_ino}"
    except OSError:
        return name
    return f"{name}[{hashlib.sha256(where.encode()).hexdigest()[:8]}]"


def _began(id: int) -> str:
    """When a process began, in ticks since the machine did; empty where nobody tells."""
    try:
        told = (_PROC / str(id) / "stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    # proc(5): the name, in parentheses, may hold anything; the 22nd field is the 20th after it.
    return told.rpartition(")")[2].split()[19]


def _dotted(text: str) -> str:
    return f".{text}" if text else ""
