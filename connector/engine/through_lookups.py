"""A side whose keys are lookups, seen as if it held the texts they are known by.

Owns: columns with a dotted name, such as `msdyn_company.cdm_companycode`: read, asked for and
written as the text of the row the lookup points to.
Never does: columns without a dot; knowing which columns a map has.
Tested in: tests/integration/engine/test_companies.py.

Keys pair records, so both sides have to hold the same; everything behind this knows texts only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Endpoint,
    Entity,
    Found,
    Identity,
    Operation,
    Outcome,
    Page,
    Rejected,
    Row,
)
from connector.engine.forwarding import Forwarding
from connector.engine.lookups import ask
from connector.errors import MapError, Subject
from connector.mapping.document import MapDocument
from connector.mapping.references import Lookup
from connector.mapping.values import Side, Value


def through_lookups(document: MapDocument, endpoint: Endpoint) -> Endpoint:
    """The Dataverse side of a map: the endpoint itself, where no key of the map is a lookup."""
    dotted = any(row.key and "." in (row.dataverse or "") for row in document.fields)
    return ThroughLookups(endpoint) if dotted else endpoint


class ThroughLookups(Forwarding):
    """`connector.endpoints.base.Endpoint` over another one.

    Texts are asked for once, and anew whenever the table is read or followed from the beginning.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._lock = threading.RLock()
        self._lookups: dict[tuple[str, str], Lookup] = {}

    def identity(self) -> Identity:
        """As the endpoint."""
        return self._endpoint.identity()

    def describe(self, entity: str) -> Entity:
        """As the endpoint: the columns it has itself."""
        return self._endpoint.describe(entity)

    def scan(self, entity: str, columns: Sequence[str], resume: str | None) -> Iterator[Page]:
        """As the endpoint, with texts."""
        self._forget(entity)
        for page in self._endpoint.scan(entity, _bare(columns), resume):
            yield replace(page, rows=self._named(entity, columns, page.rows))

    def changes(self, entity: str, columns: Sequence[str], position: str) -> Iterator[Page]:
        """As the endpoint, with texts."""
        self._forget(entity)
        for page in self._endpoint.changes(entity, _bare(columns), position):
            yield replace(page, rows=self._named(entity, columns, page.rows))

    def read(
        self, entity: str, columns: Sequence[str], *, by: str | None, values: Sequence[str]
    ) -> Found:
        """As the endpoint; `by` may be a dotted name too."""
        bare = _bare(columns)
        if by is None or "." not in by:
            found = self._endpoint.read(entity, bare, by=by, values=values).rows
        else:
            ids = self._ids(entity, by, values)
            asked = list(dict.fromkeys(id for id in ids.values() if id is not None))
            held = self._endpoint.read(entity, bare, by=by.partition(".")[0], values=asked).rows
            found = {value: held[id] for value, id in ids.items() if id is not None and id in held}
        return Found({value: self._named(entity, columns, rows) for value, rows in found.items()})

    def write(
        self, entity: str, columns: Sequence[str], operations: Sequence[Operation]
    ) -> Sequence[Outcome]:
        """As the endpoint; a text that names no row is refused without asking."""
        outcomes: list[Outcome | None] = [None] * len(operations)
        sent: list[tuple[int, Operation]] = []
        for place, operation in enumerate(operations):
            made = self._pointing(entity, operation)
            if isinstance(made, Rejected):
                outcomes[place] = made
            else:
                sent.append((place, made))
        replies: Sequence[Outcome] = ()
        if sent:
            replies = self._endpoint.write(entity, _bare(columns), [one for _, one in sent])
        for (place, _), reply in zip(sent, replies, strict=True):
            if isinstance(reply, Applied) and reply.row is not None:
                (row,) = self._named(entity, columns, [reply.row])
                reply = reply._replace(row=row)
            outcomes[place] = reply
        return [outcome for outcome in outcomes if outcome is not None]

    # ------------------------------------------------------------------ texts

    def _forget(self, entity: str) -> None:
        """Rows are renamed between two runs."""
        with self._lock:
            for (of, _), lookup in self._lookups.items():
                if of == entity:
                    lookup.clear()

    def _lookup(self, entity: str, name: str) -> Lookup:
        found = self._lookups.get((entity, name))
        if found is None:
            column, _, text = name.partition(".")
            reference = self._endpoint.describe(entity).columns[column].reference
            assert reference is not None, "the map compiled"
            found = Lookup(Side.DATAVERSE, reference.entity, text)
            self._lookups[entity, name] = found
        return found

    def _named(self, entity: str, columns: Sequence[str], rows: Sequence[Row]) -> list[Row]:
        """The rows with texts in place of ids.

        Raises `MapError` (`reference-unreadable`) for an id that names no row we may read: without
        its text a row would look as if it had no key.
        """
        images = [list(row.image) for row in rows]
        for place, name in enumerate(columns):
            if "." not in name:
                continue
            with self._lock:
                lookup = self._lookup(entity, name)
                ids = dict.fromkeys(str(image[place]) for image in images if image[place])
                ask(lookup, self._endpoint, [], [id for id in ids if not lookup.asked_id(id)])
                for image in images:
                    if image[place] is not None:
                        image[place] = _text(lookup, str(image[place]), entity, name)
        return [row._replace(image=tuple(i)) for row, i in zip(rows, images, strict=True)]

    def _ids(self, entity: str, name: str, texts: Iterable[str]) -> dict[str, str | None]:
        with self._lock:
            lookup = self._lookup(entity, name)
            unknown = [text for text in dict.fromkeys(texts) if not lookup.asked_text(text)]
            ask(lookup, self._endpoint, unknown, [])
            return {text: lookup.id_of(text) for text in texts}

    def _pointing(self, entity: str, operation: Operation) -> Operation | Rejected:
        """The operation with ids in place of texts."""
        if isinstance(operation, Delete) or not any("." in name for name in operation.values):
            return operation
        values: dict[str, Value] = {}
        for name, value in operation.values.items():
            column, dot, _ = name.partition(".")
            if not dot or value is None:
                values[column] = value
                continue
            id = self._ids(entity, name, [str(value)])[str(value)]
            if id is None:
                lookup = self._lookup(entity, name)
                text = f"{lookup.entity} has no row, or several, with the {lookup.column} {value!r}"
                return Rejected("reference-unknown", text, name)
            values[column] = id
        if isinstance(operation, Create):
            return replace(operation, values=values)
        return replace(operation, values=values)


def _text(lookup: Lookup, id: str, entity: str, name: str) -> str:
    text = lookup.text_of(id)
    if text is None:
        raise MapError(
            "reference-unreadable",
            f"rows of {entity} point to the row {id} of {lookup.entity}, which cannot be read or "
            f"has no {lookup.column}",
            subject=Subject(side=Side.DATAVERSE.value, entity=lookup.entity, field=name),
            remedy="give every application user Read on this table at organization level; nothing "
            "that was read is used",
        )
    return text


def _bare(columns: Sequence[str]) -> list[str]:
    """The columns the endpoint has itself."""
    return [name.partition(".")[0] for name in columns]
