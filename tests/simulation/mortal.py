"""The store as one process of the simulation sees it.

Owns: that every change of the store is a moment before and after, that the dead cannot call it,
and that a change may fail, with or without having happened.
Never does: keeping anything; it tells `known.py` what has become durable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.errors import StateError
from tests.simulation.process import Killed, Process

CHANGES = frozenset(
    {"commit", "adopt", "wake", "reopen_intents", "start_run", "finish_run", "acquire", "renew"}
)


class MortalStore:
    """A store whose changes are moments before and after."""

    def __init__(
        self, store: Any, process: Process, durable: Callable[[str, tuple[Any, ...]], None]
    ) -> None:
        self._store = store
        self._process = process
        self._durable = durable

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        call = self._change if name in CHANGES else self._question

        def bound(*args: Any, **kwargs: Any) -> Any:
            if self._process.dead:
                raise Killed
            return call(name, method, args, kwargs)

        setattr(self, name, bound)
        return bound

    def _question(self, _name: str, method: Any, args: Any, kwargs: Any) -> Any:
        return method(*args, **kwargs)

    def _change(self, name: str, method: Any, args: Any, kwargs: Any) -> Any:
        process = self._process
        process.progress()
        process.moment(f"before {name}")
        if process.chaos.happens("commit refused"):
            raise StateError("state-busy", "the disk is full", remedy="wait")
        answer = method(*args, **kwargs)
        self._durable(name, args)
        process.moment(f"after {name}")
        if process.chaos.happens("commit unheard"):
            raise StateError("state-busy", "the connection broke", remedy="wait")
        return answer
