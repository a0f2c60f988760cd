"""Change tracking: full reads that end in a delta link, and what changed since one.

Owns: delta tokens, their order of entries, their expiry.
Never does: plain reads (`queries.py`).
Tested in: tests/integration/sandbox/test_tracking.py.

Facts: "Dataverse Web API: use-change-tracking-synchronize-data-external-systems". A token is
`<version>!<time>`; changed rows come by version, deletions last, a row once with its present
values. The version in a token is that of the first page's request, so nothing that happens
while pages are read can be missed.
"""

from __future__ import annotations

import re
import time
from calendar import timegm
from typing import Any

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Request, json_response
from connector.sandbox.dataverse.reading.options import Options
from connector.sandbox.dataverse.reading.paging import MAX_PAGE, Cookie, link, parse_cookie
from connector.sandbox.dataverse.reading.projections import JsonRow, Projection
from connector.sandbox.dataverse.reading.queries import Queries, applied, context, count_text
from connector.sandbox.dataverse.writing.records import Records
from connector.sandbox.messages import Response

_TOKEN = re.compile(r"(\d+)!(.{19})")
_TIME = "%m/%d/%Y %H:%M:%S"
_REFUSED = ("$filter", "$orderby", "$expand", "$top")
_EXPIRED_BELOW = "expired-below"
DAY_SECONDS = 86_400


class Tracking:
    """Tracked reads of one organization."""

    def __init__(self, records: Records, queries: Queries) -> None:
        self._storage = records.storage
        self._now = records.storage.clock.now
        self._execute = records.storage.connection.execute
        self._queries = queries

    def covers(self, request: Request, options: Options) -> bool:
        """Whether this read of a collection is a tracked one."""
        if options.delta_token is not None or request.preferences.track_changes:
            return True
        return options.skip_token is not None and parse_cookie(options.skip_token).tracking

    def page(self, table: Table, request: Request, options: Options) -> Response:
        """One page of a tracked read. Raises `WireError`."""
        self._check(table, options)
        shape = self._queries.projection(table, options.select, request.preferences.annotations)
        size = min(request.preferences.page_size or MAX_PAGE, MAX_PAGE)
        if options.skip_token is None:
            cookie = Cookie(1, tracking=True, token=self._new_token())
        else:
            cookie = parse_cookie(options.skip_token)
        if options.delta_token is None:
            entries, follow = self._snapshot(table, shape, cookie, size)
            suffix = ""
        else:
            since = self._open_token(options.delta_token)
            entries, follow = self._changes(table, shape, cookie, size, since, request.base)
            suffix = "/$delta"
        body: dict[str, Any] = {"@odata.context": context(request.base, table, options, suffix)}
        tokens: dict[str, str] = {}
        if follow is None:
            tokens["$deltatoken"] = cookie.token
        else:
            if options.delta_token is not None:
                tokens["$deltatoken"] = options.delta_token
            tokens["$skiptoken"] = follow.text(table.id_column)
        name = "@odata.deltaLink" if follow is None else "@odata.nextLink"
        body[name] = link(request.base, request.path, request.query, tokens)
        body["value"] = entries
        return json_response(body, headers=applied(request.preferences))

    def count(self, table: Table, options: Options) -> Response:
        """`GET set/$count?$deltatoken=…`: how many entries the delta would have."""
        self._check(table, options)
        since = self._open_token(options.delta_token or "")
        (number,) = self._execute(
            f'SELECT (SELECT count(*) FROM "{table.name}" WHERE versionnumber > ?) + '
            "(SELECT count(*) FROM tombstones WHERE entity = ? AND version > ?)",
            (since, table.name, since),
        ).fetchone()
        return count_text(int(number))

    def expire(self) -> None:
        """From now on every delta token given out so far has expired."""
        self._storage.set_setting(_EXPIRED_BELOW, str(self._storage.next_version()))

    # ------------------------------------------------------------------------ pages

    def _snapshot(
        self, table: Table, shape: Projection, cookie: Cookie, size: int
    ) -> tuple[list[JsonRow], Cookie | None]:
        found = self._execute(
            f'SELECT {shape.sql} FROM "{table.name}" WHERE "{table.id_column}" > ? '
            f'ORDER BY "{table.id_column}" LIMIT ?',
            (cookie.last, size + 1),
        ).fetchall()
        rows = shape.rows(found[:size])
        if len(found) <= size:
            return rows, None
        return rows, Cookie(
            cookie.page + 1,
            first=rows[0][table.id_column],
            last=rows[-1][table.id_column],
            tracking=True,
            token=cookie.token,
        )

    def _changes(
        self, table: Table, shape: Projection, cookie: Cookie, size: int, since: int, base: str
    ) -> tuple[list[JsonRow], Cookie | None]:
        """Rows above `since` up to the version of the first page, then deletions likewise.

        A row that changes again meanwhile leaves this range and is in the next delta.
        """
        until = _version_of(cookie.token)
        entries: list[JsonRow] = []
        more, version, deleted = False, cookie.version or since, cookie.deleted
        if not deleted:
            found = self._execute(
                f'SELECT {shape.sql} FROM "{table.name}" WHERE versionnumber > ? '
                "AND versionnumber <= ? ORDER BY versionnumber LIMIT ?",
                (version, until, size + 1),
            ).fetchall()
            entries = shape.rows(found[:size])
            more = len(found) > size
            if more:
                version = int(entries[-1]["@odata.etag"][3:-1])
            else:
                version, deleted = since, True
        if not more:
            room = size - len(entries)
            gone = self._execute(
                "SELECT id, version FROM tombstones WHERE entity = ? AND version > ? "
                "AND version <= ? ORDER BY version LIMIT ?",
                (table.name, version, until, room + 1),
            ).fetchall()
            mark = f"{base}/$metadata#{table.set_name}/$deletedEntity"
            entries += [
                {"@odata.context": mark, "id": record, "reason": "deleted"}
                for record, _ in gone[:room]
            ]
            more = len(gone) > room
            version = gone[room - 1][1] if more and room else version
        if not more:
            return entries, None
        first, last = (
            str(row.get(table.id_column) or row["id"]) for row in (entries[0], entries[-1])
        )
        return entries, Cookie(
            cookie.page + 1,
            first,
            last,
            tracking=True,
            token=cookie.token,
            version=version,
            deleted=deleted,
        )

    # ------------------------------------------------------------------------ tokens

    def _check(self, table: Table, options: Options) -> None:
        if not table.change_tracking:
            raise errors.tracking_not_enabled(table.name)
        for name in _REFUSED:
            if name in options.given:
                raise errors.tracking_option(name)

    def _new_token(self) -> str:
        return f"{self._storage.version}!{time.strftime(_TIME, time.gmtime(self._now()))}"

    def _open_token(self, token: str) -> int:
        """The version to read on from. Raises `WireError` for an expired token."""
        match = _TOKEN.fullmatch(token)
        try:
            issued = timegm(time.strptime(match[2], _TIME)) if match else None
        except ValueError:
            issued = None
        if match is None or issued is None:
            raise errors.bad_request("The delta token is not valid.", "0x80040203")
        version = int(match[1])
        below = int(self._storage.setting(_EXPIRED_BELOW) or 0)
        too_old = self._now() - issued > self._life_days() * DAY_SECONDS
        if too_old or not below <= version <= self._storage.version:
            raise errors.token_expired()
        return version

    def _life_days(self) -> int:
        (days,) = self._execute("SELECT expirechangetrackingindays FROM organization").fetchone()
        return int(days)


def _version_of(token: str) -> int:
    return int(token.partition("!")[0])
