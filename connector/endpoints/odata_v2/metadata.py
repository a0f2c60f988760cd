"""The entity sets of a V2 service, as pyodata understands its metadata.

Owns: the schema, and each set's columns, keys, id and capabilities.
Never does: reading rows; asking for anything but `$metadata` and one row to see its ETag.
Tested in: tests/unit/endpoints/odata_v2/test_metadata.py, test_broken_metadata.py.

Facts: "OData V2: overview, key predicates"; `ConcurrencyMode="Fixed"` says that rows carry an
ETag, but services leave it out, so a set without it is asked for one row.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from pyodata.exceptions import PyODataException
from pyodata.v2.model import (
    Config,
    EntitySet,
    ErrorPolicy,
    MetadataBuilder,
    NullType,
    PolicyFatal,
    PolicyIgnore,
    Schema,
    StructTypeProperty,
)

from connector.endpoints.base import Capabilities, Column, Entity, Key
from connector.endpoints.odata_v2.document import (
    Document,
    Facets,
    allotted,
    read_document,
    unusable,
)
from connector.endpoints.odata_v2.edm import FINISHED, EdmType, edm_type
from connector.errors import MapError, Subject
from connector.mapping.values import Value, ValueType

Policy: TypeAlias = Literal["fatal", "warning", "ignore"]
_LOG = logging.getLogger(__name__)
_BUILDING = threading.Lock()
"""pyodata keeps the types it knows in one place for all."""


class _PolicyTell(ErrorPolicy):  # type: ignore[misc]  # the library has no types
    """Goes on without a part of the metadata, and says so in our own log."""

    def resolve(self, ekseption: Exception) -> None:
        _LOG.warning("odata-v2: a part of $metadata is left out: %s", ekseption)


_POLICIES: Mapping[Policy, Callable[[], ErrorPolicy]] = {
    "fatal": PolicyFatal,
    "warning": _PolicyTell,
    "ignore": PolicyIgnore,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One property that travels."""

    name: str
    edm: EdmType
    declared: StructTypeProperty
    nullable: bool

    def literal(self, value: Value) -> str:
        """The value in a URL; raises `ValueError` or `TypeError` for one that does not fit."""
        native = self.edm.native(value)
        if self.declared.typ.name in FINISHED:
            return str(native)
        return str(self.declared.to_literal(native))

    def encoded(self, value: Value) -> Any:
        """The value in JSON; null is an empty text where the column takes no null."""
        if value is None:
            return "" if not self.nullable and self.edm.type is ValueType.TEXT else None
        return self.edm.write(value)


@dataclass(frozen=True, slots=True)
class Table:
    """One entity set."""

    entity: Entity
    declared: EntitySet
    fields: Mapping[str, Field]
    """By the folded name."""
    keys: tuple[Field, ...]

    @property
    def name(self) -> str:
        """The set's name in URLs."""
        return self.entity.name

    @property
    def versioned(self) -> bool:
        """Whether rows carry ETags."""
        return self.entity.capabilities.preconditions == "version"

    def select(self, columns: Sequence[str]) -> list[Field]:
        """The fields of these columns; raises `MapError` for what cannot be read."""
        missing = [name for name in columns if name.casefold() not in self.fields]
        if missing:
            raise column_unknown(self.entity, missing)
        return [self.fields[name.casefold()] for name in columns]


def column_unknown(entity: Entity, names: Sequence[str]) -> MapError:
    """The error for columns the entity does not have, or that cannot travel."""
    told = ", ".join(names)
    return MapError(
        "column-unknown",
        f"{entity.name} has no usable column {told}",
        remedy="take a property of this entity in the service's $metadata; those of a type "
        "OData V2 does not define cannot travel",
        subject=Subject(entity=entity.name, field=told),
    )


class Tables:
    """The sets of one service; `fetch` gives its metadata, `sample` one row's ETag.

    `sample` says whether a row of a table carries an ETag. Safe from
    several threads; the metadata is fetched once.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        sample: Callable[[Table], bool],
        *,
        side: str,
        policy: Policy = "warning",
        batch: int = 100,
        modified: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._fetch = fetch
        self._sample = sample
        self._side = side
        self._policy = policy
        self._batch = batch
        self._modified = modified
        self._lock = threading.Lock()
        self._sets: Mapping[str, EntitySet] | None = None
        self._document: Document | None = None
        self._tables: dict[str, Table] = {}

    def get(self, entity: str) -> Table:
        """The set of this name, whatever its case; raises `MapError` if there is none."""
        with self._lock:
            return self._known(entity) or self._look(entity)

    def describe(self, entity: str) -> Entity:
        """What is known of a set; one that showed no ETag yet is asked once more."""
        with self._lock:
            known = self._known(entity)
            return (known if known and known.versioned else self._look(entity)).entity

    def _known(self, entity: str) -> Table | None:
        return self._tables.get(entity.casefold())

    def _look(self, entity: str) -> Table:
        table = self._known(entity) or self._build(entity)
        # Asked also where metadata promises ETags: this tells whether we may read the table. An
        # empty one shows none: rows with one may come later.
        if self._sample(table) and not table.versioned:
            table = _versioned(table)
        self._tables[entity.casefold()] = table
        return table

    def _build(self, entity: str) -> Table:
        declared = self._declared(entity)
        type = declared.entity_type
        subject = Subject(side=self._side, entity=declared.name)
        if isinstance(type, NullType) or not type.key_proprties:
            raise MapError(
                "entity-unusable",
                f"the metadata of {declared.name} lacks its type or its key",
                remedy="correct the service's metadata; the log tells what was left out of it",
                subject=subject,
            )
        assert self._document is not None
        namespace = declared.entity_type_info.namespace or ""
        facets = self._document.facets
        fields: dict[str, Field] = {}
        columns: dict[str, Column] = {}
        keys = {one.name for one in type.key_proprties}
        computed = False
        fixed = False
        for one in type.proprties():
            told = facets.get((f"{namespace}.{type.name}", one.name), {})
            made_up = one.name in keys and allotted(told)
            computed |= made_up
            fixed |= told.get("ConcurrencyMode") == "Fixed"
            field = _field(one)
            if field is not None:
                fields[one.name.casefold()] = field
            columns[one.name] = _column(one, field, told, key=one.name in keys, allotted=made_up)
        if not all(name.casefold() in fields for name in keys):
            raise unusable(self._side, f"the key of {declared.name} has a type that is none of V2")
        watermark = fields.get((self._modified(declared.name) or "").casefold())
        capabilities = Capabilities(
            preconditions="version" if fixed else "none",
            create="at-least-once" if computed else "once",
            modified_time=watermark is not None and watermark.edm.type is ValueType.INSTANT,
            ordered_versions=False,
            change_feed=True,
            batch=self._batch,
            ids="allotted" if computed else "key",
        )
        names = tuple(one.name for one in type.key_proprties)
        described = Entity(
            name=declared.name,
            title=declared.label or declared.name,
            id_column=names[0],
            columns=MappingProxyType(columns),
            keys=(Key("key", names),),
            capabilities=capabilities,
        )
        ordered = tuple(fields[name.casefold()] for name in names)
        return Table(described, declared, MappingProxyType(fields), ordered)

    def _declared(self, entity: str) -> EntitySet:
        if self._sets is None:
            self._document = read_document(self._fetch(), self._side)
            schema = build(self._document, self._policy, self._side)
            self._sets = {one.name.casefold(): one for one in schema.entity_sets}
        declared = self._sets.get(entity.casefold())
        if declared is None:
            raise MapError(
                "entity-unknown",
                f"the service has no entity set {entity}",
                remedy=f"take one of {', '.join(sorted(s.name for s in self._sets.values()))}",
                subject=Subject(side=self._side, entity=entity),
            )
        return declared


def build(document: Document, policy: Policy, side: str) -> Schema:
    """The model pyodata makes of a document; raises `MapError` (`metadata-unusable`)."""
    # Should anybody make a proxy of a row: a null is None, and never 0 or the year 1753.
    config = Config(retain_null=True, default_error_policy=_POLICIES[policy]())
    try:
        with _BUILDING:
            return MetadataBuilder(document.xml, config=config).build()
    except (PyODataException, LookupError, AttributeError, ValueError, TypeError) as error:
        raise unusable(side, "it breaks the rules of OData V2", _told(error)) from error
    except RuntimeError as error:  # what the library raises for references that lead nowhere
        raise unusable(side, "it contradicts itself", _told(error)) from error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _field(one: StructTypeProperty) -> Field | None:
    """A property as it travels; None for one whose type cannot."""
    # A collection goes by the name of what it holds.
    if isinstance(one.typ, NullType) or one.typ.is_collection:
        return None
    edm = edm_type(one.typ.name, only_day=one.date)
    return None if edm is None else Field(one.name, edm, one, one.nullable)


def _column(
    one: StructTypeProperty, field: Field | None, told: Facets, *, key: bool, allotted: bool
) -> Column:
    if field is None:
        return Column(one.name, ValueType.TEXT, readable=False, creatable=False, updatable=False)
    text = field.edm.type is ValueType.TEXT
    length = one.max_length if one.max_length and one.max_length > 0 else None
    scaled = field.edm.type is ValueType.DECIMAL and "Scale" in told
    return Column(
        name=one.name,
        type=field.edm.type,
        nullable=not key and (one.nullable or text),
        creatable=one.creatable and not allotted,
        updatable=one.updatable and not key,
        required=key and not allotted,
        max_length=length if text else None,
        scale=one.scale if scaled else None,
        minimum=field.edm.minimum,
        maximum=field.edm.maximum,
    )


def _versioned(table: Table) -> Table:
    capabilities = replace(table.entity.capabilities, preconditions="version")
    return replace(table, entity=replace(table.entity, capabilities=capabilities))
