"""Maps as Microsoft's documentation prints them: a heading, filters, and a table of columns.

Owns: the older and the newer form of these pages, and translations of them.
Never does: reading a file; knowing the map language.
Tested in: tests/unit/mapping/moving/test_markdown_file.py.

Facts: dual-write "Mapping reference" and its per-table pages. A table is a map's when one of its
columns holds nothing but symbols; headings of columns are not looked at, they are translated. The
value map stands behind the symbol (`<br>` and pairs `a` : `b`), or in the last cell as `a=b, c=d`,
also in the marks of code.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connector.errors import Problem, Subject
from connector.mapping.moving.template import (
    LEFT_OUT,
    Template,
    TemplateRow,
    Way,
    is_none,
)
from connector.mapping.values import Side

_SYMBOLS: Mapping[str, tuple[Way, bool]] = {
    "=": ("=", False),
    "><": ("=", True),
    ">": (">", False),
    ">>": (">", True),
    "<": ("<", False),
    "<<": ("<", True),
}
_HEADING = re.compile(r"#{1,6}\s+(.*)")
_FILTER = re.compile(r"(reversed\s+)?source\s+filter\s*:\s*(.*)", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ANCHOR = re.compile(r"</?a\b[^>]{0,200}>|<!--.{0,200}?-->")
_RULE = re.compile(r"[\s|:-]+")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|<>-])")
_CODED = re.compile(r"`[^`]*`\s*[:=]\s*`[^`]*`")
_ALL_CODED = re.compile(rf"\s*{_CODED.pattern}(?:\s*[,;]\s*{_CODED.pattern})*\s*")
"""A cell of pairs in the marks of code, and nothing else."""
_NAME = r"[A-Za-z_]\w*"
_PAIRS = (
    re.compile(rf"(?P<left>.+?)\s+\((?P<right>{_NAME})\)"),
    re.compile(rf"(?P<left>.+?)\s*(?:<-+>|↔|<=>)\s*(?P<right>{_NAME})(?:\s.*)?"),
    re.compile(rf"(?:FO\.)?(?P<left>.+?)\s*--+\s*(?:CDS\.)?(?P<right>{_NAME})"),
    re.compile(rf"(?P<left>.+?)\s+(?:to|and)\s+(?P<right>{_NAME})"),
)
"""Headings that name both tables."""


@dataclass(slots=True)
class _Section:
    """What stands below one heading, up to its table."""

    heading: str
    line: int
    filters: dict[Side, str] = field(default_factory=dict)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


def read_markdown(text: str, file: str) -> list[Template]:
    """Every map a page prints."""
    placed = ((section, _symbol_column(section.rows)) for section in _sections(text))
    return [_template(section, place, file) for section, place in placed if place is not None]


def _sections(text: str) -> Iterator[_Section]:
    """A section per table; a second table below one heading begins a section of its own."""
    current = _Section("", 1)
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        heading = _HEADING.fullmatch(stripped)
        told = None if heading else _FILTER.match(stripped)
        if heading:
            yield current
            current = _Section(_plain(heading[1]), number)
        elif told:
            side = Side.DATAVERSE if told[1] else Side.COMMERCE
            current.filters[side] = _plain(told[2])
        elif "|" in stripped:
            if not _RULE.fullmatch(stripped):
                current.rows.append((number, _cells(stripped)))
        elif current.rows and not stripped:
            yield current
            current = _Section(current.heading, current.line)
    yield current


def _cells(line: str) -> list[str]:
    """Cells of a table row; a `|` in code or behind a backslash divides nothing."""
    parts = re.split(r"(?<!\\)\|", line)
    if line.startswith("|"):
        parts = parts[1:]
        if len(parts) > 1 and not parts[-1].strip():
            parts = parts[:-1]
    return [part.strip() for part in parts]


def _symbol(cell: str) -> str:
    """What stands before the value map."""
    return _plain(_BREAK.split(cell, maxsplit=1)[0])


def _symbol_column(rows: list[tuple[int, list[str]]]) -> int | None:
    """The column whose cells, below the head, are symbols."""
    if len(rows) < 2:
        return None
    best = max(
        range(1, max(len(cells) for _, cells in rows)),
        key=lambda place: sum(_has_symbol(cells, place) for _, cells in rows[1:]),
        default=None,
    )
    if best is None or not any(_has_symbol(cells, best) for _, cells in rows[1:]):
        return None
    return best


def _has_symbol(cells: list[str], place: int) -> bool:
    return place < len(cells) - 1 and _symbol(cells[place]) in _SYMBOLS


def _template(section: _Section, place: int, file: str) -> Template:
    problems: list[Problem] = []
    subject = Subject(file=file, line=section.line)
    commerce, dataverse = _tables(section.heading)
    rows = []
    for line, cells in section.rows[1:]:
        at = Subject(file=file, line=line)
        if not _has_symbol(cells, place):
            problems.append(
                Problem(
                    "import-row",
                    f"`{' | '.join(cells)[:200]}` is left out: it has no symbol",
                    "write column, symbol, column; symbols are = >< > >> < <<",
                    at,
                    exit_code=LEFT_OUT,
                )
            )
            continue
        rows.append(_row(cells, place, at))
    return Template(
        commerce=commerce,
        dataverse=dataverse,
        rows=tuple(rows),
        subject=subject,
        commerce_filter=section.filters.get(Side.COMMERCE, ""),
        dataverse_filter=section.filters.get(Side.DATAVERSE, ""),
        problems=tuple(problems),
    )


def _row(cells: list[str], place: int, subject: Subject) -> TemplateRow:
    way, transformed = _SYMBOLS[_symbol(cells[place])]
    left, right = _plain(cells[place - 1]), _plain(cells[place + 1])
    pairs = [_pair(part) for part in _BREAK.split(cells[place])[1:]]
    last = cells[place + 2] if len(cells) > place + 2 else ""
    default: str | None = None
    told = _coded_pairs(last) or _prose_pairs(last)
    if told:
        pairs += told
    elif _plain(last) not in ("", "-"):
        default = _plain(last)
    return TemplateRow(
        commerce=None if is_none(left) else left,
        way=way,
        dataverse=None if is_none(right) else right,
        pairs=tuple(pair for pair in pairs if pair is not None),
        default=default,
        default_to=Side.COMMERCE if way == "<" else Side.DATAVERSE,
        transformed=transformed,
        subject=Subject(file=subject.file, line=subject.line, field=left or right),
    )


def _pair(text: str) -> tuple[str, str] | None:
    """`` `asCardTender` : `806380000` ``, with or without the marks of code."""
    coded = re.fullmatch(r"\s*`([^`]*)`\s*[:=]\s*`?([^`]*)`?\s*", text)
    if coded:
        return html.unescape(coded[1]), html.unescape(coded[2].strip())
    left, sign, right = text.partition(":")
    return (_plain(left), _plain(right)) if sign else None


def _coded_pairs(cell: str) -> list[tuple[str, str] | None]:
    """`` `Yes`: `True`, `No`: `False` ``; empty where it is something else."""
    return [_pair(one[0]) for one in _CODED.finditer(cell)] if _ALL_CODED.fullmatch(cell) else []


def _prose_pairs(cell: str) -> list[tuple[str, str] | None]:
    """`asCardTender=806380000, blocked=806380003`; empty where it is something else."""
    parts = [part for part in _plain(cell).split(",") if part.strip()]
    pairs: list[tuple[str, str] | None] = []
    for part in parts:
        left, sign, right = part.partition("=")
        if not sign or not left.strip() or not right.strip() or "=" in right:
            return []
        pairs.append((left.strip(), right.strip()))
    return pairs


def _tables(heading: str) -> tuple[str, str]:
    """The two tables a heading names; a side it does not name is empty."""
    text = re.sub(r'^(?:\d+\.\s+)?(?:Map\s+)?"?', "", heading)
    for form in _PAIRS:
        found = form.fullmatch(text)
        if found:
            return found["left"].strip(' "'), found["right"]
    return text, ""


def _plain(text: str) -> str:
    """Text without marks of code and emphasis, anchors, escapes and entities."""
    bare = html.unescape(_ESCAPE.sub(r"\1", _ANCHOR.sub("", text)))
    return bare.replace("`", "").replace("**", "").strip()
