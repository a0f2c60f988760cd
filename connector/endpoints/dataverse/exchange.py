"""One JSON object asked for, or one thing changed, beside the traffic of rows.

Owns: the request, and what a refusal or a lost answer of it means to a person.
Never does: knowing what is read or changed.
Tested in: tests/unit/endpoints/dataverse/test_administration.py, test_rights.py, test_webhooks.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from connector.endpoints.dataverse.faults import access_error, fault_of, refused, unreadable
from connector.endpoints.web.answers import Lost, Reply, Unsent
from connector.endpoints.web.transport import Transport
from connector.errors import MapError, Subject, UnreachableError

Json = dict[str, Any]
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Exchange:
    """Single requests to one organization."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def read(self, url: str, entity: str, user: int | None = None) -> Json:
        """The object at `url`, asked for as one of our users.

        `entity` is what an error is about. Raises `AccessError`, `MapError`,
        `UnreachableError`.
        """
        reply = self._transport.get(url, user=user)
        if reply.status != 200:
            fault = fault_of(reply.status, reply.headers, reply.body)
            raise (
                access_error(fault, None)
                if reply.status == 403
                else refused(fault, entity, f"GET {url}")
            )
        try:
            answer = orjson.loads(reply.body)
            if not isinstance(answer, dict):
                raise TypeError("not an object")
        except (orjson.JSONDecodeError, TypeError) as error:
            raise unreadable(entity, f"GET {url}", error) from error
        return answer

    def change(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        what: object,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Carry out one change; `what` says it in a sentence after "Dataverse refuses to".

        Raises `AccessError` (`privilege-missing`), `MapError` (`provision-refused`), and
        `UnreachableError`, where it may have happened all the same.
        """
        content = None if body is None else orjson.dumps(body)
        answer = self._transport.send(method, url, content, {**_JSON, **(headers or {})})
        if not isinstance(answer, Reply):
            text = answer.text if isinstance(answer, Lost | Unsent) else "held back by its limits"
            raise UnreachableError(
                "unreachable",
                f"{self._transport.origin} gives no answer",
                remedy="run the command again: it finds out what was done, and goes on",
                subject=Subject(side="dataverse"),
                tried=str(what),
                cause=text,
            )
        if answer.status >= 400:
            fault = fault_of(answer.status, answer.headers, answer.body)
            if answer.status == 403:
                raise access_error(fault, None)
            raise MapError(
                "provision-refused",
                f"Dataverse refuses to {what}",
                remedy="mend what the cause names, then run the command again: it goes on where "
                "it stopped",
                subject=Subject(side="dataverse"),
                cause=str(fault),
            )
        if answer.body and "json" not in answer.headers.get("Content-Type", "").lower():
            # A proxy's page: nothing happened, whatever its status says.
            raise unreadable("definitions", f"{method} {url}", ValueError("it is not JSON"))
        return answer
