"""Relationships made and removed at run time.

Owns: lookups with their one-to-many relationship, many-to-many relationships as definitions.
Never does: rows of a many-to-many relationship (they are not modelled), HTTP.
Tested in: tests/integration/sandbox/test_metadata_relationships.py, test_sdk_tables.py.

Facts: "Dataverse Web API: create-update-entity-relationships-using-web-api". The lookup and
its relationship are one: who deletes the one deletes the other. Schema names of relationships
may begin with a table's name, as the official SDK forms them, so no prefix is asked for.
"""

from __future__ import annotations

import re
import uuid

from connector.sandbox import metadata_errors as refusals
from connector.sandbox.catalog import (
    ManyToMany,
    relationship_id,
    relationship_name,
)
from connector.sandbox.customizing import Customizing
from connector.sandbox.declarations import (
    MAX_NAME,
    flag_member,
    label_member,
    object_member,
    text_member,
    type_of,
)
from connector.sandbox.definitions import MANY_TO_MANY, ONE_TO_MANY, Json
from connector.sandbox.storage import Storage
from connector.sandbox.tables import Column, Kind, Table

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
                self._storage.undefine(many)
                return
        for table, column in self._lookups():
            if relationship_id(table, column) == identity:
                self._customizing.drop_column(table, column)
                return
        raise refusals.not_found("entityrelationship", f"MetadataId = {identity}")

    def _lookups(self) -> list[tuple[Table, Column]]:
        return [
            (table, column)
            for table in self._catalog.by_name.values()
            for column in table.columns.values()
            if column.target
        ]

    def _names(self) -> set[str]:
        lookups = {relationship_name(table, column).lower() for table, column in self._lookups()}
        return lookups.union(self._catalog.contents.many_to_many)

    def _table(self, body: Json, member: str) -> Table:
        name = text_member(body, member)
        table = self._catalog.by_name.get(name)
        if table is None:
            raise refusals.not_found("entity", f"LogicalName = {name}")
        return table

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
            on_delete=on_delete,
            identity=str(uuid.uuid4()),
        )
        self._customizing.grow(owner, [column])
        return relationship_id(owner, column)

    def _create_many(self, name: str, body: Json) -> str:
        made = ManyToMany(
            name,
            self._table(body, "Entity1LogicalName").name,
            self._table(body, "Entity2LogicalName").name,
            text_member(body, "IntersectEntityName", name),
            str(uuid.uuid4()),
        )
        self._storage.define(made)
        return made.identity
