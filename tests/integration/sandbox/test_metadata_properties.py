"""Whatever is asked of the metadata API: an answer, and definitions that fit the database."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from connector.sandbox.dataverse.customizing import key_indexes
from connector.sandbox.dataverse.definitions import archive, ddl
from connector.sandbox.dataverse.messages import Request
from connector.sandbox.dataverse.rights.privileges import ADMINISTRATOR
from connector.sandbox.dataverse.service import Service
from connector.sandbox.dataverse.standard.seed import Member
from connector.sandbox.messages import Response
from tests.integration.sandbox.declared import CRM, attribute, definition, entity, label

BASE = "https://127.0.0.1/api/data/v9.2"
KINDS = (
    "String",
    "Memo",
    "Integer",
    "BigInt",
    "Decimal",
    "Money",
    "Double",
    "Boolean",
    "Picklist",
    "MultiSelectPicklist",
    "DateTime",
    "File",
)
NAMES = st.sampled_from(["new_A", "new_B"])
COLUMNS = st.sampled_from(["new_x", "new_y", "new_z", "new_name"])


@contextmanager
def organization() -> Iterator[Service]:
    """A new organization in this process."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), (Member("me", "client", "Me", ADMINISTRATOR),))
        try:
            yield service
        finally:
            service.close()


def ask(service: Service, method: str, path: str, body: Any = None) -> Response:
    """One request of the administrator."""
    content = b"" if body is None else orjson.dumps(body)
    user = service.user_of("client")
    assert user is not None
    return service.run(Request(method, BASE, path, "", {}, content, user))


def check(service: Service) -> None:
    """Tables, columns and indexes are those the definitions say, in memory and on disk."""
    connection, catalog = service.storage.connection, service.storage.catalog
    kept = archive.load(connection)
    assert list(kept.tables) == list(catalog.by_name)
    for name, table in catalog.by_name.items():
        # As text: a number that comes back as a float is another one, though it is equal.
        assert repr(kept.tables[name].columns) == repr(table.columns)
        assert kept.tables[name].keys == table.keys
        columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')}
        assert columns == set(ddl.stored_columns(table))
        indexes = {row[1] for row in connection.execute(f'PRAGMA index_list("{name}")')}
        assert {f"{name}.{key.name}" for key in table.active_keys} <= indexes
        assert not {f"{name}.{key.name}" for key in set(table.keys) - set(table.active_keys)} & (
            indexes
        )
    assert kept.many_to_many == catalog.contents.many_to_many
    assert kept.option_sets == catalog.contents.option_sets


# ---------------------------------------------------------------------------- changes


def _lookup(owner: str, target: str, behavior: str) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}.OneToManyRelationshipMetadata",
        "SchemaName": f"{target}_{owner}",
        "ReferencedEntity": target.lower(),
        "ReferencingEntity": owner.lower(),
        "CascadeConfiguration": {"Delete": behavior},
        "Lookup": {"SchemaName": "new_Y", "DisplayName": label("Y")},
    }


def _many(first: str, second: str) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}.ManyToManyRelationshipMetadata",
        "SchemaName": f"new_{first[-1]}{second[-1]}",
        "Entity1LogicalName": first.lower(),
        "Entity2LogicalName": second.lower(),
    }


def _below(table: str, what: str, name: str = "") -> str:
    key = f"(LogicalName='{name}')" if name else ""
    return f"{definition(table.lower())}/{what}{key}"


BEHAVIORS = st.sampled_from(["Restrict", "RemoveLink", "Cascade", "NoCascade"])
SCHEMA_COLUMNS = st.sampled_from(["new_X", "new_Y", "new_Z"])
CHANGES: SearchStrategy[tuple[str, str, Any]] = st.one_of(
    st.tuples(st.just("POST"), st.just("EntityDefinitions"), NAMES.map(entity)),
    st.tuples(st.just("DELETE"), NAMES.map(lambda name: definition(name.lower())), st.none()),
    st.builds(
        lambda table, kind, name: ("POST", _below(table, "Attributes"), attribute(kind, name)),
        NAMES,
        st.sampled_from(KINDS),
        SCHEMA_COLUMNS,
    ),
    st.builds(
        lambda table, name: ("DELETE", _below(table, "Attributes", name), None), NAMES, COLUMNS
    ),
    st.builds(
        lambda table, name, columns: (
            "POST",
            _below(table, "Keys"),
            {"SchemaName": name, "KeyAttributes": columns},
        ),
        NAMES,
        st.sampled_from(["new_K", "new_L"]),
        st.lists(COLUMNS, min_size=1, max_size=3, unique=True),
    ),
    st.builds(
        lambda table, name: ("DELETE", _below(table, "Keys", name), None),
        NAMES,
        st.sampled_from(["new_k", "new_l"]),
    ),
    st.builds(
        lambda *of: ("POST", "RelationshipDefinitions", _lookup(*of)), NAMES, NAMES, BEHAVIORS
    ),
    st.builds(lambda *of: ("POST", "RelationshipDefinitions", _many(*of)), NAMES, NAMES),
    st.builds(
        lambda table, text, number: (
            "POST",
            f"{table.lower()}s",
            {"new_name": text, "new_x": number},
        ),
        NAMES,
        st.sampled_from(["a", "A ", "b", None]),
        st.sampled_from([1, "1", None]),
    ),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CHANGES, min_size=3, max_size=30))
def test_definitions_always_fit_the_database(changes: list[tuple[str, str, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch, organization() as service:
        patch.setattr(key_indexes, "BUILD_SECONDS", 0.0)
        columns = (attribute("String", "new_X"), attribute("Integer", "new_Z"))
        for name in ("new_A", "new_B"):
            ask(service, "POST", "EntityDefinitions", entity(name, *columns))
            key = {"SchemaName": "new_K", "KeyAttributes": ["new_x"]}
            ask(service, "POST", _below(name, "Keys"), key)
        for method, path, body in changes:
            answer = ask(service, method, path, body)
            assert answer.status in (204, 400, 404, 412), answer.body
            check(service)
        for table in service.storage.catalog.by_name.values():
            assert ask(service, "GET", table.set_name).status == 200
        assert ask(service, "GET", "$metadata").status == 200
        assert ask(service, "GET", "EntityDefinitions").status == 200


# ---------------------------------------------------------------------------- nonsense

MEMBERS = (
    "SchemaName",
    "DisplayName",
    "OwnershipType",
    "Attributes",
    "OptionSet",
    "GlobalOptionSet@odata.bind",
    "MaxLength",
    "Precision",
    "MinValue",
    "RequiredLevel",
    "DateTimeBehavior",
    "DefaultFormValue",
    "KeyAttributes",
    "CascadeConfiguration",
    "Lookup",
    "ReferencedEntity",
    "Entity1LogicalName",
    "IntersectEntityName",
    "Options",
    "Value",
    "Label",
    "Name",
    "Entities",
    "@odata.type",
    "ChangeTrackingEnabled",
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70).filter(lambda n: -(2**63) <= n < 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "new_A", "new_a", "contact", "None", f"{CRM}.OptionSetMetadata"]),
)
NONSENSE = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    ),
    max_leaves=8,
)
PLACES = st.sampled_from(
    [
        ("POST", "EntityDefinitions", entity("new_B")),
        ("POST", "CreateEntities", {"Entities": [entity("new_B")]}),
        ("PUT", definition("new_a"), {}),
        *[
            ("POST", f"{definition('new_a')}/Attributes", attribute(kind, "new_X"))
            for kind in (*KINDS, "Lookup", "Image")
        ],
        ("PUT", f"{definition('new_a')}/Attributes(LogicalName='new_name')", {}),
        (
            "POST",
            f"{definition('new_a')}/Keys",
            {"SchemaName": "new_K", "KeyAttributes": ["new_name"]},
        ),
        ("POST", "RelationshipDefinitions", _lookup("new_A", "contact", "Cascade")),
        ("POST", "RelationshipDefinitions", _many("new_A", "contact")),
        ("POST", "GlobalOptionSetDefinitions", {"Name": "new_set", "Options": []}),
        ("POST", "InsertOptionValue", {"OptionSetName": "new_set"}),
        ("POST", "ReactivateEntityKey", {"EntityLogicalName": "new_a"}),
    ]
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(PLACES, st.dictionaries(st.sampled_from(MEMBERS), NONSENSE, min_size=1, max_size=3))
def test_nonsense_is_refused_and_changes_nothing(
    place: tuple[str, str, dict[str, Any]], nonsense: dict[str, Any]
) -> None:
    method, path, body = place
    with organization() as service:
        assert ask(service, "POST", "EntityDefinitions", entity("new_A")).status == 204
        before = service.storage.catalog.contents
        answer = ask(service, method, path, {**body, **nonsense})
        assert answer.status in (200, 204, 400, 404), answer.body
        check(service)
        if answer.status >= 400:
            assert service.storage.catalog.contents is before
