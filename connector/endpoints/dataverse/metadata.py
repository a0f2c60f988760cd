"""Tables as Dataverse describes them.

Owns: reading entity definitions, attributes, choices, relationships and keys.
Never does: reading rows; guessing a facet that metadata does not give.
Tested in: tests/unit/endpoints/dataverse/test_metadata.py.

Facts: "Dataverse Web API: query-metadata-web-api" (names are PascalCase, nothing is paged,
`OptionSet` must be expanded on the derived type), "web-api-navigation-properties" (names of
single-valued navigation properties are case-sensitive).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from connector.endpoints.base import Capabilities, Column, Entity, Key, Reference
from connector.endpoints.dataverse.column_security import as_permitted
from connector.endpoints.dataverse.faults import (
    column_unknown,
    entity_unknown,
    fault_of,
    refused,
    unreadable,
)
from connector.endpoints.web.transport import Transport
from connector.mapping.values import Value, ValueType
from connector.odata.literals import literal
from connector.odata.queries import query_string

BATCH = 1000
"""Most requests the service takes in one `$batch`."""

_TYPES = {
    "String": ValueType.TEXT,
    "Memo": ValueType.TEXT,
    "EntityName": ValueType.TEXT,
    "Uniqueidentifier": ValueType.TEXT,
    "Integer": ValueType.INTEGER,
    "BigInt": ValueType.INTEGER,
    "Decimal": ValueType.DECIMAL,
    "Money": ValueType.DECIMAL,
    "Double": ValueType.DECIMAL,
    "Boolean": ValueType.BOOLEAN,
    "Picklist": ValueType.CHOICE,
    "State": ValueType.CHOICE,
    "Status": ValueType.CHOICE,
    "DateTime": ValueType.INSTANT,
    "Lookup": ValueType.REFERENCE,
    "Customer": ValueType.REFERENCE,
    "Owner": ValueType.REFERENCE,
}
"""By AttributeType; images, files, multiple choices and virtual columns are left out."""

_WITH_OPTIONS = ("Picklist", "State", "Status", "Boolean")
_FILLED_BY_SERVICE = frozenset({"ownerid", "statecode", "statuscode"})
_DEFINITION = "LogicalName,EntitySetName,PrimaryIdAttribute,DisplayName,ChangeTrackingEnabled"


@dataclass(frozen=True, slots=True)
class Field:
    """One column with what the wire needs beside its description."""

    column: Column
    wire: str
    """The property it is read as: `_x_value` for a reference, else the logical name."""
    dated_instant: bool = False
    """A date whose property is a DateTimeOffset: behaviour user-local, format date only."""
    navigation: str | None = None
    """The property a reference is written through, in its exact case."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its description, and its fields by logical name."""

    entity: Entity
    logical_name: str
    tracked: bool
    fields: Mapping[str, Field]

    @property
    def set_name(self) -> str:
        """The entity set, as it stands in URLs."""
        return self.entity.name

    @property
    def id_column(self) -> str:
        """The primary id column."""
        return self.entity.id_column

    def select(self, columns: Sequence[str]) -> list[Field]:
        """The fields of these columns, in order. Raises `MapError` for unknown ones."""
        unknown = [name for name in columns if name not in self.fields]
        if unknown:
            raise column_unknown(self.set_name, unknown)
        return [self.fields[name] for name in columns]


class Tables:
    """Tables by entity set name, read once and again whenever they are described.

    Columns are described as our application users may read and write them.
    """

    def __init__(self, transport: Transport, batch: int = BATCH) -> None:
        self._transport = transport
        self._batch = batch
        self._lock = threading.Lock()
        self._known: dict[str, Table] = {}
        self._kept: dict[str, Table] | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Within, no table is read twice: whoever only looks asks for one moment."""
        self._kept = {}
        try:
            yield
        finally:
            self._kept = None

    def get(self, entity: str) -> Table:
        """The table as it was last described."""
        with self._lock:
            known = self._known.get(entity)
        return known if known is not None else self.describe(entity)

    def describe(self, entity: str) -> Table:
        """The table from live metadata. Raises `MapError` if there is no such entity set."""
        kept = self._kept
        if kept is not None and entity in kept:
            return kept[entity]
        described = _Reader(self._transport, entity, self._batch).table()
        described = as_permitted(self._transport, described)
        with self._lock:
            self._known[entity] = described
        if kept is not None:
            kept[entity] = described
        return described


class _Reader:
    """The metadata requests for one table."""

    def __init__(self, transport: Transport, entity: str, batch: int) -> None:
        self._transport = transport
        self._entity = entity
        self._batch = batch

    def table(self) -> Table:
        wanted = f"EntitySetName eq {literal(self._entity)}"
        found = self._values(
            "EntityDefinitions?" + query_string({"$select": _DEFINITION, "$filter": wanted})
        )
        if not found:
            raise entity_unknown(self._entity)
        definition = found[0]
        path = f"EntityDefinitions(LogicalName={literal(definition['LogicalName'])})/"
        fields = self._fields(path, definition["PrimaryIdAttribute"])
        tracked = bool(definition.get("ChangeTrackingEnabled"))
        entity = Entity(
            name=definition["EntitySetName"],
            title=_label(definition.get("DisplayName")) or definition["LogicalName"],
            id_column=definition["PrimaryIdAttribute"],
            columns={name: field.column for name, field in fields.items()},
            keys=self._keys(path),
            capabilities=Capabilities(
                preconditions="version",
                create="once",
                modified_time="modifiedon" in fields,
                ordered_versions=True,
                change_feed=tracked,
                batch=self._batch,
            ),
            notified_as=definition["LogicalName"],
        )
        return Table(entity, definition["LogicalName"], tracked, fields)

    def _fields(self, path: str, id_column: str) -> dict[str, Field]:
        # Without $select, because facets of derived types cannot be selected on the base type.
        attributes = self._values(f"{path}Attributes")
        choices = self._choices(path)
        targets = self._references(path)
        return {
            attribute["LogicalName"]: _field(attribute, id_column, choices, targets)
            for attribute in attributes
            if attribute.get("AttributeType") in _TYPES and not attribute.get("AttributeOf")
        }

    def _choices(self, path: str) -> dict[str, dict[Value, str]]:
        """Allowed values with their labels, per column."""
        found: dict[str, dict[Value, str]] = {}
        for kind in _WITH_OPTIONS:
            options = query_string({"$select": "LogicalName", "$expand": "OptionSet"})
            cast = f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
            for attribute in self._values(f"{path}Attributes/{cast}?{options}"):
                found[attribute["LogicalName"]] = _options(attribute.get("OptionSet") or {})
        return found

    def _references(self, path: str) -> dict[str, tuple[str, Reference | None]]:
        """Navigation property and target per lookup column; no target where it has several."""
        options = "ReferencingAttribute,ReferencedEntity,ReferencingEntityNavigationPropertyName"
        relations = self._values(
            f"{path}ManyToOneRelationships?" + query_string({"$select": options})
        )
        lookups: dict[str, list[Mapping[str, Any]]] = {}
        for relation in relations:
            lookups.setdefault(relation["ReferencingAttribute"], []).append(relation)
        single = {name: every[0] for name, every in lookups.items() if len(every) == 1}
        targets = self._targets({relation["ReferencedEntity"] for relation in single.values()})
        return {
            name: (
                relation["ReferencingEntityNavigationPropertyName"],
                targets.get(relation["ReferencedEntity"]),
            )
            for name, relation in single.items()
        }

    def _targets(self, names: Iterable[str]) -> dict[str, Reference]:
        wanted = " or ".join(f"LogicalName eq {literal(name)}" for name in sorted(names))
        if not wanted:
            return {}
        options = {"$select": "LogicalName,EntitySetName,PrimaryIdAttribute", "$filter": wanted}
        return {
            target["LogicalName"]: Reference(target["EntitySetName"], target["PrimaryIdAttribute"])
            for target in self._values("EntityDefinitions?" + query_string(options))
            if target.get("EntitySetName")
        }

    def _keys(self, path: str) -> tuple[Key, ...]:
        options = query_string({"$select": "SchemaName,KeyAttributes,EntityKeyIndexStatus"})
        return tuple(
            Key(
                key["SchemaName"],
                tuple(key["KeyAttributes"]),
                active=key.get("EntityKeyIndexStatus", "Active") == "Active",
            )
            for key in self._values(f"{path}Keys?{options}")
        )

    def _values(self, url: str) -> list[dict[str, Any]]:
        reply = self._transport.get(url)
        if reply.status != 200:
            fault = fault_of(reply.status, reply.headers, reply.body)
            raise refused(fault, self._entity, f"GET {url}")
        try:
            values: list[dict[str, Any]] = orjson.loads(reply.body)["value"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise unreadable(self._entity, f"GET {url}", error) from error
        return values


def _field(
    attribute: Mapping[str, Any],
    id_column: str,
    choices: Mapping[str, dict[Value, str]],
    targets: Mapping[str, tuple[str, Reference | None]],
) -> Field:
    name, kind = attribute["LogicalName"], attribute["AttributeType"]
    level = (attribute.get("RequiredLevel") or {}).get("Value")
    value_type = _TYPES[kind]
    behaviour = (attribute.get("DateTimeBehavior") or {}).get("Value")
    if kind == "DateTime" and "DateOnly" in (behaviour, attribute.get("Format")):
        value_type = ValueType.DATE
    navigation, reference = targets.get(name, (None, None))
    is_reference = value_type is ValueType.REFERENCE
    writable = not is_reference or reference is not None
    minimum, maximum = attribute.get("MinValue"), attribute.get("MaxValue")
    column = Column(
        name=name,
        type=value_type,
        nullable=level != "SystemRequired",
        readable=bool(attribute.get("IsValidForRead", True)),
        creatable=writable and bool(attribute.get("IsValidForCreate", True)),
        updatable=writable and bool(attribute.get("IsValidForUpdate", True)),
        required=level in ("SystemRequired", "ApplicationRequired")
        and name != id_column
        and name not in _FILLED_BY_SERVICE,
        max_length=attribute.get("MaxLength"),
        scale=_scale(attribute),
        minimum=None if minimum is None else math.ceil(minimum),
        maximum=None if maximum is None else math.floor(maximum),
        choices=choices.get(name),
        reference=reference if is_reference else None,
        secured=bool(attribute.get("IsSecured")),
        identity=attribute.get("MetadataId"),
    )
    return Field(
        column,
        wire=f"_{name}_value" if is_reference else name,
        dated_instant=value_type is ValueType.DATE and behaviour != "DateOnly",
        navigation=navigation if is_reference else None,
    )


def _scale(attribute: Mapping[str, Any]) -> int | None:
    """Decimal places; money that follows its currency or organization keeps four on the wire."""
    precision = attribute.get("Precision")
    if attribute["AttributeType"] == "Money" and attribute.get("PrecisionSource"):
        return 4
    return None if precision is None else int(precision)


def _options(option_set: Mapping[str, Any]) -> dict[Value, str]:
    if "TrueOption" in option_set:
        return {
            False: _label((option_set.get("FalseOption") or {}).get("Label")) or "No",
            True: _label((option_set.get("TrueOption") or {}).get("Label")) or "Yes",
        }
    options: Sequence[Mapping[str, Any]] = option_set.get("Options") or ()
    return {
        int(option["Value"]): _label(option.get("Label")) or str(option["Value"])
        for option in options
    }


def _label(label: Mapping[str, Any] | None) -> str | None:
    """The text of a Label in the caller's language, else in its first one."""
    if not label:
        return None
    every: Sequence[Mapping[str, Any]] = label.get("LocalizedLabels") or ({},)
    text = (label.get("UserLocalizedLabel") or every[0]).get("Label")
    return None if text is None else str(text)
