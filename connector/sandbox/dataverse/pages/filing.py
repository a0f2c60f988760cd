"""Forms on the page of a record: rows an agent files about it.

Owns: what forms there are, their fields, and the row that is made of what was sent.
Never does: writing by itself; the service does, as the agent and with the agent's rights.
Tested in: tests/integration/sandbox/test_pages.py.

A form carries a word that only our own pages know, so that no other site can send it from the
browser of somebody who has this one open.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from html import escape
from typing import Any
from urllib.parse import parse_qs

import orjson

from connector.sandbox.dataverse.definitions.tables import Column, Kind, Table
from connector.sandbox.dataverse.pages.asking import Asking, Reply
from connector.sandbox.dataverse.pages.related import pointing_to
from connector.sandbox.html_parts import shown

_NUMBERS = (Kind.DECIMAL, Kind.MONEY, Kind.INTEGER, Kind.BIGINT, Kind.DOUBLE)
_LONG = 200
"""Characters above which a text gets several lines."""
_CHOICES = 200
"""Rows offered where one is to be chosen."""
_WORD = "word"


@dataclass(frozen=True, slots=True)
class Form:
    """A table whose rows are filed on the page of what they point to, and what is asked for."""

    table: str
    columns: tuple[str, ...]
    act: str


FORMS = (
    Form(
        "dwrite_pointcorrection",
        ("dwrite_pointkind", "dwrite_amount", "dwrite_reason"),
        "File a correction",
    ),
)


class Filing:
    """The forms of all pages; one word for as long as the stand-in runs."""

    def __init__(self) -> None:
        self._word = secrets.token_urlsafe(16)

    def forms(self, asking: Asking, target: Table, path: str) -> str:
        """The forms on the page at `path`, which shows a row of `target`, as HTML."""
        return "".join(
            self._form(asking, form, table, f"{path}/{form.table}")
            for form in FORMS
            for table, _ in pointing_to(asking.catalog, target)
            if table.name == form.table
        )

    def file(
        self, asking: Asking, target: Table, record: str, name: str, body: bytes
    ) -> Reply | None:
        """Make a row of `body`, about a row of `target`; None where there is no such form.

        Raises ValueError with what is wrong for whoever filled it in, PermissionError for a form
        that is none of ours.
        """
        sent = {key: value[0].strip() for key, value in parse_qs(body.decode()).items()}
        for form in FORMS:
            for table, pointer in pointing_to(asking.catalog, target):
                if name == form.table == table.name:
                    if not hmac.compare_digest(sent.get(_WORD, ""), self._word):
                        raise PermissionError
                    values = _values(asking, form, table, sent)
                    values[f"{pointer.navigation}@odata.bind"] = f"/{target.set_name}({record})"
                    return asking.post(table.set_name, values)
        return None

    def _form(self, asking: Asking, form: Form, table: Table, action: str) -> str:
        columns = [table.columns[name] for name in form.columns if name in table.columns]
        fields = "".join(f"<p>{_field(asking, column)}</p>\n" for column in columns)
        return (
            f'<form method="post" action="{escape(action)}"><h2>{escape(form.act)}</h2>\n'
            f'<input type="hidden" name="{_WORD}" value="{self._word}">{fields}'
            f"<button>{escape(form.act)}</button></form>\n"
        )


def _field(asking: Asking, column: Column) -> str:
    label = f'<label for="{column.name}">{escape(column.label)}</label>'
    named = f'id="{column.name}" name="{column.name}"'
    if column.kind is Kind.LOOKUP:
        return f"{label} <select {named}><option></option>{_options(asking, column)}</select>"
    if column.kind in _NUMBERS:
        return f'{label} <input {named} inputmode="decimal">'
    if column.max_length > _LONG:
        return f'{label} <textarea {named} rows="3" cols="60"></textarea>'
    return f'{label} <input {named} maxlength="{column.max_length}">'


def _options(asking: Asking, column: Column) -> str:
    target = asking.catalog.by_name[column.target]
    title = target.columns[target.primary_name]
    select = {"$select": title.wire_name, "$orderby": title.wire_name}
    status, body = asking.get(target.set_name, select, _CHOICES)
    return "".join(
        f'<option value="{row[target.id_column]}">{escape(shown(row, title))}</option>'
        for row in (body["value"] if status == 200 else ())
    )


def _values(asking: Asking, form: Form, table: Table, sent: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in form.columns:
        text = sent.get(name, "")
        column = table.columns.get(name)
        if not text or column is None:
            continue
        if column.kind is Kind.LOOKUP:
            target = asking.catalog.by_name[column.target]
            values[f"{column.navigation}@odata.bind"] = f"/{target.set_name}({text})"
        elif column.kind in _NUMBERS:
            values[name] = orjson.Fragment(format(_number(text, column), "f"))
        else:
            values[name] = text
    return values


def _number(text: str, column: Column) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{column.label}: write a number such as 20 or -2.5")
    return number
