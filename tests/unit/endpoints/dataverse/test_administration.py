"""Each step of provisioning as requests, and what is read to know the steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests import PreparedRequest

from connector.endpoints.dataverse.administration import Administration
from connector.endpoints.dataverse.service import SERVICE
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.transport import Transport
from connector.errors import AccessError, MapError, UnreachableError
from connector.mapping.tables.provision import (
    AddOption,
    AwaitKey,
    MakeColumn,
    MakeKey,
    MakeTable,
    RetryKey,
    TrackChanges,
)
from connector.mapping.tables.wanted import WantedColumn, WantedTable
from connector.mapping.values import ValueType

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service

HOST = "https://org.example"
POINT = "EntityDefinitions(LogicalName='point')"
NAME = WantedColumn("new_Name", "Name", ValueType.TEXT)
UNIT = WantedColumn("new_Unit", "Unit", ValueType.CHOICE, options={1: "Day"})
# A table that was there before may be called otherwise than its file says.
WANTED = WantedTable("points", "new_Point", "Point", "Points", NAME, (UNIT,), ("name",))


@pytest.fixture
def administration(points: Service) -> Iterator[Administration]:
    transport = Transport(
        SERVICE,
        HOST,
        tokens=[points],
        ca=None,
        patience=points.patience,
        clock=points.clock,
        timeout=300.0,
        connections=1,
        governor=Governor(clock=points.patience.monotonic, sleep=points.sleep),
    )
    points.on("GET", "organizations", body={"value": [{"languagecode": 1031}]})
    yield Administration(transport, sleep=points.sleep, index_seconds=6.0)
    transport.close()


def sent(service: Service, method: str, part: str) -> tuple[PreparedRequest, dict[str, Any]]:
    (request,) = service.calls(method, part)
    body: dict[str, Any] = json.loads(request.body or b"")
    return request, body


def test_what_is_there(points: Service, administration: Administration) -> None:
    existing = administration.existing("points")
    assert existing is not None
    assert existing.logical_name == "point"
    assert existing.keys == {frozenset({"name"}): "Active", frozenset({"unit", "rank"}): "Pending"}
    assert existing.columns["name"].type is ValueType.TEXT
    assert existing.tracked


def test_the_name_in_its_own_case(points: Service, administration: Administration) -> None:
    points.on("GET", f"{POINT}?$select=SchemaName", body={"SchemaName": "Point"})
    assert administration.schema_name("points") == "Point"


def test_no_such_table(service: Service, administration: Administration) -> None:
    service.forget("GET", f"{HOST}/api/data/v9.2/EntityDefinitions")
    service.on("GET", "EntityDefinitions", body={"value": []})
    assert administration.existing("points") is None


def test_a_table_is_made(points: Service, administration: Administration) -> None:
    points.on("POST", "EntityDefinitions", 204)
    points.forget("GET", f"{HOST}/api/data/v9.2/EntityDefinitions")
    points.on("GET", "EntityDefinitions", body={"value": [{"EntitySetName": "points"}]})
    administration.carry_out(MakeTable(WANTED))
    _, body = sent(points, "POST", "EntityDefinitions")
    assert body["SchemaName"] == "new_Point"
    assert body["DisplayName"]["LocalizedLabels"][0]["LanguageCode"] == 1031


def test_a_table_that_got_another_set_name_is_said(
    points: Service, administration: Administration
) -> None:
    points.on("POST", "EntityDefinitions", 204)
    points.forget("GET", f"{HOST}/api/data/v9.2/EntityDefinitions")
    points.on("GET", "EntityDefinitions", body={"value": [{"EntitySetName": "new_pointses"}]})
    with pytest.raises(MapError) as caught:
        administration.carry_out(MakeTable(WANTED))
    assert caught.value.code == "entity-set-differs"
    assert "new_pointses" in caught.value.remedy


def test_a_column_is_made_in_the_table_as_it_is_called(
    points: Service, administration: Administration
) -> None:
    points.on("POST", f"{POINT}/Attributes", 204)
    administration.carry_out(MakeColumn(WANTED, UNIT))
    _, body = sent(points, "POST", "Attributes")
    assert body["SchemaName"] == "new_Unit"


def test_a_lookup_is_made_by_its_relationship(
    points: Service, administration: Administration
) -> None:
    points.on("POST", "RelationshipDefinitions", 204)
    lookup = WantedColumn("new_Other", "Other", ValueType.REFERENCE, target="points")
    administration.carry_out(MakeColumn(WANTED, lookup))
    _, body = sent(points, "POST", "RelationshipDefinitions")
    assert (body["ReferencingEntity"], body["ReferencedEntity"]) == ("point", "point")
    assert body["ReferencedAttribute"] == "pointid"


def choice(points: Service, name: str, shared: bool) -> None:
    """What the column has for a choice."""
    cast = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    path = (
        f"{POINT}/Attributes(LogicalName='new_unit')/{cast}?$select=LogicalName&$expand=OptionSet"
    )
    points.on("GET", path, body={"OptionSet": {"Name": name, "IsGlobal": shared}})


def test_an_option_of_a_global_choice_is_added_to_that(
    points: Service, administration: Administration
) -> None:
    choice(points, "new_units", shared=True)
    points.on("POST", "InsertOptionValue", 200, {"NewOptionValue": 1})
    administration.carry_out(AddOption(WANTED, UNIT, 1))
    _, body = sent(points, "POST", "InsertOptionValue")
    assert (body["OptionSetName"], body["Value"]) == ("new_units", 1)
    assert "EntityLogicalName" not in body


def test_an_option_is_added(points: Service, administration: Administration) -> None:
    choice(points, "point_new_unit", shared=False)
    points.on("POST", "InsertOptionValue", 200, {"NewOptionValue": 1})
    administration.carry_out(AddOption(WANTED, UNIT, 1))
    _, body = sent(points, "POST", "InsertOptionValue")
    assert (body["EntityLogicalName"], body["AttributeLogicalName"], body["Value"]) == (
        "point",
        "new_unit",
        1,
    )


def test_a_key_is_made(points: Service, administration: Administration) -> None:
    points.on("POST", f"{POINT}/Keys", 204)
    administration.carry_out(MakeKey(WANTED))
    assert sent(points, "POST", "Keys")[1]["KeyAttributes"] == ["name"]


def test_an_index_is_built_again(points: Service, administration: Administration) -> None:
    points.forget("GET", f"{HOST}/api/data/v9.2/{POINT}/Keys")
    names = {"LogicalName": "pk", "SchemaName": "PK"}
    key = {**names, "KeyAttributes": ["name"], "EntityKeyIndexStatus": "Failed"}
    points.on("GET", f"{POINT}/Keys", body={"value": [key]})
    points.on("POST", "ReactivateEntityKey", 204)
    administration.carry_out(RetryKey(WANTED))
    assert sent(points, "POST", "ReactivateEntityKey")[1] == {
        "EntityLogicalName": "point",
        "EntityKeyLogicalName": "pk",
    }


def test_change_tracking_keeps_everything_else(
    points: Service, administration: Administration
) -> None:
    whole = {
        "@odata.context": "x",
        "MetadataId": "1",
        "SchemaName": "Point",
        "ChangeTrackingEnabled": False,
    }
    points.on("GET", POINT, body=whole)
    points.on("PUT", POINT, 204)
    administration.carry_out(TrackChanges(WANTED))
    request, body = sent(points, "PUT", "EntityDefinitions")
    assert request.headers["MSCRM.MergeLabels"] == "true"
    assert body == {
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "MetadataId": "1",
        "SchemaName": "Point",
        "ChangeTrackingEnabled": True,
    }


def test_tables_are_published(points: Service, administration: Administration) -> None:
    points.on("POST", "PublishXml", 204)
    administration.publish([WANTED])
    xml = sent(points, "POST", "PublishXml")[1]["ParameterXml"]
    assert xml == ("<importexportxml><entities><entity>point</entity></entities></importexportxml>")


def keys(service: Service, *states: str) -> None:
    service.forget("GET", f"{HOST}/api/data/v9.2/{POINT}/Keys")
    for state in states:
        key = {"SchemaName": "k", "KeyAttributes": ["name"], "EntityKeyIndexStatus": state}
        service.on("GET", f"{POINT}/Keys", body={"value": [key]})


@pytest.mark.parametrize("end", ["Active", "Failed"])
def test_an_index_is_waited_for(points: Service, administration: Administration, end: str) -> None:
    administration.existing("points")
    keys(points, "Pending", "InProgress", end)
    administration.carry_out(AwaitKey(WANTED))
    assert points.slept == [0.25, 0.5]
    assert administration.key_state(WANTED) == end


def test_an_index_is_not_waited_for_forever(
    points: Service, administration: Administration
) -> None:
    administration.existing("points")
    keys(points, "InProgress")
    administration.carry_out(AwaitKey(WANTED))
    assert points.slept == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
    assert administration.key_state(WANTED) == "InProgress"


def test_a_refusal_is_told_with_the_step(points: Service, administration: Administration) -> None:
    points.error("POST", f"{POINT}/Attributes", 400, "0x80044363", "The name is taken.")
    with pytest.raises(MapError) as caught:
        administration.carry_out(MakeColumn(WANTED, UNIT))
    assert caught.value.code == "provision-refused"
    assert "create column new_unit of new_point" in caught.value.message
    assert "The name is taken." in str(caught.value.cause)


def test_a_missing_role_names_the_privilege(
    points: Service, administration: Administration
) -> None:
    message = "Principal user (Id=1) is missing prvCreateAttribute privilege (Id=2)"
    points.error("POST", f"{POINT}/Attributes", 403, "0x80040220", message)
    with pytest.raises(AccessError) as caught:
        administration.carry_out(MakeColumn(WANTED, UNIT))
    assert caught.value.code == "privilege-missing"
    assert "prvCreateAttribute" in caught.value.message


def test_a_lost_answer_is_found_out_by_the_next_run(
    points: Service, administration: Administration
) -> None:
    points.on("POST", f"{POINT}/Attributes", body=requests.ReadTimeout("gone"))
    with pytest.raises(UnreachableError) as caught:
        administration.carry_out(MakeColumn(WANTED, UNIT))
    assert caught.value.code == "unreachable"
    assert caught.value.tried is not None
    assert "new_unit" in caught.value.tried
    assert len(points.calls("POST", "Attributes")) == 1
