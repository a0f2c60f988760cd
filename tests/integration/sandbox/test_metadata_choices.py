"""Global choices, and options that come, change and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.declared import (
    CRM,
    attribute,
    create_table,
    definition,
    label,
    refusal,
)

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

BOOK = definition("new_book")
SET = "GlobalOptionSetDefinitions"
GENRES = {
    "@odata.type": f"{CRM}.OptionSetMetadata",
    "Name": "new_Genre",
    "IsGlobal": True,
    "OptionSetType": "Picklist",
    "DisplayName": label("Genre"),
    "Options": [{"Value": 1, "Label": label("Novel")}, {"Value": 2, "Label": label("Letters")}],
}
OF_COLUMN = {"EntityLogicalName": "new_book", "AttributeLogicalName": "new_genre"}
OF_SET = {"OptionSetName": "new_genre"}


def shared(dataverse: DataverseSession) -> str:
    """Creates a global choice and a table with a column that uses it; the choice's path."""
    made = dataverse.post(SET, json=GENRES)
    assert made.status_code == 204, made.text
    path = f"{SET}({made.headers['OData-EntityId'][-37:-1]})"
    bound = {"GlobalOptionSet@odata.bind": f"/{path}"}
    create_table(dataverse, attribute("Picklist", "new_Genre", **bound))
    return path


def options(dataverse: DataverseSession) -> dict[int, str]:
    """Value and label of each option of `new_book.new_genre`."""
    path = f"{BOOK}/Attributes/{CRM}.PicklistAttributeMetadata"
    (column,) = dataverse.get(f"{path}?$expand=OptionSet").json()["value"]
    return {
        one["Value"]: one["Label"]["UserLocalizedLabel"]["Label"]
        for one in column["OptionSet"]["Options"]
    }


def test_a_global_choice_is_used_by_columns(dataverse: DataverseSession) -> None:
    path = shared(dataverse)
    shown = dataverse.get(f"{SET}(Name='new_genre')").json()
    assert shown["MetadataId"] in path
    assert [one["Value"] for one in shown["Options"]] == [1, 2]
    assert options(dataverse) == {1: "Novel", 2: "Letters"}
    assert dataverse.post("new_books", json={"new_genre": 2}).status_code == 204
    assert dataverse.post("new_books", json={"new_genre": 3}).status_code == 400
    column = f"{BOOK}/Attributes(LogicalName='new_genre')/{CRM}.PicklistAttributeMetadata"
    expanded = dataverse.get(f"{column}?$expand=GlobalOptionSet").json()["GlobalOptionSet"]
    assert expanded["Name"] == "new_genre"
    assert refusal(dataverse.delete(path)) == (400, "0x8004f01f")
    assert dataverse.delete(f"{BOOK}/Attributes(LogicalName='new_genre')").status_code == 204
    assert dataverse.delete(path).status_code == 204
    assert dataverse.get(path).status_code == 404


def test_a_global_choice_named_in_the_column(dataverse: DataverseSession) -> None:
    dataverse.post(SET, json=GENRES)
    named = {"OptionSet": {"IsGlobal": True, "Name": "new_Genre"}}
    create_table(dataverse, attribute("MultiSelectPicklist", "new_Genres", **named))
    assert dataverse.post("new_books", json={"new_genres": "1,2"}).status_code == 204
    by_name = {"GlobalOptionSet@odata.bind": f"/{SET}(Name='new_genre')"}
    column = attribute("Picklist", "new_First", **by_name)
    assert dataverse.post(f"{BOOK}/Attributes", json=column).status_code == 204
    for bind in (f"/{SET}(Name='new_other')", "/contacts(1)"):
        column = attribute("Picklist", "new_Other", **{"GlobalOptionSet@odata.bind": bind})
        assert dataverse.post(f"{BOOK}/Attributes", json=column).status_code in (400, 404)


@pytest.mark.parametrize("whose", [OF_COLUMN, OF_SET])
def test_options_of_a_global_choice(dataverse: DataverseSession, whose: dict[str, str]) -> None:
    shared(dataverse)
    body = {**whose, "Value": 7, "Label": label("Play")}
    answer = dataverse.post("InsertOptionValue", json=body)
    assert answer.json()["NewOptionValue"] == 7
    assert options(dataverse) == {1: "Novel", 2: "Letters", 7: "Play"}
    assert dataverse.post("new_books", json={"new_genre": 7}).status_code == 204
    body = {**whose, "Value": 7, "Label": label("Drama"), "MergeLabels": True}
    assert dataverse.post("UpdateOptionValue", json=body).status_code == 204
    assert dataverse.post("DeleteOptionValue", json={**whose, "Value": 1}).status_code == 204
    assert options(dataverse) == {2: "Letters", 7: "Drama"}
    shown = dataverse.get(f"{SET}(Name='new_genre')").json()["Options"]
    assert [one["Value"] for one in shown] == [2, 7]
    assert dataverse.post("new_books", json={"new_genre": 1}).status_code == 400


def test_options_of_a_column_of_its_own(dataverse: DataverseSession) -> None:
    own = {"OptionSet": {"IsGlobal": False, "Options": GENRES["Options"]}}
    create_table(dataverse, attribute("Picklist", "new_Genre", **own))
    new = [
        dataverse.post("InsertOptionValue", json={**OF_COLUMN, "Label": label(text)}).json()
        for text in ("Play", "Poem")
    ]
    # Without a value the publisher's prefix gives one.
    assert [one["NewOptionValue"] for one in new] == [100_000_000, 100_000_001]
    assert options(dataverse)[100_000_001] == "Poem"
    assert dataverse.post("new_books", json={"new_genre": 100_000_001}).status_code == 204


def test_an_option_of_a_standard_table(dataverse: DataverseSession) -> None:
    whose = {
        "EntityLogicalName": "msdyn_loyaltycard",
        "AttributeLogicalName": "msdyn_cardtendertype",
    }
    body = {**whose, "Value": 806380009, "Label": label("Lost")}
    row = {"msdyn_cardnumber": "C-1", "msdyn_cardtendertype": 806380009}
    assert dataverse.post("msdyn_loyaltycards", json=row).status_code == 400
    assert dataverse.post("InsertOptionValue", json=body).status_code == 200
    assert dataverse.post("msdyn_loyaltycards", json=row).status_code == 204


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("InsertOptionValue", {**OF_COLUMN, "Value": 1, "Label": label("Novel")}, 400),
        ("InsertOptionValue", {**OF_COLUMN, "Value": "1"}, 400),
        ("InsertOptionValue", {"EntityLogicalName": "new_book"}, 404),
        ("InsertOptionValue", {"OptionSetName": "new_other"}, 404),
        ("UpdateOptionValue", {**OF_COLUMN, "Value": 9}, 404),
        ("DeleteOptionValue", {**OF_COLUMN}, 404),
    ],
)
def test_changes_of_options_that_are_refused(
    dataverse: DataverseSession, action: str, body: dict[str, Any], status: int
) -> None:
    shared(dataverse)
    assert dataverse.post(action, json=body).status_code == status
    assert options(dataverse) == {1: "Novel", 2: "Letters"}
    assert dataverse.get(action).status_code == 404


def test_names_of_global_choices(dataverse: DataverseSession) -> None:
    assert dataverse.post(SET, json={**GENRES, "Name": "genre"}).status_code == 400
    assert dataverse.post(SET, json=GENRES).status_code == 204
    again = dataverse.post(SET, json={**GENRES, "Name": "NEW_GENRE"})
    assert refusal(again) == (400, "0x80048403")
    assert [one["Name"] for one in dataverse.get(SET).json()["value"]] == ["new_genre"]
    # The service knows no filter here; clients ask by name.
    assert dataverse.get(f"{SET}?$filter=Name eq 'new_genre'").status_code == 405
