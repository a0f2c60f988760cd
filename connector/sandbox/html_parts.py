"""Parts of the pages for a browser: one style, tables, links, the frame of a page.

Owns: HTML that is the same on the pages of every stand-in.
Never does: data (`finops/pages.py`, `finops.pages`).
Tested in: tests/integration/sandbox/test_pages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from connector.sandbox.dataverse.definitions.tables import Column
from connector.sandbox.dataverse.reading.projections import FORMATTED
from connector.sandbox.messages import Response

STYLE_PATH = "/style.css"
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff;
  max-width: 72rem; margin: 0 auto; padding: 1rem; }
nav a { margin-right: 1rem; }
a { color: #0b4f9e; }
a:focus-visible, input:focus-visible, select:focus-visible, textarea:focus-visible,
button:focus-visible { outline: 3px solid #0b4f9e; }
a[aria-current] { font-weight: bold; text-decoration: none; color: inherit; }
form { margin: 1rem 0; }
input, select, textarea, button { font: inherit; padding: .3rem .6rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem;
  border-bottom: 1px solid #c9c9c9; }
.empty { color: #595959; }
"""


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of one stand-in: what they are called, and where they begin."""

    name: str
    root: str


def style() -> Response:
    """The style of all pages."""
    return Response(200, {**HEADERS, "Content-Type": "text/css"}, STYLE.encode())


def link(target: str, text: str) -> str:
    """A link."""
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def shown(row: Mapping[str, Any], column: Column) -> str:
    """A value as the service formats it, else as it stands."""
    value = row.get(column.wire_name)
    if value is None:
        return "–"
    return str(row.get(f"{column.wire_name}@{FORMATTED}", value))


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; `caption` and cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n" for cells in rows)
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table>"
    )


def page(status: int, title: str, nav: str, text: str, *, site: Site) -> Response:
    """A whole page; `nav` and `text` are HTML already."""
    html = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)} – {escape(site.name)}</title>"
        f'<link rel="stylesheet" href="{site.root}{STYLE_PATH}"></head>\n'
        f"<body><header>{nav}</header><main><h1>{escape(title)}</h1>\n{text}</main></body></html>\n"
    )
    return Response(status, dict(HEADERS), html.encode())
