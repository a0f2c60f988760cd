"""The official Python client: many records at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError
from PowerPlatform.Dataverse.models.upsert import UpsertItem

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARD = "msdyn_loyaltycard"
CARDS = "msdyn_loyaltycards"
NUMBER = "msdyn_cardnumber"
PARTY = "msdyn_partynumber"
AddCards = Callable[..., list[str]]


def cards(dataverse: DataverseSession) -> dict[str, str | None]:
    rows = dataverse.get(f"{CARDS}?$select={NUMBER},{PARTY}&$orderby={NUMBER}").json()["value"]
    return {row[NUMBER]: row[PARTY] for row in rows}


def item(number: str, party: str) -> UpsertItem:
    return UpsertItem(alternate_key={NUMBER: number}, record={PARTY: party})


def test_create_many(client: DataverseClient, dataverse: DataverseSession) -> None:
    ids = client.records.create(CARD, [{NUMBER: f"C-{n}"} for n in range(25)])
    assert len(set(ids)) == 25
    row = dataverse.get(f"{CARDS}({ids[7]})").json()
    assert row[NUMBER] == "C-7"


def test_create_many_is_all_or_nothing(
    client: DataverseClient, dataverse: DataverseSession
) -> None:
    with pytest.raises(HttpError) as caught:
        client.records.create(CARD, [{NUMBER: "C-1"}, {NUMBER: "x" * 101}])
    assert caught.value.status_code == 400
    assert cards(dataverse) == {}


def test_update_many(
    client: DataverseClient, dataverse: DataverseSession, add_cards: AddCards
) -> None:
    ids = add_cards(["C-1", "C-2", "C-3"])
    client.records.update(CARD, ids[:2], {PARTY: "same"})
    client.records.update(CARD, ids[1:], [{PARTY: "two"}, {PARTY: "three"}])
    assert cards(dataverse) == {"C-1": "same", "C-2": "two", "C-3": "three"}


def test_upsert_one(client: DataverseClient, dataverse: DataverseSession) -> None:
    client.records.upsert(CARD, [item("C O'1", "P-1")])
    client.records.upsert(CARD, [item("c o'1", "P-2")])
    assert cards(dataverse) == {"C O'1": "P-2"}


def test_upsert_many(client: DataverseClient, dataverse: DataverseSession) -> None:
    client.records.upsert(CARD, [item("C-1", "P-1"), item("C-2", "P-2")])
    client.records.upsert(
        CARD, [item("c-2", "P-3"), {"alternate_key": {NUMBER: "C-3"}, "record": {PARTY: "P-4"}}]
    )
    assert cards(dataverse) == {"C-1": "P-1", "C-2": "P-3", "C-3": "P-4"}


def test_delete_many_as_a_job(
    client: DataverseClient, dataverse: DataverseSession, add_cards: AddCards
) -> None:
    ids = add_cards(["C-1", "C-2", "C-3"])
    job = client.records.delete(CARD, ids[:2])
    assert job is not None
    assert dataverse.get(f"asyncoperations({job})").json()["statuscode"] == 30
    assert list(cards(dataverse)) == ["C-3"]


def test_delete_many_one_by_one(
    client: DataverseClient, dataverse: DataverseSession, add_cards: AddCards
) -> None:
    ids = add_cards(["C-1", "C-2", "C-3"])
    assert client.records.delete(CARD, ids[:2], use_bulk_delete=False) is None
    assert list(cards(dataverse)) == ["C-3"]


def test_data_frames(client: DataverseClient, dataverse: DataverseSession) -> None:
    frame = pd.DataFrame([{NUMBER: "C-1", PARTY: "P-1"}, {NUMBER: "C-2", PARTY: None}])
    frame[f"{CARD}id"] = client.dataframe.create(CARD, frame)
    frame[PARTY] = ["Q-1", "Q-2"]
    client.dataframe.update(CARD, frame[[f"{CARD}id", PARTY]], id_column=f"{CARD}id")
    assert cards(dataverse) == {"C-1": "Q-1", "C-2": "Q-2"}
    found = client.dataframe.sql(f"SELECT {NUMBER}, {PARTY} FROM {CARD} ORDER BY {NUMBER}")
    assert found[PARTY].tolist() == ["Q-1", "Q-2"]
    client.dataframe.delete(CARD, frame[f"{CARD}id"])
    assert cards(dataverse) == {}
