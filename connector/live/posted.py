"""What strangers post to live mode, before anybody reads it.

Owns: the check of a key, the bounds of a body, refusals.
Never does: understanding a body (`receiver.py`, `events.py`).
Tested in: tests/unit/live/test_events.py, tests/acceptance/test_serve.py.
"""

from __future__ import annotations

import asyncio
import hmac

from starlette.requests import ClientDisconnect, Request

KEY_HEADER = "x-dualwrite-key"
KEY_OPTION = "code"
"""Where the key stands in an address, for senders that set no header."""
LONGEST = 512 * 1024
"""Bytes of a body: twice what Dataverse sends."""
PATIENCE = 10.0
"""Seconds within which a body has to be there."""

TAKEN, UNRELATED = "taken", "unrelated"
WRONG_KEY, MALFORMED, TOO_LARGE = "wrong_key", "malformed", "too_large"


class Refused(Exception):
    """What is not taken: the status it is answered with, and what it counts as."""

    def __init__(self, status: int, kind: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.kind = kind


def check_key(request: Request, key: bytes) -> None:
    """Raise `Refused`, in a time that does not depend on how much of the key is right."""
    given = request.headers.get(KEY_HEADER) or request.query_params.get(KEY_OPTION) or ""
    if not hmac.compare_digest(given.encode(), key):
        raise Refused(401, WRONG_KEY, "the key is missing or wrong")


async def whole_body(request: Request) -> bytes:
    """The body; raises `Refused` for one that is too long, before it is all here, or too slow."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _body(request)
    except (TimeoutError, ClientDisconnect) as error:
        raise Refused(408, MALFORMED, "the body did not arrive whole in time") from error


async def _body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    too_large = Refused(413, TOO_LARGE, f"a body has {LONGEST} bytes at most")
    if announced.isdecimal() and int(announced) > LONGEST:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            raise too_large
    return bytes(body)
