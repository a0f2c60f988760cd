"""A small CRM in the browser: what an agent would see, from the same rows.

Owns: lists of cards and point kinds, search, the page of one record with what belongs to it and
what can be filed about it, as plain HTML.
Never does: reading or writing the database; it asks the service as the agent, so rights, column
security and formatted values are those of the Web API.
Tested in: tests/integration/sandbox/test_pages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from connector.odata.literals import GUID, literal
from connector.sandbox.dataverse.definitions.tables import Column, Table
from connector.sandbox.dataverse.pages.asking import PAGE_SIZE, Asking
from connector.sandbox.dataverse.pages.filing import Filing
from connector.sandbox.dataverse.pages.related import freshness, related
from connector.sandbox.dataverse.service import Service
from connector.sandbox.html_parts import HEADERS, STYLE_PATH, Site, link, page, shown, style
from connector.sandbox.html_parts import table as table_of
from connector.sandbox.messages import Response

ROOT = "/crm"
SITE = Site("sandbox CRM", ROOT)


@dataclass(frozen=True, slots=True)
class View:
    """One list: its table and the columns shown; the first one leads to the record."""

    slug: str
    table: str
    columns: tuple[str, ...]


VIEWS = (
    View(
        "cards",
        "msdyn_loyaltycard",
        (
            "msdyn_cardnumber",
            "msdyn_cardtendertype",
            "msdyn_partynumber",
            "msdyn_enrollmentdate",
            "msdyn_replacementcardnumber",
            "modifiedon",
            "modifiedby",
        ),
    ),
    View(
        "points",
        "msdyn_loyaltyrewardpoint",
        (
            "msdyn_rewardpointid",
            "msdyn_rewardpointtype",
            "msdyn_rewardpointcurrency",
            "msdyn_redeemable",
            "msdyn_expirationtimevalue",
            "msdyn_expirationtimeunit",
            "modifiedon",
        ),
    ),
)


class Pages:
    """The pages of one organization, seen by the user with this client id."""

    def __init__(self, service: Service, client_id: str) -> None:
        self._service = service
        self._client_id = client_id
        self._views = {view.slug: view for view in VIEWS}
        self._filing = Filing()

    def answer(self, path: str, query: str, origin: str, filed: bytes | None = None) -> Response:
        """The page at `path` (from `/crm` on); `filed` is the form that was sent to it."""
        if path == ROOT + STYLE_PATH:
            return style()
        slug, _, rest = path.removeprefix(ROOT).strip("/").partition("/")
        record, _, form = rest.partition("/")
        view = self._views.get(slug or VIEWS[0].slug)
        asking = Asking(self._service, self._client_id, origin)
        table = None if view is None else asking.catalog.by_name.get(view.table)
        if (
            view is None
            or (record and GUID.fullmatch(record) is None)
            or bool(form) != (filed is not None)
        ):
            return _not_found()
        if table is None:
            text = "<p>This organization has no loyalty tables yet.</p>"
            return _shown_page(200, "Loyalty", _nav(view), text)
        if filed is not None:
            return self._filed(asking, view, table, record, form, filed)
        if record:
            return self._record(asking, view, table, record)
        asked = parse_qs(query)
        words = asked.get("q", [""])[0].strip()
        return self._list(asking, view, table, words, asked.get("from", [""])[0])

    def _list(self, asking: Asking, view: View, table: Table, words: str, start: str) -> Response:
        columns = [table.columns[name] for name in view.columns if name in table.columns]
        options = {
            "$select": ",".join(column.wire_name for column in columns),
            "$orderby": "modifiedon desc",
            "$count": "true",
        }
        if words:
            options["$filter"] = f"contains({columns[0].wire_name},{literal(words)})"
        if start:
            options["$skiptoken"] = start
        status, body = asking.get(table.set_name, options)
        if status != 200:
            return _refused(view, status, body)
        rows = [
            [
                link(f"{ROOT}/{view.slug}/{row[table.id_column]}", shown(row, columns[0])),
                *(escape(shown(row, column)) for column in columns[1:]),
            ]
            for row in body["value"]
        ]
        number = body["@odata.count"]
        caption = f"{number:,} {table.titles.lower() if number != 1 else table.title.lower()}"
        caption += f" with “{escape(words)}” in {columns[0].label.lower()}" if words else ""
        heads = [column.label for column in columns]
        text = _search(view, columns[0].label, words) + table_of(caption, heads, rows)
        follow = body.get("@odata.nextLink")
        if follow:
            token = parse_qs(urlsplit(follow).query)["$skiptoken"][0]
            target = f"{ROOT}/{view.slug}?{urlencode({'q': words, 'from': token})}"
            text += f"<p>{link(target, f'Next {PAGE_SIZE}')}</p>"
        return _shown_page(200, table.titles, _nav(view), text)

    def _record(self, asking: Asking, view: View, table: Table, record: str) -> Response:
        status, row = asking.get(f"{table.set_name}({record})", {})
        if status != 200:
            return _refused(view, status, row)
        own = [column for column in table.columns.values() if column.custom]
        kept = [column for column in table.columns.values() if not column.custom]
        parts = [
            _fields(title, row, (column for column in columns if column.wire_name in row))
            for title, columns in (("Details", own), ("System", kept))
        ]
        parts[1:1] = [
            related(asking, table, record),
            freshness(asking),
            self._filing.forms(asking, table, f"{ROOT}/{view.slug}/{record}"),
        ]
        name = shown(row, table.columns[table.primary_name])
        return _shown_page(200, f"{table.title} {name}", _nav(view), "".join(parts))

    def _filed(
        self, asking: Asking, view: View, table: Table, record: str, form: str, body: bytes
    ) -> Response:
        """Back to the page of the record, or why nothing was filed."""
        try:
            reply = self._filing.file(asking, table, record, form, body)
        except ValueError as error:
            text = f"<p>{escape(str(error))}</p>"
            return _shown_page(400, "Nothing was filed", _nav(view), text)
        except PermissionError:
            text = "<p>This form was not ours. Open the page anew and fill it in there.</p>"
            return _shown_page(403, "Nothing was filed", _nav(view), text)
        if reply is None:
            return _not_found()
        if reply.status >= 300:
            return _refused(view, reply.status, reply.body)
        return Response(303, {**HEADERS, "Location": f"{ROOT}/{view.slug}/{record}"}, b"")


# ---------------------------------------------------------------------------- HTML


def _not_found() -> Response:
    return _shown_page(404, "Not found", _nav(None), "<p>There is no such page.</p>")


def _nav(current: View | None) -> str:
    titles = {"cards": "Loyalty cards", "points": "Reward points"}
    mark = ' aria-current="page"'
    links = (
        f'<a href="{ROOT}/{view.slug}"{mark if view is current else ""}>{titles[view.slug]}</a>'
        for view in VIEWS
    )
    return f'<nav aria-label="Lists">{" ".join(links)}</nav>'


def _search(view: View, label: str, words: str) -> str:
    return (
        f'<form action="{ROOT}/{view.slug}" role="search"><label for="q">{escape(label)} contains'
        f'</label> <input id="q" name="q" type="search" value="{escape(words)}"> '
        "<button>Search</button></form>"
    )


def _fields(title: str, row: Mapping[str, Any], columns: Iterable[Column]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(column.label)}</th><td>{escape(shown(row, column))}</td>'
        f"<td><code>{escape(column.name)}</code></td></tr>\n"
        for column in columns
    )
    names = ("Field", "Value", "Column")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        f"<table><caption><h2>{title}</h2></caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{lines}</tbody></table>"
    )


def _refused(view: View, status: int, body: Mapping[str, Any]) -> Response:
    error = body["error"]
    text = f"<p>{escape(error['message'])}</p><p><code>{escape(error['code'])}</code></p>"
    return _shown_page(status, "The service refused", _nav(view), text)


def _shown_page(status: int, title: str, nav: str, text: str) -> Response:
    return page(status, title, nav, text, site=SITE)
