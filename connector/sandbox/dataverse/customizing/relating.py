"""Relationships made and removed at run time.

Owns: lookups with their one-to-many relationship, many-to-many relationships with the
intersect table that holds their pairs.
Never does: the pairs themselves (`reading/related.py`), HTTP.
Tested in: tests/integration/sandbox/test_metadata_relationships.py, test_sdk_tables.py.

Facts: "Dataverse Web API: create-update-entity-relationships-using-web-api". The lookup and
its relationship are one: who deletes the one deletes the other. Schema names of relationships
may begin with a table's name, as the official SDK forms them, so no prefix is asked for.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import replace

from connector.sandbox.dataverse.customizing.table_changes import Customizing
from connector.sandbox.dataverse.definitions import ddl
from connector.sandbox.dataverse.definitions import metadata_errors as refusals
from connector.sandbox.dataverse.definitions.catalog import (
    ManyToMany,
    intersect_columns,
    relationship_id,
    relationship_name,
)
from connector.sandbox.dataverse.definitions.declarations import (
    MAX_NAME,
    flag_member,
    label_member,
    object_member,
    text_member,
    type_of,
)
from connector.sandbox.dataverse.definitions.metadata_json import MANY_TO_MANY, ONE_TO_MANY, Json
from connector.sandbox.dataverse.definitions.tables import (
    REFERENCES,
    AlternateKey,
    Column,
    Kind,
    Table,
    table,
)
from connector.sandbox.dataverse.storage import Storage

DELETE_BEHAVIORS = ("Restrict", "RemoveLink", "Cascade", "NoCascade")
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class Relating:
    """The relationships of one organization."""

    def __init__(self, storage: Storage, customizing: Customizing) -> None:
        self._storage = storage
        self._catalog = storage.catalog
        self._customizing = customizing

    def create(self, body: Json) -> str:
        """A new relationship; its MetadataId. Raises `WireError`."""
        name = text_member(body, "SchemaName")
        if _NAME.fullmatch(name) is None or len(name) > MAX_NAME:
            raise refusals.invalid(f"'{name}' is no schema name of a relationship.")
        if name.lower() in self._names():
            raise refusals.relationship_exists(name)
        kind = type_of(body)
        if kind == ONE_TO_MANY:
            return self._create_lookup(name, body)
        if kind == MANY_TO_MANY:
            return self._create_many(name, body)
        raise refusals.invalid(f"'{kind}' is no type of relationship that can be created.")

    def drop(self, identity: str) -> None:
        """Without the relationship, and its lookup. Raises `WireError`."""
        for many in self._catalog.contents.many_to_many.values():
            if many.identity == identity:
                self._drop_many(many)
                return
        for owner, column in self._lookups():
            if relationship_id(owner, column) == identity:
                self._customizing.drop_column(owner, column)
                return
        raise refusals.not_found("entityrelationship", f"MetadataId = {identity}")

    def _lookups(self) -> list[tuple[Table, Column]]:
        return [
            (owner, column)
            for owner in self._catalog.by_name.values()
            for column in owner.columns.values()
            if column.kind in REFERENCES
        ]

    def _names(self) -> set[str]:
        lookups = {relationship_name(owner, column).lower() for owner, column in self._lookups()}
        return lookups.union(self._catalog.contents.many_to_many)

    def _table(self, body: Json, member: str) -> Table:
        name = text_member(body, member)
        found = self._catalog.by_name.get(name)
        if found is None or found.intersect:
            raise refusals.not_found("entity", f"LogicalName = {name}")
        return found

    def _create_lookup(self, name: str, body: Json) -> str:
        target = self._table(body, "ReferencedEntity")
        owner = self._table(body, "ReferencingEntity")
        referenced = text_member(body, "ReferencedAttribute", target.id_column)
        if referenced != target.id_column:
            raise refusals.invalid(f"'{referenced}' is not the primary id of {target.name}.")
        cascade = object_member(body, "CascadeConfiguration")
        on_delete = text_member(cascade, "Delete", "RemoveLink")
        if on_delete not in DELETE_BEHAVIORS:
            raise refusals.invalid(f"'{on_delete}' is no behavior of a relationship.")
        lookup = object_member(body, "Lookup")
        schema_name = text_member(lookup, "SchemaName")
        self._customizing.check_name("attribute", schema_name)
        column = Column(
            schema_name,
            Kind.LOOKUP,
            label_member(lookup, "DisplayName", schema_name),
            target=target.name,
            required=text_member(object_member(lookup, "RequiredLevel"), "Value", "None"),
            description=label_member(lookup, "Description"),
            secured=flag_member(lookup, "IsSecured", False),
            custom=True,
            managed=False,
            relationship=name,
            navigation_name=text_member(body, "ReferencingEntityNavigationPropertyName"),
            on_delete=on_delete,
            identity=str(uuid.uuid4()),
        )
        self._customizing.grow(owner, [column])
        return relationship_id(owner, column)

    def _create_many(self, name: str, body: Json) -> str:
        ends = [self._table(body, f"Entity{place}LogicalName") for place in (1, 2)]
        schema_name = text_member(body, "IntersectEntityName", name)
        made = ManyToMany(name, ends[0].name, ends[1].name, schema_name.lower(), str(uuid.uuid4()))
        if _NAME.fullmatch(schema_name) is None or made.intersect in self._catalog.by_name:
            raise refusals.table_exists(schema_name)
        intersect = _intersect(schema_name, made, ends)
        self._storage.execute_all(ddl.create_table(intersect))
        self._storage.define(intersect)
        self._storage.define(made)
        return made.identity

    def _drop_many(self, many: ManyToMany) -> None:
        intersect = self._catalog.by_name[many.intersect]
        self._storage.drop_table(intersect)
        self._storage.undefine(many)


def _intersect(schema_name: str, many: ManyToMany, ends: Sequence[Table]) -> Table:
    """The table of the pairs; deleting a row at either end takes its pairs away."""
    names = intersect_columns(many)
    columns = [
        Column(name, Kind.GUID, end.title, target=end.name, custom=True, on_delete="Cascade")
        for name, end in zip(names, ends, strict=True)
    ]
    made = table(
        schema_name,
        f"{many.intersect}set",
        schema_name,
        schema_name,
        f"{many.intersect}id",
        columns,
        keys=(AlternateKey(f"{schema_name}_pair", schema_name, names),),
        user_owned=False,
        operations=(),
    )
    return replace(made, intersect=True, identity=str(uuid.uuid4()))
