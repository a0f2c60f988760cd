"""The official Python client: batches, change sets, both ways to meet an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, ValidationError
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


def test_every_kind_of_operation(
    client: DataverseClient, dataverse: DataverseSession, add_cards: AddCards
) -> None:
    first, second, third = add_cards(["C-1", "C-2", "C-3"])
    batch = client.batch.new()
    batch.records.create(CARD, {NUMBER: "C-4"})
    batch.records.create(CARD, [{NUMBER: "C-5"}, {NUMBER: "C-6"}])
    batch.records.update(CARD, first, {PARTY: "one"})
    batch.records.update(CARD, [second, third], {PARTY: "many"})
    batch.records.upsert(CARD, [UpsertItem({NUMBER: "C-4"}, {PARTY: "upserted"})])
    batch.records.upsert(
        CARD, [UpsertItem({NUMBER: "C-5"}, {PARTY: "x"}), UpsertItem({NUMBER: "C-7"}, {PARTY: "y"})]
    )
    batch.records.retrieve(CARD, first, select=[NUMBER, PARTY])
    batch.records.list(CARD, filter=f"{PARTY} eq 'many'", select=[NUMBER], orderby=[NUMBER])
    batch.query.sql(f"SELECT COUNT(*) AS n FROM {CARD}")
    batch.records.delete(CARD, third)
    batch.records.delete(CARD, [second])
    result = batch.execute()
    assert not result.has_errors, result.failed
    statuses = [response.status_code for response in result.responses]
    assert statuses == [204, 200, 204, 204, 204, 204, 200, 200, 200, 204, 200]
    created, many = result.responses[0].entity_id, result.responses[1].data
    assert created is not None
    assert many is not None
    assert len(many["Ids"]) == 2
    read, listed, counted = (result.responses[n].data for n in (6, 7, 8))
    assert read is not None and read[PARTY] == "one"  # noqa: PT018
    assert listed is not None
    assert [row[NUMBER] for row in listed["value"]] == ["C-2", "C-3"]
    assert counted is not None
    assert counted["value"] == [{"n": 7}]
    assert cards(dataverse) == {
        "C-1": "one",
        "C-4": "upserted",
        "C-5": "x",
        "C-6": None,
        "C-7": "y",
    }


def test_the_first_error_ends_a_batch(client: DataverseClient, dataverse: DataverseSession) -> None:
    batch = client.batch.new()
    for number in ("C-1", "x" * 101, "C-2"):
        batch.records.create(CARD, {NUMBER: number})
    result = batch.execute()
    assert [response.status_code for response in result.responses] == [204, 400]
    (failed,) = result.failed
    assert failed.error_code == "0x80044331"
    assert failed.error_message is not None
    assert "maximum allowed length" in failed.error_message
    assert list(cards(dataverse)) == ["C-1"]


def test_the_first_error_may_end_it_as_an_exception(
    client: DataverseClient, dataverse: DataverseSession
) -> None:
    """The batch has the status of its first failure; the client reads the parts of a 400 only."""
    batch = client.batch.new()
    for number in ("C-1", "c-1", "C-2"):
        batch.records.create(CARD, {NUMBER: number})
    with pytest.raises(HttpError) as caught:
        batch.execute()
    assert caught.value.status_code == 412
    assert list(cards(dataverse)) == ["C-1"]


def test_a_batch_goes_on_when_asked_to(
    client: DataverseClient, dataverse: DataverseSession
) -> None:
    batch = client.batch.new()
    for number in ("C-1", "c-1", "C-2"):
        batch.records.create(CARD, {NUMBER: number})
    result = batch.execute(continue_on_error=True)
    assert [response.status_code for response in result.responses] == [204, 412, 204]
    assert len(result.entity_ids) == 2
    assert list(cards(dataverse)) == ["C-1", "C-2"]


def test_a_change_set_refers_to_what_it_made(
    client: DataverseClient, dataverse: DataverseSession, add_cards: AddCards
) -> None:
    (gone,) = add_cards(["C-0"])
    batch = client.batch.new()
    with batch.changeset() as changes:
        made = changes.records.create(CARD, {NUMBER: "C-1"})
        changes.records.update(CARD, made, {PARTY: "P-1"})
        changes.records.delete(CARD, gone)
    batch.records.create(CARD, {NUMBER: "C-2"})
    result = batch.execute()
    assert not result.has_errors, result.failed
    assert [response.content_id for response in result.responses] == ["1", "2", "3", None]
    assert cards(dataverse) == {"C-1": "P-1", "C-2": None}


def test_a_failed_change_set_leaves_nothing(
    client: DataverseClient, dataverse: DataverseSession
) -> None:
    batch = client.batch.new()
    with batch.changeset() as changes:
        changes.records.create(CARD, {NUMBER: "C-1"})
        changes.records.create(CARD, {NUMBER: "c-1"})
    batch.records.create(CARD, {NUMBER: "C-2"})
    result = batch.execute(continue_on_error=True)
    assert [response.status_code for response in result.responses] == [412, 204]
    assert list(cards(dataverse)) == ["C-2"]


def test_content_ids_go_on_over_change_sets(
    client: DataverseClient, dataverse: DataverseSession
) -> None:
    batch = client.batch.new()
    for number in ("C-1", "C-2"):
        with batch.changeset() as changes:
            made = changes.records.create(CARD, {NUMBER: number})
            changes.records.update(CARD, made, {PARTY: number})
    result = batch.execute()
    assert [response.content_id for response in result.responses] == ["1", "2", "3", "4"]
    assert cards(dataverse) == {"C-1": "C-1", "C-2": "C-2"}


def test_frames_in_a_batch(client: DataverseClient, dataverse: DataverseSession) -> None:
    batch = client.batch.new()
    batch.dataframe.create(CARD, pd.DataFrame([{NUMBER: "C-1"}, {NUMBER: "C-2"}]))
    assert not batch.execute().has_errors
    assert list(cards(dataverse)) == ["C-1", "C-2"]


def test_too_many_operations_are_the_clients_own_refusal(client: DataverseClient) -> None:
    batch = client.batch.new()
    for number in range(1001):
        batch.records.create(CARD, {NUMBER: f"C-{number}"})
    with pytest.raises(ValidationError, match="1000"):
        batch.execute()
