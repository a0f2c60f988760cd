"""Each weakness of the library, shown where it can be, and what the endpoint makes of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyodata
import pytest
import requests
from pyodata.exceptions import HttpError, PyODataModelError
from pyodata.v2.model import Config, MetadataBuilder, PolicyIgnore
from pyodata.v2.service import ODataHttpResponse

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Exists,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Row,
    Stale,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.endpoints.odata_v2.batches import parts_of
from connector.errors import MapError, UnreachableError
from connector.mapping.values import Value, ValueType
from tests.integration.odata_v2.loyalty import loyalty_types
from tests.integration.odata_v2.service import Service, host_of

if TYPE_CHECKING:
    from tests.unit.endpoints.odata_v2.conftest import MakeEndpoint

COLUMNS = ("CardNumber", "Note")


def card(number: str, **values: Value) -> Create:
    spelled = number.replace("'", "''")
    return Create(f"CardNumber='{spelled}'", {"CardNumber": number, **values})


def write(endpoint: ODataV2Endpoint, *operations: Operation) -> list[Outcome]:
    return list(endpoint.write("Cards", COLUMNS, operations))


def fill(endpoint: ODataV2Endpoint, count: int) -> dict[str, Row]:
    """Cards K0, K1 ... as they are after their creates, by number."""
    rows: dict[str, Row] = {}
    creates = [card(f"K{number}", Note="t") for number in range(count)]
    for at in range(0, count, 100):
        for outcome in write(endpoint, *creates[at : at + 100]):
            assert isinstance(outcome, Applied)
            assert outcome.row is not None
            rows[str(outcome.row.image[0])] = outcome.row
    return rows


def alone(service: Service, **config: Any) -> Any:
    """The library by itself on the same service."""
    session = requests.Session()
    session.trust_env = False
    session.verify = service.ca
    return pyodata.Client(service.url, session, config=Config(**config))


def notes(service: Service) -> dict[str, Any]:
    return {row["CardNumber"]: row["Note"] for row in service.types["Cards"].rows.values()}


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


# ---------------------------------------------------------------------------- batches


def mixed(rows: dict[str, Row]) -> list[Operation]:
    """Operations of which three are refused, each for a reason of its own."""
    return [
        Update(rows["K0"].id, rows["K0"].version, {"Note": "a"}),
        Update(rows["K1"].id, 'W/"0"', {"Note": "a"}),
        card("x" * 31),
        Delete(rows["K2"].id, rows["K2"].version),
        Update("CardNumber='nobody'", rows["K0"].version, {"Note": "a"}),
        card("new"),
    ]


KINDS = [Applied, Stale, Rejected, Applied, Missing, Applied]


def test_the_library_loses_all_answers_behind_a_failure(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    fill(endpoint, 1)
    client = alone(service)
    batch = client.create_batch()
    for note in ("first", "second"):
        changes = client.create_changeset()
        changes.add_request(client.entity_sets.Cards.create_entity().set(CardNumber=note))
        batch.add_request(changes)
    failing = client.create_changeset()
    failing.add_request(client.entity_sets.Cards.create_entity().set(CardNumber="K0"))
    batch.requests.insert(1, failing)
    with pytest.raises(HttpError):
        batch.execute()
    assert set(notes(service)) == {"K0", "first", "second"}


@pytest.mark.parametrize("manner", ["polite", "stops", "deaf", "singly"])
def test_each_operation_has_its_own_outcome(
    service: Service, endpoint: ODataV2Endpoint, manner: str
) -> None:
    rows = fill(endpoint, 3)
    service.manners.stops = manner in ("stops", "deaf")
    service.manners.deaf = manner == "deaf"
    service.manners.singly = manner == "singly"
    assert [type(one) for one in write(endpoint, *mixed(rows))] == KINDS
    assert notes(service) == {"K0": "a", "K1": "t", "new": None}


def test_a_failed_change_set_is_narrowed_by_tenths(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    creates = [card(f"N{number}") for number in range(99)]
    creates.insert(42, card("y" * 31))
    service.log.clear()
    outcomes = write(endpoint, *creates)
    assert [type(one) for one in outcomes].count(Applied) == 99
    assert isinstance(outcomes[42], Rejected)
    assert sum("$batch" in line for line in service.log) == 3


def test_a_service_of_one_operation_per_change_set_is_remembered(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    service.manners.singly = True
    fill(endpoint, 20)
    service.log.clear()
    write(endpoint, *(card(f"N{number}") for number in range(20)))
    assert sum("$batch" in line for line in service.log) == 1


@pytest.mark.parametrize("fault", ["empty", "html", "lost", "502", "504"])
def test_what_may_have_happened_is_unknown(
    service: Service, endpoint: ODataV2Endpoint, fault: str
) -> None:
    """The library raises a bare IndexError, ValueError or KeyError for some of these."""
    rows = fill(endpoint, 2)
    service.manners.faults = [fault]
    outcomes = write(endpoint, *(Update(r.id, r.version, {"Note": "x"}) for r in rows.values()))
    assert [type(one) for one in outcomes] == [Unknown, Unknown]


@pytest.mark.parametrize("fault", ["500", "503"])
def test_what_surely_did_not_happen_may_be_sent_again(
    service: Service, endpoint: ODataV2Endpoint, fault: str
) -> None:
    rows = fill(endpoint, 1)
    service.manners.faults = [fault] * 3
    (outcome,) = write(endpoint, Update(rows["K0"].id, rows["K0"].version, {"Note": "x"}))
    assert isinstance(outcome, Transient)
    assert notes(service) == {"K0": "t"}


def test_the_library_cuts_texts_of_many_bytes_and_parts_are_read_here(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    note = "日" * 200
    body = json.dumps({"d": {"Note": note}}, ensure_ascii=False)
    text = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{body}"
    with pytest.raises(UnicodeDecodeError):
        ODataHttpResponse.from_string(text).json()
    (outcome,) = write(endpoint, card("K0", Note=note))
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.image == ("K0", note)


def test_an_empty_answer_to_a_batch_is_no_success(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    client = alone(service)
    batch, changes = client.create_batch(), client.create_changeset()
    changes.add_request(client.entity_sets.Cards.create_entity().set(CardNumber="one"))
    batch.add_request(changes)
    service.manners.faults = ["empty"]
    assert batch.execute() == []  # nothing is said, and nothing is raised
    row = fill(endpoint, 2)["K1"]
    service.manners.faults = ["empty"]
    (outcome,) = write(endpoint, Update(row.id, row.version, {"Note": "x"}))
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize(
    ("body", "type"),
    [
        (b"garbage", "multipart/mixed; boundary=x"),
        (b"--x--", "multipart/mixed; boundary=x"),
        (b"--x\r\n\r\n--x--", "multipart/mixed; boundary=x"),
        (
            b"--x\r\nContent-Type: application/http\r\n\r\nno http\r\n--x--",
            "multipart/mixed; boundary=x",
        ),
        (b"--y\r\n\r\n--y--", "multipart/mixed; boundary=x"),
        (b"--x\r\n\r\n--x--", "multipart/mixed"),
        (b"\xff\xfe", "multipart/mixed; boundary=x"),
        (b"{}", "application/json"),
        (b"", ""),
    ],
)
def test_a_malformed_answer_to_a_batch_is_one_clear_error(body: bytes, type: str) -> None:
    """Alone it raises AttributeError, IndexError, KeyError, UnicodeDecodeError, as it happens."""
    with pytest.raises(ValueError, match=r"\w"):
        parts_of(body, type)


# ---------------------------------------------------------------------------- the line


def test_a_busy_service_is_asked_again(service: Service, endpoint: ODataV2Endpoint) -> None:
    rows = fill(endpoint, 1)
    service.manners.faults = ["429", "429"]
    (outcome,) = write(endpoint, Update(rows["K0"].id, rows["K0"].version, {"Note": "x"}))
    assert isinstance(outcome, Applied)
    service.manners.faults = ["503", "lost"]
    pages = list(endpoint.scan("Cards", COLUMNS, None))
    assert [row.image for page in pages for row in page.rows] == [("K0", "x")]
    assert endpoint.throttling().times == 3


def test_a_reply_that_does_not_come_is_waited_for_no_longer_than_the_timeout(
    service: Service, connect: MakeEndpoint
) -> None:
    endpoint = connect(service, timeout=0.3)
    rows = fill(endpoint, 1)
    with service.lock:
        (outcome,) = write(endpoint, Update(rows["K0"].id, rows["K0"].version, {"Note": "x"}))
    assert isinstance(outcome, Unknown)


def test_a_csrf_token_is_fetched_once_and_anew_when_it_is_refused(
    service: Service, connect: MakeEndpoint
) -> None:
    service.manners.csrf = True
    endpoint = connect(service, csrf=True)
    fill(endpoint, 2)
    write(endpoint, card("one more"))
    assert service.csrf_tokens == 1
    service.csrf_tokens = 7  # the session is over
    assert isinstance(write(endpoint, card("another"))[0], Applied)
    assert service.csrf_tokens == 8


def test_no_card_number_is_logged(
    service: Service, endpoint: ODataV2Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """The library logs the values of every field at INFO, and bodies at DEBUG."""
    caplog.set_level(logging.DEBUG)
    write(endpoint, card("6011-SECRET", Note="t"))
    list(endpoint.scan("Cards", COLUMNS, None))
    endpoint.read("Cards", COLUMNS, by="CardNumber", values=["6011-SECRET"])
    ours = [one for one in caplog.records if one.name.startswith(("pyodata", "connector"))]
    assert not [one for one in ours if "6011" in one.getMessage()]
    assert logging.getLogger("pyodata.service").disabled


@pytest.mark.parametrize("fault", ["html", "302"])
def test_a_page_to_sign_in_at_is_named(
    service: Service, endpoint: ODataV2Endpoint, fault: str
) -> None:
    fill(endpoint, 1)
    service.manners.faults = [fault]
    with pytest.raises(UnreachableError) as raised:
        list(endpoint.scan("Cards", COLUMNS, None))
    assert raised.value.code == "answer-unreadable"
    assert "sign in" in raised.value.remedy


# ---------------------------------------------------------------------------- metadata


def test_metadata_is_fetched_once(service: Service, endpoint: ODataV2Endpoint) -> None:
    endpoint.describe("Cards")
    endpoint.describe("PointKinds")
    fill(endpoint, 2)
    assert sum("$metadata" in line for line in service.log) == 1


V4 = (
    b'<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    b'<edmx:DataServices><Schema Namespace="L" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    b'<EntityType Name="Cards"><Key><PropertyRef Name="CardNumber"/></Key>'
    b'<Property Name="CardNumber" Type="Edm.String" Nullable="false"/></EntityType>'
    b'<EntityContainer Name="C"><EntitySet Name="Cards" EntityType="L.Cards"/></EntityContainer>'
    b"</Schema></edmx:DataServices></edmx:Edmx>"
)


def test_v4_metadata_is_refused_and_the_right_kind_named(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    """The library parses it, and fails at the first row."""
    MetadataBuilder(V4, config=Config()).build()
    service.metadata = V4
    with pytest.raises(MapError) as raised:
        endpoint.describe("Cards")
    assert raised.value.code == "metadata-newer"
    assert 'kind = "odata-v4"' in raised.value.remedy


def changed(service: Service, old: str, new: str) -> bytes:
    document = service._document()
    assert old.encode() in document
    return document.replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    "type",
    ["Edm.Date", "Edm.GeographyPoint", "L.Address", "Collection(Edm.String)", "Edm.Stream"],
)
def test_a_type_it_does_not_know_is_a_column_that_cannot_be_read(
    service: Service, endpoint: ODataV2Endpoint, type: str
) -> None:
    service.metadata = changed(service, 'Name="At" Type="Edm.Time"', f'Name="At" Type="{type}"')
    if not type.startswith("Collection"):
        with pytest.raises(PyODataModelError):
            MetadataBuilder(service.metadata, config=Config()).build()
    described = endpoint.describe("Cards")
    assert not described.columns["At"].readable
    assert described.columns["Note"].readable
    fill(endpoint, 1)
    with pytest.raises(MapError):
        endpoint.scan("Cards", ["At"], None)


@pytest.mark.parametrize(
    ("facets", "scale"),
    [
        ('Precision="19" Scale="4"', 4),
        ('Precision="19" Scale="Variable"', None),
        ('Scale="4"', None),
        ('Precision="2" Scale="4"', None),
        ('Precision="19"', None),
        ("", None),
    ],
)
def test_facets_it_stops_at_are_read_as_far_as_they_tell(
    service: Service, endpoint: ODataV2Endpoint, facets: str, scale: int | None
) -> None:
    service.metadata = changed(service, 'Precision="19" Scale="4"', facets)
    described = endpoint.describe("Cards")
    assert described.columns["Balance"].type is ValueType.DECIMAL
    assert described.columns["Balance"].scale == scale


def test_booleans_in_capitals_are_read(service: Service, endpoint: ODataV2Endpoint) -> None:
    service.metadata = changed(service, 'Nullable="false"', 'Nullable="False"')
    with pytest.raises(TypeError):
        MetadataBuilder(service.metadata, config=Config()).build()
    assert endpoint.describe("Cards").columns["CardNumber"].required


def test_one_broken_type_spoils_no_other(service: Service, endpoint: ODataV2Endpoint) -> None:
    """With a type left out the library's own client cannot be made at all."""
    broken = '<EntityType Name="Odd"><Key><PropertyRef Name="Gone"/></Key></EntityType>'
    document = service._document().decode()
    document = document.replace("<EntityType", broken + "<EntityType", 1)
    document = document.replace(
        "<EntitySet", '<EntitySet Name="Odd" EntityType="L.Odd"/><EntitySet', 1
    )
    service.metadata = document.encode()
    with pytest.raises(PyODataModelError):
        alone(service, default_error_policy=PolicyIgnore())
    assert endpoint.describe("Cards").name == "Cards"
    with pytest.raises(MapError) as raised:
        endpoint.describe("Odd")
    assert raised.value.code == "entity-unusable"


@pytest.mark.parametrize("policy", ["fatal", "warning", "ignore"])
def test_the_policy_of_the_config_decides_about_broken_parts(
    service: Service, connect: MakeEndpoint, caplog: pytest.LogCaptureFixture, policy: str
) -> None:
    service.metadata = changed(service, 'Name="At" Type="Edm.Time"', 'Name="At" Type="L.Odd"')
    endpoint = connect(service, policy=policy)
    if policy == "fatal":
        with pytest.raises(MapError) as raised:
            endpoint.describe("Cards")
        assert raised.value.code == "metadata-unusable"
        return
    assert not endpoint.describe("Cards").columns["At"].readable
    told: Sequence[str] = [one.getMessage() for one in caplog.records if "left out" in one.message]
    assert bool(told) is (policy == "warning")
