"""Whole tables and their changes, as pages.

Owns: the tracked read, its delta link, the second look at rows changed meanwhile.
Never does: keeping a position; the caller does, after what it covers is durable.
Tested in: tests/unit/endpoints/dataverse/test_feed.py.

Facts: "Dataverse Web API: use-change-tracking-synchronize-data-external-systems". Deleted
entries carry a bare GUID; `$filter` and `$orderby` are not allowed together with tracking;
links are followed as they are, with the same page size asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import orjson

from connector.endpoints.base import Page, Row
from connector.endpoints.dataverse.faults import fault_of, refused, tracking_off, unreadable
from connector.endpoints.dataverse.metadata import Table, Tables
from connector.endpoints.dataverse.rows import ETAG, Item, Projection
from connector.endpoints.web.answers import Reply
from connector.endpoints.web.transport import Transport
from connector.errors import PositionExpiredError, Subject
from connector.odata.queries import query_string

Mark: TypeAlias = dict[str, Any]
"""What a position or resume text holds."""

_STILL_GOOD = frozenset({401, 403, 408, 429})
"""Refusals of a delta link that do not mean it has expired."""


class _Batch(NamedTuple):
    """One page as it came, with its links."""

    rows: Sequence[Row]
    deleted: Sequence[str]
    next_link: str | None
    delta_link: str | None


class Feed:
    """Scans and change feeds of all tables of one organization."""

    def __init__(self, transport: Transport, tables: Tables, page_size: int) -> None:
        self._transport = transport
        self._tables = tables
        self._page_size = page_size

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """Pages of the whole table; see `Endpoint.scan`.

        The instant a delta link starts from is not documented. So the highest version is
        noted before the first page, and rows above it are read again after the last one.
        """
        table = self._tables.get(entity)
        if not table.tracked:
            raise tracking_off(entity)
        projection = Projection(table, columns)
        if resume is None:
            mark = self._mark(columns, noted=self._highest_version(table))
        else:
            mark = self._parse(entity, columns, resume)
        if mark["delta"] is None:
            mark = yield from self._tracked(table, projection, mark)
        yield from self._changed_meanwhile(table, projection, mark)

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """Pages of changes since `position`; see `Endpoint.changes`.

        `Page.resume` is itself a position.
        """
        table = self._tables.get(entity)
        projection = Projection(table, columns)
        mark = self._parse(entity, columns, position)
        link = mark["delta"]
        if link is None:
            raise expired(entity, "the text is a scan's resume mark, no feed position")
        while True:
            batch = self._page(table, projection, link, self._prefer(), followed=True)
            if batch.next_link is None:
                # Without a new link the old one still covers all that follows.
                kept = batch.delta_link or mark["delta"]
                text = _text(self._mark(columns, delta=kept))
                yield Page(batch.rows, batch.deleted, text, text, last=True)
                return
            link = batch.next_link
            yield Page(batch.rows, batch.deleted, _text(self._mark(columns, delta=link)))

    # ------------------------------------------------------------------------ phases of a scan

    def _tracked(
        self, table: Table, projection: Projection, mark: Mark
    ) -> Generator[Page, None, Mark]:
        """The tracked read; returns the mark after its last page, which has the delta link."""
        link = mark["next"] or f"{table.set_name}?{query_string({'$select': projection.select})}"
        prefer = f"odata.track-changes,{self._prefer()}"
        while mark["delta"] is None:
            followed = mark["next"] is not None
            batch = self._page(table, projection, link, prefer, followed=followed)
            if batch.next_link is None and batch.delta_link is None:
                raise tracking_off(table.set_name, "the last page has no delta link")
            mark = {**mark, "next": batch.next_link, "delta": batch.delta_link}
            link = batch.next_link or ""
            yield Page(batch.rows, batch.deleted, _text(mark))
        return mark

    def _changed_meanwhile(
        self, table: Table, projection: Projection, mark: Mark
    ) -> Iterator[Page]:
        """Rows above the noted version; the last page carries the position."""
        options = {"$select": projection.select, "$filter": f"versionnumber gt {mark['noted']}"}
        link = mark["next"] or f"{table.set_name}?{query_string(options)}"
        position = _text({**mark, "next": None, "noted": 0})
        while True:
            batch = self._page(
                table, projection, link, self._prefer(), followed=link == mark["next"]
            )
            if batch.next_link is None:
                yield Page(batch.rows, resume=position, position=position, last=True)
                return
            link = batch.next_link
            yield Page(batch.rows, resume=_text({**mark, "next": link}))

    def _highest_version(self, table: Table) -> int:
        options = {
            "$select": "versionnumber",
            "$orderby": "versionnumber desc",
            "$top": "1",
        }
        url = f"{table.set_name}?{query_string(options)}"
        values = self._json(table, url, self._get(table, url, None, followed=False), orjson.loads)
        return max((int(item["versionnumber"]) for item in values["value"]), default=0)

    # ------------------------------------------------------------------------ one page

    def _page(
        self, table: Table, projection: Projection, url: str, prefer: str, *, followed: bool
    ) -> _Batch:
        """`followed` says that `url` is a link of the service, which can expire."""
        reply = self._get(table, url, prefer, followed=followed)
        answer = self._json(table, url, reply, projection.loads)
        try:
            items: list[Item] = answer.get("value", [])
            present = [item for item in items if ETAG in item]
            deleted: list[str] = []
            if len(present) != len(items):
                deleted = [_deleted_id(item) for item in items if ETAG not in item]
            return _Batch(
                projection.rows(present),
                deleted,
                answer.get("@odata.nextLink"),
                answer.get("@odata.deltaLink"),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise unreadable(table.set_name, f"GET {url}", error) from error

    def _get(self, table: Table, url: str, prefer: str | None, *, followed: bool) -> Reply:
        reply = self._transport.get(url, prefer)
        if reply.status == 200:
            return reply
        fault = fault_of(reply.status, reply.headers, reply.body)
        if followed and 400 <= reply.status < 500 and reply.status not in _STILL_GOOD:
            raise expired(table.set_name, str(fault))
        raise refused(fault, table.set_name, f"GET {url}")

    def _json(
        self, table: Table, url: str, reply: Reply, loads: Callable[[bytes], Any]
    ) -> dict[str, Any]:
        try:
            answer = loads(reply.body)
        except ValueError as error:
            raise unreadable(table.set_name, f"GET {url}", error) from error
        if not isinstance(answer, dict):
            raise unreadable(table.set_name, f"GET {url}", TypeError("not an object"))
        return answer

    def _prefer(self) -> str:
        return f"odata.maxpagesize={self._page_size}"

    # ------------------------------------------------------------------------ marks

    def _mark(self, columns: Sequence[str], *, noted: int = 0, delta: str | None = None) -> Mark:
        return {"columns": list(columns), "noted": noted, "next": None, "delta": delta}

    def _parse(self, entity: str, columns: Sequence[str], text: str) -> Mark:
        try:
            mark: Mark = json.loads(text)
            taken_for = mark["columns"]
            assert {"noted", "next", "delta"} <= mark.keys()
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            raise expired(entity, "the position cannot be read") from error
        links = [link for link in (mark["next"], mark["delta"]) if link is not None]
        if not all(self._transport.is_own(link) for link in links):
            raise expired(entity, "it belongs to another address")
        if taken_for != list(columns):
            raise expired(entity, "it was taken for other columns")
        return mark


def _text(mark: Mark) -> str:
    return json.dumps(mark, separators=(",", ":"))


def _deleted_id(item: Item) -> str:
    """The id of a deleted entry. Raises `ValueError` for anything else without an ETag."""
    marked = str(item.get("@odata.context", "")).endswith("/$deletedEntity")
    if not marked and item.get("reason") != "deleted":
        raise ValueError("a row without ETag that is no deleted entry")
    return str(item["id"]).lower()


def expired(entity: str, cause: str) -> PositionExpiredError:
    """The feed cannot go on from this position."""
    return PositionExpiredError(
        "position-expired",
        f"the change feed of {entity} cannot be resumed from the stored position",
        remedy="the table is read in full next; sync at least once a week to avoid it",
        subject=Subject(side="dataverse", entity=entity),
        cause=cause,
    )
