"""Answers that are none: dropped, cut, or something else in their place.

Owns: what a client meets instead of an answer.
Never does: deciding which request meets it (`faults.py`).
Tested in: tests/integration/sandbox/test_faults.py.
"""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connector.sandbox.faults import FaultKind

DROP = "sandbox.drop"
"""Key of the scope's state: closes the connection at once, without an answer."""
FLUSH_SECONDS = 0.05
PROXY_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head>"
    b"<body><h1>Sign in to the network</h1></body></html>"
)
ERROR_PAGE = (
    b"<!DOCTYPE html><html><head><title>Runtime Error</title></head>"
    b"<body><h1>Server Error in '/' Application.</h1></body></html>"
)


class Dropped(Response):
    """No answer at all: the connection goes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Close, and wait until the server has noticed; nothing is sent."""
        scope["state"][DROP]()
        while (await receive())["type"] != "http.disconnect":
            pass


class Cut(Response):
    """Half of the answer, then the connection goes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers of the whole and a part of the body, and close."""
        headers = [*self.raw_headers]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await asyncio.sleep(FLUSH_SECONDS)  # what is still in the buffer would go with it
        scope["state"][DROP]()
        while (await receive())["type"] != "http.disconnect":
            pass


def spoiled(kind: FaultKind | None) -> Response | None:
    """What comes in place of an answer, where the request does not even happen."""
    if kind is FaultKind.DROP:
        return Dropped()
    if kind is FaultKind.HTML:
        return Response(PROXY_PAGE, media_type="text/html")
    if kind is FaultKind.EMPTY:
        return Response()
    if kind is FaultKind.ERROR_PAGE:
        return Response(ERROR_PAGE, 500, media_type="text/html")
    return None
