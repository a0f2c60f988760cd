"""Writes in one call: several to one row, what time and rights allow, what is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Exists,
    Operation,
    Outcome,
    Rejected,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.odata_v2 import ODataV2Endpoint
from connector.endpoints.web.patience import Patience
from connector.errors import AccessError, UnreachableError
from connector.mapping.values import Value
from tests.integration.odata_v2.model import Refusal
from tests.integration.odata_v2.service import Service

if TYPE_CHECKING:
    from tests.unit.endpoints.odata_v2.conftest import MakeEndpoint

COLUMNS = ["CardNumber", "Note"]


def card(number: str, note: str = "t") -> Create:
    return Create(f"CardNumber='{number}'", {"CardNumber": number, "Note": note})


def write(endpoint: ODataV2Endpoint, *operations: Operation) -> list[Outcome]:
    return list(endpoint.write("Cards", COLUMNS, operations))


def kinds(outcomes: list[Outcome]) -> list[type]:
    return [type(one) for one in outcomes]


def batches(service: Service) -> int:
    return sum("$batch" in line for line in service.log)


@pytest.fixture
def refusing(service: Service, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Cards the service refuses to make, with the status it does so by."""
    statuses: dict[str, int] = {}
    make = service._create

    def create(type: Any, method: str, headers: Any, body: bytes) -> Any:
        for number, status in statuses.items():
            if f'"{number}"'.encode() in body:
                raise Refusal(status, "NO", "not this one")
        return make(type, method, headers, body)

    monkeypatch.setattr(service, "_create", create)
    return statuses


def test_of_two_writes_to_one_row_each_has_its_turn(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    (made,) = write(endpoint, card("K0", "old"))
    assert isinstance(made, Applied)
    assert made.row is not None
    outcomes = write(endpoint, Delete(made.id, made.row.version), card("k0", "new"))
    assert kinds(outcomes) == [Applied, Applied]
    (row,) = service.types["Cards"].rows.values()
    assert (row["CardNumber"], row["Note"]) == ("k0", "new")


@pytest.mark.parametrize("status", [400, 409, 412, 500])
def test_a_refused_create_is_known_by_looking_and_not_by_its_status(
    service: Service,
    endpoint: ODataV2Endpoint,
    refusing: dict[str, int],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusing["K1"] = status
    outcomes = write(endpoint, card("K0"), card("K1"))
    assert kinds(outcomes) == [Applied, Transient if status == 500 else Rejected]
    # Somebody else makes it between our look and our write.
    other = dict.fromkeys(service.types["Cards"].properties) | {"CardNumber": "K1"}
    look, places = endpoint._reader.by_ids, [0]

    def late(*args: Any) -> Any:
        found = look(*args)
        places[0] += 1
        if places[0] == 1:
            service._put(service.types["Cards"], ("k1",), other)
        return found

    monkeypatch.setattr(endpoint._reader, "by_ids", late)
    assert write(endpoint, card("K1")) == [
        Exists("CardNumber='K1'", "a row with this key is there")
    ]


def test_the_right_to_nothing_is_one_error_and_the_right_to_some_is_not(
    endpoint: ODataV2Endpoint, refusing: dict[str, int]
) -> None:
    refusing.update({"K0": 403, "K1": 403})
    with pytest.raises(AccessError) as raised:
        write(endpoint, card("K0"), card("K1"))
    assert raised.value.code == "privilege-missing"
    outcomes = write(endpoint, card("K0"), card("K2"))
    assert kinds(outcomes) == [Rejected, Applied]


def test_a_call_that_takes_too_long_sends_nothing_more(
    service: Service, connect: MakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    endpoint = connect(service, patience=Patience(monotonic=lambda: now[0]))
    write(endpoint, card("K0"))
    service.log.clear()
    post = endpoint._connection.post

    def slow(*args: Any) -> Any:
        now[0] += 10_000
        return post(*args)

    monkeypatch.setattr(endpoint._connection, "post", slow)
    outcomes = write(endpoint, card("x" * 31), *(card(f"N{n}") for n in range(9)))
    assert kinds(outcomes) == [Transient] * 10
    assert batches(service) == 1
    assert len(service.types["Cards"].rows) == 1


def test_what_was_carried_out_reaches_the_engine_when_the_line_breaks_then(
    service: Service,
    endpoint: ODataV2Endpoint,
    refusing: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(endpoint, card("K0"))
    refusing["K2"] = 400
    service.log.clear()
    look, looks = endpoint._reader.by_ids, [0]

    def broken(*args: Any) -> Any:
        looks[0] += 1
        if looks[0] > 1:
            raise UnreachableError("unreachable", "no answer", remedy="wait")
        return look(*args)

    monkeypatch.setattr(endpoint._reader, "by_ids", broken)
    outcomes = write(endpoint, card("K1"), card("K2"))
    assert kinds(outcomes) == [Applied, Unknown]
    looks[0] = 1
    with pytest.raises(UnreachableError):  # nothing was carried out: the engine hears of it all
        write(endpoint, card("K3"))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Level": 256}, "value-unfit"),
        ({"Points": 2**63}, "value-unfit"),
        ({"Owner": "nobody"}, "value-unfit"),
        ({"Note": "a\x00b"}, "text-control-character"),
    ],
)
def test_a_value_that_cannot_travel_is_refused_for_its_column(
    service: Service, endpoint: ODataV2Endpoint, values: dict[str, Value], code: str
) -> None:
    create = Create("CardNumber='K0'", {"CardNumber": "K0", **values})
    refused, made = write(endpoint, create, card("K1"))
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.field) == (code, next(iter(values)))
    assert isinstance(made, Applied)


def test_an_update_that_repeats_the_key_is_fine(endpoint: ODataV2Endpoint) -> None:
    (made,) = write(endpoint, card("K0"))
    assert isinstance(made, Applied)
    assert made.row is not None
    update = Update(made.id, made.row.version, {"CARDNUMBER": "K0", "Note": "x"})
    assert kinds(write(endpoint, update)) == [Applied]


def test_an_error_in_a_later_request_does_not_hide_what_was_carried_out(
    service: Service, endpoint: ODataV2Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made,) = write(endpoint, card("K0"))
    assert isinstance(made, Applied)
    assert made.row is not None
    post, posts = endpoint._connection.post, [0]

    def refused(*args: Any) -> Any:
        posts[0] += 1
        if posts[0] > 1:
            raise AccessError("token-refused", "no", remedy="see")
        return post(*args)

    monkeypatch.setattr(endpoint._connection, "post", refused)
    outcomes = write(endpoint, Delete(made.id, made.row.version), card("K0"))
    assert kinds(outcomes) == [Applied, Transient]


@pytest.mark.parametrize("fault", ["lost", "502", "empty"])
def test_what_may_have_happened_is_not_hidden_by_a_later_error(
    service: Service, endpoint: ODataV2Endpoint, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    (made,) = write(endpoint, card("K0"))
    assert isinstance(made, Applied)
    assert made.row is not None

    def gone(*_: Any) -> Any:
        raise UnreachableError("unreachable", "no answer", remedy="wait")

    look = endpoint._reader.by_ids
    monkeypatch.setattr(endpoint._reader, "by_ids", gone)
    service.manners.faults = [fault]
    delete = Delete(made.id, made.row.version)
    assert kinds(write(endpoint, delete, card("K0"))) == [Unknown, Transient]
    monkeypatch.setattr(endpoint._reader, "by_ids", look)


@pytest.mark.parametrize("limit", [200, 2048])
def test_a_service_that_takes_short_requests_only_is_asked_for_less(
    service: Service, endpoint: ODataV2Endpoint, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    numbers = [f"{number:030}" for number in range(100)]
    query = service._query

    def short(type: Any, asked: str) -> Any:
        if len(asked) > limit:
            raise Refusal(414, "LONG", "URI too long")
        return query(type, asked)

    monkeypatch.setattr(service, "_query", short)
    assert set(kinds(write(endpoint, *(card(one) for one in numbers)))) == {Applied}
    ids = [card(one).id for one in numbers]
    assert len(endpoint.read("Cards", COLUMNS, by=None, values=ids).rows) == 100
