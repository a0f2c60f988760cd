"""Where a commerce system sends its events.

Owns: the route of each side, what an event is answered with, counting.
Never does: understanding an event, which whoever listens for the side does; believing one.
Tested in: tests/unit/live/test_events.py.

Facts: "Business events: home page" (three tries one second apart; the address is proven with a
test event that wants a quick 2xx).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.live.board import Board
from connector.live.posted import (
    MALFORMED,
    TAKEN,
    TOO_LARGE,
    UNRELATED,
    WRONG_KEY,
    Refused,
    check_key,
    whole_body,
)

REPEATED = "repeated"
KINDS = (TAKEN, REPEATED, UNRELATED, WRONG_KEY, MALFORMED, TOO_LARGE)

_LOG = logging.getLogger(__name__)


class Heard(Protocol):
    """What became of an event."""

    @property
    def kind(self) -> str:
        """One of `taken`, `repeated`, `unrelated`."""
        ...

    @property
    def entities(self) -> Sequence[str]:
        """The entities that may have changed."""
        ...


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens for the events of one side, and the key they must bring."""

    side: str
    key: str
    hear: Callable[[bytes], Heard]
    """Takes in the body of an event at once; raises `ValueError` for what is none."""


class Events:
    """Takes the events of one side; `wake` is told of each entity one is about."""

    def __init__(self, board: Board, listener: Listener, wake: Callable[[str], None]) -> None:
        self._board = board
        self._key = listener.key.encode()
        self._hear = listener.hear
        self._wake = wake
        self._side = listener.side

    def route(self) -> Route:
        """Where they are posted to."""
        return Route(f"/webhooks/{self._side}", self._event, methods=["POST"])

    async def _event(self, request: Request) -> Response:
        try:
            check_key(request, self._key)
            heard = self._understood(await whole_body(request))
        except Refused as refused:
            seen = self._board.count(refused.kind, "events")
            if seen == 1 or seen % 100 == 0:
                _LOG.warning(
                    "an event of %s was refused (%s, %d so far): %s",
                    self._side,
                    refused.kind,
                    seen,
                    refused,
                )
            return Response(str(refused), refused.status, media_type="text/plain")
        self._board.count(heard.kind, "events")
        for entity in heard.entities:
            self._wake(entity)
        return Response(status_code=202)

    def _understood(self, body: bytes) -> Heard:
        try:
            return self._hear(body)
        except ValueError as error:
            raise Refused(400, MALFORMED, str(error)) from error
