"""Stopping in good order on SIGINT and SIGTERM.

Owns: turning the first signal into a wish to stop, and the exit code 128 + signal.
Never does: stopping anything itself; the work asks between batches.
Tested in: tests/unit/cli/test_app.py.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

STOPPING = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Asked between batches: `if stop():` finish and settle what is in flight, then return."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        """Whether the person or the scheduler wants the work to end."""
        return self.signal is not None


def _nobody_waits() -> None:
    return None


@contextmanager
def stop_in_good_order(wake: Callable[[], None] = _nobody_waits) -> Iterator[Stop]:
    """The first signal is a wish the block may finish its batch on, the second interrupts it.

    `wake` is called in the handler, for work that waits; it must be reentrant.

    When a signal came, leaving the block raises `typer.Exit` with 130 (SIGINT) or 143 (SIGTERM),
    also in the place of the exit code the block meant to end with: what was done until then is told
    inside of it.
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in STOPPING}

    def wish(number: int, _: FrameType | None) -> None:
        stop.signal = number
        wake()
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in STOPPING:
        signal.signal(number, wish)
    try:
        yield stop
    except typer.Exit:
        if stop.signal is None:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.signal is not None:
        raise typer.Exit(128 + stop.signal)


@contextmanager
def heard_on_hangup(heard: Callable[[], None]) -> Iterator[None]:
    """Inside the block SIGHUP calls `heard`, which must be reentrant, where there is such a signal.

    Outside it ends the process, as it does any other.
    """
    number = getattr(signal, "SIGHUP", None)
    if number is None:
        yield
        return
    before = signal.signal(number, lambda _number, _frame: heard())
    try:
        yield
    finally:
        signal.signal(number, before)


def exit_on_sigterm() -> None:
    """Let SIGTERM end any command like SIGINT does: unwinding, with 143."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
