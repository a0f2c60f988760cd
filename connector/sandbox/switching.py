"""Switches for tests over HTTP, the same on every stand-in.

Owns: the form of a switch, JSON in and JSON out, and the 400 that says what it could not read.
Never does: knowing a switch (`dataverse/switches.py`, `finops/switches.py`).
Tested in: tests/integration/sandbox/{test_faults,finops/test_faults}.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse

Json: TypeAlias = dict[str, Any]
Act: TypeAlias = Callable[[str, Json], Json]
"""(method, body) to the answer; raises `ValueError`, `TypeError` or `KeyError`."""
OK: Json = {"ok": True}
DAY_SECONDS = 86_400


def answering(
    act: Act, *refusals: type[Exception]
) -> Callable[[HttpRequest], Awaitable[HttpResponse]]:
    """The route of a switch, which may also raise `refusals` for what cannot be."""
    caught: tuple[type[Exception], ...] = (ValueError, TypeError, *refusals)

    async def switch(http: HttpRequest) -> HttpResponse:
        body = await http.body()
        try:
            value = orjson.loads(body) if body else {}
            if not isinstance(value, dict):
                raise TypeError("the body has to be a JSON object")
            answer = act(http.method, value)
        except KeyError as error:
            return _refused(f"{error} is not given, or there is none of that name")
        except caught as error:
            return _refused(str(error))
        return HttpResponse(orjson.dumps(answer), media_type="application/json")

    return switch


def _refused(why: str) -> HttpResponse:
    return HttpResponse(f"{why}\n", status_code=400)
