"""A scripted service: answers written by hand, requests kept for inspection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import responses
from requests import PreparedRequest

from connector.endpoints.web.patience import Patience

Answer = tuple[int, Mapping[str, str], Any]


class Service:
    """Answers by method and URL, in the order they were scripted; the last one stays.

    An answer scripted with a query is for that link alone, one without for any query.
    """

    scheme = "Bearer"

    def __init__(self, mock: responses.RequestsMock, api: str) -> None:
        self.mock = mock
        self.api = api
        self.slept: list[float] = []
        self.seconds = 0.0
        self.patience = Patience(
            4, sleep=self.sleep, random=lambda: 1.0, monotonic=lambda: self.seconds
        )
        self.tokens_rejected: list[str] = []
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        self.step = timedelta(0)
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(".*"), self._answer)

    def on(
        self,
        method: str,
        path: str,
        status: int = 200,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json; odata.metadata=minimal",
    ) -> None:
        """Script one answer; `path` within the API, or an absolute link."""
        ready = body is None or isinstance(body, str | bytes | Exception)
        answer = (status, {"Content-Type": content_type, **(headers or {})}, body or "")
        if not ready:
            answer = (*answer[:2], json.dumps(body))
        url = path if "://" in path else self.api + path
        self._answers.setdefault((method, unquote(url)), []).append(answer)

    def forget(self, method: str, url: str) -> None:
        """Drop what was scripted for this link."""
        del self._answers[method, unquote(url)]

    def _answer(self, request: PreparedRequest) -> Answer:
        link = unquote(request.url or "")
        for url in (link, link.partition("?")[0]):
            waiting = self._answers.get((request.method or "", url))
            if waiting:
                return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        raise AssertionError(f"not scripted: {request.method} {request.url}")

    def error(self, method: str, path: str, status: int, code: str, message: str = "x") -> None:
        self.on(method, path, status, {"error": {"code": code, "message": message}})

    def calls(self, method: str, part: str) -> list[PreparedRequest]:
        """Requests so far whose URL contains `part`."""
        made = (call.request for call in self.mock.calls)
        return [one for one in made if one.method == method and part in (one.url or "")]

    # ports of the endpoint

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def clock(self) -> datetime:
        self.now += self.step
        return self.now

    def token(self, rejected: str | None = None) -> str:
        if rejected is not None:
            self.tokens_rejected.append(rejected)
        return f"token-{len(self.tokens_rejected)}"


def query(request: PreparedRequest) -> dict[str, str]:
    """The decoded query options."""
    return dict(parse_qsl(urlsplit(request.url or "").query))
