"""Creates, updates and deletes of single rows.

Owns: defaults, number sequences, what is mandatory, versions, what is told of a write.
Never does: reading (`queries.py`), transactions (`service.py`, `batch.py`).
Tested in: tests/integration/sandbox/finops/test_writes.py, test_companies.py.

Facts: "Finance and Operations: odata" and its customization of create and update: a create
answers 201 with the whole row, an update or delete 204. There is no upsert. `If-Match` that does
not fit is 412. RecVersion is 1 after a create and a large random number after each update.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from connector.odata.paths import Segment, key_segment
from connector.sandbox.finops import errors
from connector.sandbox.finops.entities import COMPANY, Default, Entity, Field, Kind
from connector.sandbox.finops.happenings import CREATE, DELETE, UPDATE, Happening
from connector.sandbox.finops.keys import existing, find
from connector.sandbox.finops.messages import Request, json_response, no_content
from connector.sandbox.finops.options import Options
from connector.sandbox.finops.people import COMPANIES
from connector.sandbox.finops.references import References
from connector.sandbox.finops.rows import (
    Level,
    Renderer,
    Row,
    etag,
    key_of,
    same_tag,
    selection,
    source,
)
from connector.sandbox.finops.rules import Rules
from connector.sandbox.finops.storage import Storage
from connector.sandbox.finops.values import Stored, UnfitError, parse, today, unset
from connector.sandbox.messages import Response

Values: TypeAlias = dict[str, Stored]
"""Stored values by field; a reference still has its text until it is resolved."""

DAY_SECONDS = 86_400


class Writes:
    """Writes of one storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.references = References(storage)
        self.rules = Rules()

    # ------------------------------------------------------------------------ requests

    def create(self, entity: Entity, request: Request, options: Options) -> Response:
        """`POST Set`: 201 with the whole row."""
        given = read_body(entity, request.json_object())
        recid = self.insert(entity, given, request.user.company, request.user.name)
        row = self._row(entity, recid)
        level = request.level(options.format)
        shown = Renderer(entity, entity.listed, Level(level, request.base))(row)
        place = f"{request.base}/{key_segment(entity.set_name, key_of(entity, shown))}"
        body: dict[str, Any] = {}
        if level != "none":
            body["@odata.context"] = f"{request.base}/$metadata#{entity.set_name}/$entity"
        return json_response({**body, **shown}, 201, level=level, headers={"Location": place})

    def update(
        self, entity: Entity, segment: Segment, request: Request, options: Options
    ) -> Response:
        """`PATCH` or `PUT Set(key)`: 204. What a PUT leaves out goes back to unset."""
        given = read_body(entity, request.json_object())
        row = self._expected(entity, segment, request, options)
        if request.method == "PUT":
            blank = {f.name: _blank(f) for f in entity.listed if f.name not in entity.key}
            given = {**blank, **given}
        self.change(entity, row, given, request.user.name, request.method)
        return no_content()

    def delete(
        self, entity: Entity, segment: Segment, request: Request, options: Options
    ) -> Response:
        """`DELETE Set(key)`: 204."""
        row = self._expected(entity, segment, request, options)
        self.remove(entity, row, request.user.name)
        return no_content()

    def _expected(
        self, entity: Entity, segment: Segment, request: Request, options: Options
    ) -> Row:
        """The row a request means, in the version it means."""
        fields, cross = entity.listed, options.cross_company
        row = existing(self._storage, entity, segment, request, fields, cross_company=cross)
        if request.tag is not None and request.tag.strip() != "*":
            current = etag(row[1], row[0], row[2 : 2 + 2 * len(entity.joined)])
            if not same_tag(request.tag, current):
                raise errors.stale()
        return row

    # ------------------------------------------------------------------------ rows

    def insert(self, entity: Entity, given: Values, company: str, user: str) -> int:
        """A new row; its RecId. Raises `AxError`."""
        values = {**self._defaults(entity, given), **given}
        self._place(entity, values, company)
        for field in entity.listed:
            if field.sequence is not None and not values[field.name]:
                values[field.name] = self._storage.next_number(field.sequence)
        self._check(entity, values, given)
        self.rules.check(entity, values, "POST")
        keys = [str(values[name]) for name in entity.key]
        if find(self._storage, entity, keys) is not None:
            raise errors.exists(entity, _spoken(entity, values))
        self._resolve(entity, values, values)
        recid = self._storage.next_recid()
        row = [recid, 1, self._storage.next_change(), *(values[f.name] for f in entity.listed)]
        marks = ", ".join("?" for _ in row)
        self._storage.connection.execute(
            f'INSERT INTO "{entity.set_name}" VALUES ({marks})',
            row,
        )
        self._tell(CREATE, entity, recid, {}, user)
        return recid

    def change(
        self, entity: Entity, row: Row, given: Values, user: str, method: str = "PATCH"
    ) -> None:
        """Write `given` over a row read with all its fields. Raises `AxError`."""
        now = _fields_of(entity, row)
        for name in entity.key:
            if name in given and str(given[name]).casefold() != str(now[name]).casefold():
                field = entity.fields[name]
                raise errors.invalid(entity, field, f"Field '{field.label}' cannot be edited")
        changed = {name: value for name, value in given.items() if name not in entity.key}
        self._check(entity, {**now, **changed}, changed)
        self.rules.check(entity, now, method)
        company = str(now[COMPANY]) if entity.company else None
        self._resolve(entity, changed, {**changed, **({COMPANY: company} if company else {})})
        before = self._image(entity, row[0])
        version, mark = self._storage.next_version(), self._storage.next_change()
        parts = ["recversion = ?", "changed = ?", *(f'"{name}" = ?' for name in changed)]
        self._storage.connection.execute(
            f'UPDATE "{entity.set_name}" SET {", ".join(parts)} WHERE recid = ?',
            [version, mark, *changed.values(), row[0]],
        )
        self._tell(UPDATE, entity, row[0], before, user)

    def remove(self, entity: Entity, row: Row, user: str) -> None:
        """Without the row. Raises `AxError` while others name it."""
        now = _fields_of(entity, row)
        self.rules.check(entity, now, "DELETE")
        self.references.need_free(entity, row[0], now)
        before = self._image(entity, row[0])
        self._storage.next_change()
        self._storage.connection.execute(
            f'DELETE FROM "{entity.set_name}" WHERE recid = ?',
            (row[0],),
        )
        self._tell(DELETE, entity, row[0], before, user)

    # ------------------------------------------------------------------------ values

    def _defaults(self, entity: Entity, given: Mapping[str, Stored]) -> Values:
        """What the server fills in for fields that were left out."""
        now = self._storage.clock.now()
        values: Values = {}
        for field in entity.listed:
            if field.name in given:
                continue
            if isinstance(field.default, int):
                values[field.name] = field.default
            elif field.default is Default.TODAY:
                values[field.name] = today(now)
            elif field.default is Default.SECONDS:
                values[field.name] = int(now % DAY_SECONDS)
            else:
                values[field.name] = _blank(field)
        return values

    def _place(self, entity: Entity, values: Values, company: str) -> None:
        """The company of a new row: what it says, else the user's own."""
        if not entity.company:
            return
        own = str(values[COMPANY] or company).lower()
        if own not in COMPANIES:
            raise errors.invalid(entity, entity.fields[COMPANY], f"Company '{own}' does not exist")
        values[COMPANY] = own

    def _check(self, entity: Entity, values: Mapping[str, Stored], given: Values) -> None:
        """Mandatory fields and ranges. Raises `AxError`."""
        for field in entity.listed:
            value = values[field.name]
            if (field.mandatory or field.name in entity.key) and value == "":
                raise errors.invalid(entity, field, f"Field '{field.label}' must be filled in")
            if field.minimum is not None and field.name in given and int(value) < field.minimum:
                why = f"Field '{field.label}' must be at least {field.minimum}"
                raise errors.invalid(entity, field, why)

    def _resolve(self, entity: Entity, values: Values, known: Mapping[str, Stored]) -> None:
        """Put the stored form of every reference into `values`."""
        company = str(known[COMPANY]) if entity.company else None
        for name in list(values):
            field = entity.fields[name]
            if field.reference is not None:
                text = str(values[name] or "")
                values[name] = self.references.resolve(entity, field, text, company)

    # ------------------------------------------------------------------------ telling

    def _image(self, entity: Entity, recid: int) -> Mapping[str, Any]:
        """A row in the values of the wire; nothing if nobody listens."""
        if entity.set_name not in self._storage.happenings.wanted:
            return {}
        return Renderer(entity, entity.listed, Level("none", ""))(self._row(entity, recid))

    def _tell(
        self, message: str, entity: Entity, recid: int, before: Mapping[str, Any], user: str
    ) -> None:
        if entity.set_name in self._storage.happenings.wanted:
            after = {} if message == DELETE else self._image(entity, recid)
            self._storage.happenings.note(Happening(message, entity, recid, before, after, user))

    def _row(self, entity: Entity, recid: int) -> Row:
        found = self._storage.connection.execute(
            f"SELECT {selection(entity, entity.listed)} FROM {source(entity)} WHERE t.recid = ?",
            (recid,),
        ).fetchone()
        return tuple(found)


def read_body(entity: Entity, body: dict[str, Any]) -> Values:
    """A body as stored values, references as text. Raises `AxError`."""
    given: Values = {}
    for name, value in body.items():
        if "@" in name:
            if name == "@odata.type" and value != f"#{entity.full_type}":
                raise errors.bad_body(f"The type '{value}' is not '{entity.full_type}'.")
            continue
        field = entity.fields.get(name)
        if field is None:
            raise errors.bad_body(errors.unknown_property(entity, name))
        try:
            given[name] = parse(field, value)
        except UnfitError as error:
            raise errors.bad_body(str(error)) from error
    return given


def _fields_of(entity: Entity, row: Row) -> Values:
    """The stored values in a row that was read with all its fields."""
    return dict(zip(entity.fields, row[2 + 2 * len(entity.joined) :], strict=True))


def _blank(field: Field) -> Stored:
    """Unset, with a reference as its text."""
    return "" if field.kind is Kind.STRING else unset(field)


def _spoken(entity: Entity, values: Mapping[str, Stored]) -> list[str]:
    """The key as an infolog names it: without the company, which it takes for granted."""
    return [str(values[name]) for name in entity.key if name != COMPANY]
