"""What live mode is asked and told over HTTP: its health, and notices of Dataverse.

Owns: the routes, what a notice says.
Never does: believing a notice: it names a table that may have changed, and the feed tells what
happened. Lost, repeated, late and invented notices cost a look at the feed at most.
Tested in: tests/unit/live/test_server.py, tests/acceptance/test_serve.py.

Facts: "Dataverse: use-webhooks" (JSON of the execution context, up to 256 KB; any 2xx counts as
success, only 502, 503 and 504 are sent once more, after 60 s at the latest).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.live import events
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

NOTICES = "/webhooks/dataverse"
OWN = "own"
KINDS = (TAKEN, OWN, UNRELATED, WRONG_KEY, MALFORMED, TOO_LARGE)

_LOG = logging.getLogger(__name__)


class Receiver:
    """The application. `hear` is told the table of each notice that is taken; it must not wait.

    Without a `key` no notice is taken. `others` are routes of further senders.
    """

    def __init__(
        self,
        board: Board,
        key: str | None,
        hear: Callable[[str], None],
        others: Sequence[Route] = (),
    ) -> None:
        self._board = board
        self._others = others
        self._key = None if key is None else key.encode()
        self._hear = hear
        self.users: frozenset[str] = frozenset()
        """Under which our own writes appear: their notices are no news."""
        self.tables: frozenset[str] | None = None
        """The tables of the maps as notices call them; None while they are not known."""

    def application(self) -> Starlette:
        """The routes as an ASGI application."""
        return Starlette(
            routes=[
                Route("/health", self._health, methods=["GET"]),
                Route("/health/live", self._live, methods=["GET"]),
                Route("/health/active", self._active, methods=["GET"]),
                Route(NOTICES, self._notice, methods=["POST"]),
                *self._others,
            ]
        )

    # ------------------------------------------------------------------------ health

    async def _health(self, _request: Request) -> Response:
        return self._answer(self._board.ready)

    async def _live(self, _request: Request) -> Response:
        return self._answer(self._board.live)

    async def _active(self, _request: Request) -> Response:
        return self._answer(self._board.active)

    def _answer(self, well: bool) -> Response:
        body = orjson.dumps(self._board.as_dict(KINDS, events.KINDS))
        return Response(body, 200 if well else 503, media_type="application/json")

    # ------------------------------------------------------------------------ notices

    async def _notice(self, request: Request) -> Response:
        try:
            if self._key is None:
                why = "no notices are taken here: serve.webhook_key is not set"
                raise Refused(404, WRONG_KEY, why)
            check_key(request, self._key)
            kind, table = self._understood(await whole_body(request))
        except Refused as refused:
            self._count_refused(refused)
            return Response(str(refused), refused.status, media_type="text/plain")
        self._board.count(kind)
        if kind == TAKEN:
            self._hear(table)
        return Response(status_code=202)

    def _understood(self, body: bytes) -> tuple[str, str]:
        """What kind of notice it is, and of which table."""
        try:
            context: Any = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Refused(400, MALFORMED, "the notice is not JSON") from error
        table = context.get("PrimaryEntityName") if isinstance(context, dict) else None
        if not isinstance(table, str) or not table:
            raise Refused(400, MALFORMED, "the notice names no table in PrimaryEntityName")
        if self.tables is not None and table not in self.tables:
            return UNRELATED, table
        # What a plug-in does because of our write has the same user, and is news.
        direct = context.get("Depth") == 1
        own = str(context.get("InitiatingUserId")).lower() in self.users
        return (OWN if direct and own else TAKEN), table

    def _count_refused(self, refused: Refused) -> None:
        """Count it; log the first of a kind and every hundredth, as anybody may send them."""
        seen = self._board.count(refused.kind)
        if seen == 1 or seen % 100 == 0:
            _LOG.warning("a notice was refused (%s, %d so far): %s", refused.kind, seen, refused)
