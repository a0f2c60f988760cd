"""Requests that read: an answer as an object, or an error that says what is wrong.

Owns: query strings, following links, telling OData from anything else that may answer.
Never does: writes (`writes.py`); knowing a column.
Tested in: tests/unit/endpoints/odata_v4/test_reads.py.

Facts: OData JSON format 4.01, section 4.5.7 (`@odata.nextLink` may be relative to the request) and
OData protocol 4.01, section 8.2.8.6 (`maxpagesize` is a wish). A link is followed as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import urljoin

import orjson

from connector.endpoints.odata_v4.faults import plain, refused, unreadable
from connector.endpoints.web.answers import Reply
from connector.endpoints.web.transport import Transport, is_absolute
from connector.odata.queries import query_string

Item: TypeAlias = dict[str, Any]
Loads: TypeAlias = Callable[[bytes], Any]
"""Reads JSON; raises `ValueError`."""

NEXT = "@odata.nextLink"


class Client:
    """Reads of one service. `page_size` is asked for; `options` go with every list."""

    def __init__(self, transport: Transport, page_size: int, options: Mapping[str, str]) -> None:
        self.transport = transport
        self.naming = transport.naming
        self._prefer = f"odata.maxpagesize={page_size}"
        self._options = options

    def url(self, path: str, options: Mapping[str, str]) -> str:
        """`path?$select=…`, with the options of every request."""
        query = query_string({**self._options, **options})
        return f"{path}?{query}" if query else path

    def pages(self, entity: str, url: str, loads: Loads) -> Iterator[tuple[list[Item], str | None]]:
        """Rows of a list and the link to the next page, page by page; at least one.

        Each page is fetched when it is asked for. Raises `AccessError`, `MapError`,
        `UnreachableError`.
        """
        link: str | None = url
        while link is not None:
            answer = self.object(link, entity, loads, prefer=self._prefer)
            items, after = answer.get("value"), answer.get(NEXT)
            if not isinstance(items, list):
                raise unreadable(self.naming, entity, tried(link), "it has no list of values")
            following = None if after is None else self.absolute(link, str(after))
            if following == link:
                raise unreadable(self.naming, entity, tried(link), "it leads back to itself")
            link = following
            yield items, link

    def absolute(self, asked: str, link: str) -> str:
        """A link of an answer; a relative one counts from what was asked."""
        return link if is_absolute(link) else urljoin(urljoin(self.transport.base, asked), link)

    def object(
        self,
        url: str,
        entity: str | None,
        loads: Loads = orjson.loads,
        *,
        prefer: str | None = None,
        timeout: float | None = None,
    ) -> Item:
        """The object at a URL; raises as `pages` does."""
        reply = self.transport.get(url, prefer, timeout=timeout)
        if reply.status != 200:
            raise refused(self.naming, self.transport.fault_of(reply), entity, tried(url))
        return self.read(reply, entity, url, loads)

    def read(self, reply: Reply, entity: str | None, url: str, loads: Loads) -> Item:
        """The object in an answer; raises `UnreachableError`."""
        try:
            answer = loads(reply.body)
        except ValueError as error:
            raise unreadable(self.naming, entity, tried(url), _looks_like(reply)) from error
        if not isinstance(answer, dict):
            raise unreadable(self.naming, entity, tried(url), "it is JSON, but no object")
        return answer


def tried(url: str) -> str:
    """What an error says was asked: without the filter, which holds the numbers of cards."""
    return f"GET {url.partition('?')[0]}"


def _looks_like(reply: Reply) -> str:
    """What an answer is that is no JSON."""
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not reply.body.strip():
        return "it is empty"
    if "json" in kind:
        return f"its JSON breaks off or is damaged ({len(reply.body)} bytes)"
    return f"it is {kind or 'of no type'}: {plain(reply.body)}"
