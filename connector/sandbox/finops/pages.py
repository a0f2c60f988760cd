"""Cards and point kinds in the browser, as somebody in Commerce would see them.

Owns: lists, search by key, the page of one row, as plain HTML.
Never does: reading the database; it asks the service, as the person who edits.
Tested in: tests/integration/sandbox/finops/test_pages.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode

import orjson

from connector.odata.literals import literal
from connector.sandbox.finops.entities import Entity, Kind
from connector.sandbox.finops.loyalty import CARDS, REWARD_POINTS
from connector.sandbox.finops.messages import Request
from connector.sandbox.finops.people import User
from connector.sandbox.finops.routes import row_path
from connector.sandbox.finops.values import NO_DATE
from connector.sandbox.html_parts import STYLE_PATH, Site, link, page, style, table
from connector.sandbox.messages import Response

ROOT = "/commerce"
SITE = Site("sandbox Commerce", ROOT)
PAGE_SIZE = 50
VIEWS: Mapping[str, Entity] = {"cards": CARDS, "points": REWARD_POINTS}
SHOWN = 7
"""Columns of a list."""
_READER = User("Pages", "")


class Pages:
    """The pages of one environment; `ask` answers a request of the service."""

    def __init__(self, ask: Callable[[Request], Response]) -> None:
        self._run = ask

    def answer(self, path: str, query: str, origin: str) -> Response:
        """The page at the still encoded `path` (from `/commerce` on)."""
        if path == ROOT + STYLE_PATH:
            return style()
        slug, _, key = path.removeprefix(ROOT).strip("/").partition("/")
        entity = VIEWS.get(slug or "cards")
        if entity is None:
            return _page(404, "Not found", "", "<p>There is no such page.</p>")
        if key:
            return self._row(slug, entity, unquote(key), origin)
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        first = asked.get("from", "0")
        return self._list(
            slug or "cards",
            entity,
            asked.get("q", "").strip(),
            int(first) if first.isdecimal() else 0,
            origin,
        )

    def _ask(self, path: str, options: Mapping[str, str], origin: str) -> Any:
        """The service's answer as JSON, None where there is no such row."""
        query = urlencode(options, quote_via=quote)
        request = Request("GET", f"{origin}/data", path, query, {}, b"", _READER)
        response = self._run(request)
        return orjson.loads(response.body) if response.status == 200 else None

    def _list(self, slug: str, entity: Entity, words: str, first: int, origin: str) -> Response:
        (name,) = entity.key
        options = {"$count": "true", "$top": str(PAGE_SIZE), "$skip": str(first)}
        if words:
            options["$filter"] = f"{name} eq {literal(f'*{words}*')}"
        body = self._ask(entity.set_name, options, origin)
        fields = entity.listed[:SHOWN]
        rows = [
            [
                link(f"{ROOT}/{slug}/{quote(row[name], safe='')}", row[name]),
                *(escape(_shown(entity, one.name, row)) for one in fields[1:]),
            ]
            for row in body["value"]
        ]
        number = body["@odata.count"]
        caption = f"{number:,} rows" + (f" with “{escape(words)}”" if words else "")
        search = (
            f'<form action="{ROOT}/{slug}" role="search"><label for="q">'
            f"{escape(entity.fields[name].label)} contains</label> "
            f'<input id="q" name="q" type="search" value="{escape(words)}"> '
            "<button>Search</button></form>"
        )
        text = search + table(caption, [one.label for one in fields], rows)
        if first + PAGE_SIZE < number:
            more = urlencode({"q": words, "from": first + PAGE_SIZE})
            text += f"<p>{link(f'{ROOT}/{slug}?{more}', f'Next {PAGE_SIZE}')}</p>"
        return _page(200, entity.label, slug, text)

    def _row(self, slug: str, entity: Entity, key: str, origin: str) -> Response:
        row = self._ask(row_path(entity.set_name, {entity.key[0]: key}), {}, origin)
        if row is None:
            return _page(404, "Not found", slug, "<p>There is no such row.</p>")
        lines = (
            [escape(one.label), escape(_shown(entity, one.name, row)), f"<code>{one.name}</code>"]
            for one in entity.listed
        )
        text = table("", ["Field", "Value", "Property"], lines)
        return _page(200, f"{entity.label} {key}", slug, text)


def _shown(entity: Entity, name: str, row: Mapping[str, Any]) -> str:
    """A value as a person would read it."""
    value = row[name]
    if entity.fields[name].kind is Kind.DATE:
        value = str(value)[:10]
    return "–" if value in ("", NO_DATE) else str(value)


def _nav(current: str) -> str:
    mark = ' aria-current="page"'
    links = (
        f'<a href="{ROOT}/{slug}"{mark if slug == current else ""}>{escape(entity.label)}</a>'
        for slug, entity in VIEWS.items()
    )
    return f'<nav aria-label="Lists">{" ".join(links)}</nav>'


def _page(status: int, title: str, slug: str, text: str) -> Response:
    return page(status, title, _nav(slug), text, site=SITE)
