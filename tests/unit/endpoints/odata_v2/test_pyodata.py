"""Each weakness of the library in single rows, and what the endpoint makes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyodata
import pytest
from pyodata.exceptions import HttpError

from connector.endpoints.base import (
    Applied,
    Delete,
    Exists,
    Rejected,
    Stale,
    Update,
)
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.errors import MapError, UnreachableError
from connector.mapping.values import Value
from tests.integration.odata_v2.loyalty import loyalty_types
from tests.integration.odata_v2.service import Service, host_of
from tests.unit.endpoints.odata_v2.cards import COLUMNS, alone, card, fill, notes, write

if TYPE_CHECKING:
    from tests.unit.endpoints.odata_v2.conftest import MakeEndpoint


# ---------------------------------------------------------------------------- values


def test_a_null_is_none_and_never_a_zero_of_its_type(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    write(endpoint, card("K0"))
    (proxy,) = alone(service).entity_sets.Cards.get_entities().execute()
    assert (proxy.Points, proxy.Active, proxy.Seen.year) == (0, False, 1753)  # alone it corrupts
    columns = ["Points", "Active", "Seen", "Balance", "Enrolled", "Note", "Owner"]
    (page, *_) = endpoint.scan("Cards", columns, None)
    assert page.rows[0].image == (None,) * len(columns)


def test_one_null_where_none_may_be_does_not_end_a_page(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    fill(endpoint, 2)
    (row, _) = service.types["Cards"].rows.values()
    row["Note"] = None
    document = service._document().replace(
        b'Name="Note" Type="Edm.String" Nullable="true"',
        b'Name="Note" Type="Edm.String" Nullable="false"',
    )
    service.metadata = document
    with pytest.raises(pyodata.exceptions.PyODataException, match="non-nullable"):
        alone(service, retain_null=True).entity_sets.Cards.get_entities().execute()
    (page, *_) = endpoint.scan("Cards", COLUMNS, None)
    assert [row.image for row in page.rows] == [("K0", None), ("K1", "t")]


def test_decimals_are_exact_in_both_directions(service: Service, endpoint: ODataV2Endpoint) -> None:
    request = alone(service).entity_sets.Cards.create_entity()
    request.set(CardNumber="K0", Balance=Decimal("1.5"))
    with pytest.raises(TypeError):
        request.get_body()
    exact = Decimal("123456789012345.6789")
    (outcome,) = endpoint.write("Cards", ["Balance"], [card("K0", Balance=exact)])
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.image == (exact,)
    assert service.types["Cards"].rows[("k0",)]["Balance"] == "123456789012345.6789"


def test_doubles_keep_all_their_digits(service: Service, endpoint: ODataV2Endpoint) -> None:
    cut = alone(service).schema.entity_type("Cards").proprty("Ratio").to_json(1234567.891)
    assert float(cut) == 1234568.0
    endpoint.write("Cards", ["Ratio"], [card("K0", Ratio=Decimal("1234567.891"))])
    assert service.types["Cards"].rows[("k0",)]["Ratio"] == "1234567.891"


@pytest.mark.parametrize(
    ("column", "value", "wire"),
    [
        ("Seen", datetime(1969, 7, 20, 20, 17, 40, 123000, tzinfo=UTC), "/Date(-14182939877)/"),
        ("Seen", datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), "/Date(253402300799999)/"),
        ("Enrolled", date(2154, 12, 31), "/Date(5837961600000)/"),
        ("Points", -(2**63), "-9223372036854775808"),
        ("Points", 2**63 - 1, "9223372036854775807"),
        ("Level", 255, 255),
        ("Active", False, False),
        ("Owner", "0f14d0ab-9605-4a62-a9e4-5ed26688389b", "0f14d0ab-9605-4a62-a9e4-5ed26688389b"),
        ("At", "PT13H20M00S", "PT13H20M00S"),
        ("Note", "Zoë 日本語 '\"\\/", "Zoë 日本語 '\"\\/"),
    ],
)
def test_values_go_there_and_back_unchanged(
    service: Service, endpoint: ODataV2Endpoint, column: str, value: Value, wire: Any
) -> None:
    (outcome,) = endpoint.write("Cards", [column], [card("K0", **{column: value})])
    assert isinstance(outcome, Applied)
    assert service.types["Cards"].rows[("k0",)][column] == wire
    id = "CardNumber='K0'"
    (row,) = endpoint.read("Cards", [column], by=None, values=[id]).rows[id]
    assert row == outcome.row
    assert row.image == (value,)


# ---------------------------------------------------------------------------- versions


def test_the_etag_of_a_row_is_its_version_and_guards_its_writes(endpoint: ODataV2Endpoint) -> None:
    row = fill(endpoint, 1)["K0"]
    assert row.version is not None
    assert row.version.startswith('W/"')
    assert isinstance(write(endpoint, Update(row.id, row.version, {"Note": "a"}))[0], Applied)
    assert isinstance(write(endpoint, Update(row.id, row.version, {"Note": "b"}))[0], Stale)
    assert isinstance(write(endpoint, Delete(row.id, row.version))[0], Stale)


def test_the_etag_may_stand_in_the_header_only(service: Service, endpoint: ODataV2Endpoint) -> None:
    from connector.endpoints.odata_v2.rows import Projection

    table = endpoint._tables.get("Cards")
    row = Projection(table, ["CardNumber"]).row({"CardNumber": "K0"}, '"7"')
    assert row.version == '"7"'


def test_a_service_without_etags_is_looked_at_before_it_is_written(
    bare: Service, connect: MakeEndpoint
) -> None:
    endpoint = connect(bare)
    assert endpoint.describe("Cards").capabilities.preconditions == "none"
    rows = fill(endpoint, 2)
    bare.types["Cards"].rows[("k1",)]["Note"] = "theirs"
    bare.log.clear()
    outcomes = write(
        endpoint, *(Update(rows[key].id, rows[key].version, {"Note": "ours"}) for key in rows)
    )
    assert [type(one) for one in outcomes] == [Applied, Stale]
    assert notes(bare) == {"K0": "ours", "K1": "theirs"}
    assert "If-Match" not in " ".join(bare.log)


# ---------------------------------------------------------------------------- verbs


@pytest.mark.parametrize("verb", ["PATCH", "MERGE", "PUT"])
@pytest.mark.parametrize("etags", [True, False])
def test_updates_use_the_verb_of_the_config_and_keep_the_rest(
    line: Service, connect: MakeEndpoint, verb: str, etags: bool
) -> None:
    service = line
    service.reset(loyalty_types(etags=etags))
    service.manners.methods = (verb,)
    endpoint = connect(service, update=verb)
    (made,) = write(endpoint, card("K0", Note="old", Tender="AsCardTender", Points=7))
    assert isinstance(made, Applied)
    assert made.row is not None
    (outcome,) = write(endpoint, Update(made.id, made.row.version, {"Note": "new"}))
    assert isinstance(outcome, Applied)
    row = service.types["Cards"].rows[("k0",)]
    assert (row["Note"], row["Tender"], row["Points"]) == ("new", "AsCardTender", "7")
    assert f"  {verb} Cards('K0')" in service.log


def test_a_verb_the_service_does_not_take_is_said_with_the_remedy(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    row = fill(endpoint, 1)["K0"]
    service.manners.methods = ("MERGE",)
    (outcome,) = write(endpoint, Update(row.id, row.version, {"Note": "x"}))
    assert isinstance(outcome, Rejected)
    assert "MERGE" in outcome.text


def test_an_update_answered_with_the_row_is_a_success(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    row = fill(endpoint, 1)["K0"]
    service.manners.answers_updates = True
    request = alone(service).entity_sets.Cards.update_entity(CardNumber="K0").set(Note="x")
    request.add_headers({"If-Match": "*"})
    with pytest.raises(HttpError):  # alone it takes 200 for a failure
        request.execute()
    (outcome,) = write(endpoint, Update(row.id, "*", {"Note": "y"}))
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.image == ("K0", "y")


def test_a_service_that_takes_a_create_for_an_update_overwrites_nobody(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    fill(endpoint, 1)
    service.manners.upserts = True
    (outcome,) = write(endpoint, card("K0", Note="ours"))
    assert outcome == Exists("CardNumber='K0'", "a row with this key is there")
    assert notes(service) == {"K0": "t"}


# ---------------------------------------------------------------------------- paging


@pytest.mark.parametrize("manner", ["page", "silent_page"])
def test_every_page_is_read_with_or_without_a_link(
    service: Service, endpoint: ODataV2Endpoint, manner: str
) -> None:
    fill(endpoint, 23)
    setattr(service.manners, manner, 5)
    pages = list(endpoint.scan("Cards", COLUMNS, None))
    ids = [row.id for page in pages for row in page.rows]
    assert len(ids) == len(set(ids)) == 23
    assert max(len(page.rows) for page in pages) == 5


def test_a_link_to_another_host_is_not_followed(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    fill(endpoint, 3)
    service.manners.page, service.manners.next_host = 2, "elsewhere.example"
    with pytest.raises(UnreachableError) as raised:
        list(endpoint.scan("Cards", COLUMNS, None))
    assert "elsewhere.example" in str(raised.value)
    assert host_of(service.url) not in "elsewhere.example"


def test_a_page_is_fetched_when_it_is_asked_for_and_no_row_asks_by_itself(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    """A proxy of the library asks the service for an attribute that was not selected."""
    fill(endpoint, 6)
    service.manners.page = 3
    (first, *_) = alone(service).entity_sets.Cards.get_entities().select("CardNumber").execute()
    service.log.clear()
    assert first.__dict__["_cache"].keys() == {"CardNumber"}
    with pytest.raises(HttpError):  # the service knows no such path; it was asked
        first.Note  # noqa: B018
    assert len(service.log) == 1
    pages = endpoint.scan("Cards", COLUMNS, None)
    service.log.clear()
    rows = next(pages).rows
    assert [row.image[1] for row in rows] == ["t", "t", "t"]
    assert len([line for line in service.log if "$batch" not in line]) == 1


def test_a_column_the_service_left_out_is_an_error_and_not_a_null(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    fill(endpoint, 1)
    for row in service.types["Cards"].rows.values():
        row.pop("Note")
    service.types["Cards"].properties.pop("Note")
    endpoint.describe("Cards")
    service.types["Cards"].properties = dict(service.types["Cards"].properties)
    with pytest.raises((UnreachableError, MapError)):
        list(endpoint.scan("Cards", COLUMNS, None))
