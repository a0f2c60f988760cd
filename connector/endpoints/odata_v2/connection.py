"""The line pyodata talks over: its requests go out through our transport.

Owns: what pyodata takes for a session, the CSRF token, and that its loggers keep quiet.
Never does: retrying (the transport's), reading entities.
Tested in: tests/unit/endpoints/odata_v2/test_line.py.

Facts: pyodata calls `request` without a timeout and knows no CSRF token; at INFO it logs the
values of every field, at DEBUG whole bodies. SAP services give a token to a GET that asks with
`X-CSRF-Token: Fetch`, tie it to a cookie, and refuse a write without it by 403 with
`X-CSRF-Token: Required`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from connector.endpoints.odata_v2.faults import refused, unreadable
from connector.endpoints.web.answers import Answer, Reply
from connector.endpoints.web.governor import Call
from connector.endpoints.web.transport import Transport

_LOGGERS = ("pyodata", "pyodata.client", "pyodata.model", "pyodata.service")
_TOKEN = "X-CSRF-Token"  # noqa: S105  # the name of a header


def hush() -> None:
    """Keep pyodata from logging: card numbers are personal data, and it logs every value.

    Each of its loggers by itself, because a level set on one of them is not the parent's matter.
    """
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.disabled = True
        logger.setLevel(logging.CRITICAL + 1)


class Received(NamedTuple):
    """An answer as pyodata's handlers are given it."""

    url: str
    status_code: int
    headers: Mapping[str, str]
    content: bytes


class Clock(NamedTuple):
    """What time it is at the service, and by how much its clock goes before ours."""

    told: datetime
    offset: timedelta


class Connection:
    """What stands for a session in pyodata's requests. Safe from several threads."""

    def __init__(self, transport: Transport, *, csrf: bool) -> None:
        hush()
        self.transport = transport
        self.side = transport.naming.side
        self._csrf = csrf
        self._lock = threading.Lock()
        self._token: str | None = None

    @property
    def url(self) -> str:
        """The service root, as pyodata puts its paths behind it."""
        return self.transport.base

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the transport has its own
        params: str = "",
        data: Any = None,
    ) -> Received:
        """Carry out a read of pyodata; raises `UnreachableError`, `AccessError`, `MapError`."""
        assert method == "GET", "writes go out in batches, where a lost reply is no exception"
        assert data is None
        # It spells a blank as in a form, which not every service reads as one in a query.
        query = params.replace("+", "%20").replace("%24", "$")
        entity = urlsplit(url).path.rpartition("/")[2]
        return self.get(f"{url}?{query}" if query else url, entity)

    def get(self, url: str, entity: str | None = None) -> Received:
        """The good answer to a read; raises likewise."""
        reply = self.transport.get(url)
        if reply.status != 200:
            tried = f"GET {url.partition('?')[0]}"
            if reply.status < 400:
                where = reply.headers.get("Location", "no place")
                raise unreadable(
                    self.side, entity, tried, f"status {reply.status}, leading to {where}"
                )
            raise refused(self.transport.fault_of(reply), self.side, entity, tried)
        return Received(url, reply.status, reply.headers, reply.body)

    def resolved(self, link: str, of: str) -> str:
        """A link of an answer, which some services write without their own address."""
        return urljoin(of if "://" in of else self.url + of, link)

    def clock(self) -> Clock:
        """The service's clock, as the root answers it; our own where the service tells none."""
        reply = self.transport.get("")
        half = reply.sent_at + (reply.received_at - reply.sent_at) / 2
        try:
            # Cut to whole seconds, and always GMT (RFC 9110, section 5.6.7).
            told = parsedate_to_datetime(reply.headers.get("Date", "")).replace(tzinfo=UTC)
        except ValueError:
            return Clock(half, timedelta(0))
        told += timedelta(milliseconds=500)
        return Clock(told, told - half)

    # ------------------------------------------------------------------------ writes

    def post(self, path: str, body: bytes, headers: Mapping[str, str], call: Call) -> Answer:
        """The answer to a write, or how it went missing; refused for its token, it is sent anew.

        Raises `UnreachableError` and `AccessError` where certainly nothing happened.
        """
        if not self._csrf:
            return self.transport.post(path, body, headers, call)
        token = self._current(None)
        answer = self.transport.post(path, body, _with(headers, token), call)
        if isinstance(answer, Reply) and _wants_token(answer):
            token = self._current(token)
            answer = self.transport.post(path, body, _with(headers, token), call)
        return answer

    def _current(self, refused: str | None) -> str:
        """The token in use, another one than `refused`; empty where the service has none."""
        with self._lock:
            if self._token is None or self._token == refused:
                reply = self.transport.get("", headers={_TOKEN: "Fetch"})
                told = reply.headers.get(_TOKEN, "")
                self._token = "" if told.lower() == "required" else told
            return self._token


def _wants_token(reply: Reply) -> bool:
    return reply.status == 403 and reply.headers.get(_TOKEN, "").lower() == "required"


def _with(headers: Mapping[str, str], token: str) -> Mapping[str, str]:
    return {**headers, _TOKEN: token} if token else headers
