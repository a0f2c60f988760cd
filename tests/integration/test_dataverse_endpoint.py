"""The Dataverse endpoint against the sandbox over TLS, with faults and real msal."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Exists,
    Outcome,
    Rejected,
    Row,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.dataverse import DataverseEndpoint
from connector.endpoints.dataverse.service import NAMING
from connector.endpoints.web.auth import Tokens
from connector.endpoints.web.credentials import Application
from connector.endpoints.web.patience import Patience
from connector.errors import AccessError, PositionExpiredError, UnreachableError
from connector.mapping.values import Value, ValueType

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"
COLUMNS = ["msdyn_cardnumber", "msdyn_replacementcardnumber"]
BULK = f"POST {CARDS}/Microsoft.Dynamics.CRM.CreateMultiple"


class Sleeper:
    """Notes the waits instead of waiting."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)

    def seconds(self) -> float:
        """Time that passes by sleeping alone."""
        return sum(self.slept)


@pytest.fixture
def sleep() -> Sleeper:
    return Sleeper()


def tokens(where: dict[str, Any], who: str = "", **changes: Any) -> Tokens:
    given = {
        "authority": where["authority"],
        "client_id": where[f"{who}client_id"],
        "proof": where[f"{who}client_secret"],
        "resource": where["dataverse"],
        "ca": where["ca"],
    }
    return Tokens(Application(**{**given, **changes}, naming=NAMING), side=NAMING.side)


def open_endpoint(
    where: dict[str, Any], sleep: Sleeper, source: Tokens, **changes: Any
) -> DataverseEndpoint:
    given: dict[str, Any] = {"ca": where["ca"], "timeout": 30.0}
    return DataverseEndpoint(
        where["dataverse"],
        tokens=source,
        patience=Patience(4, sleep=sleep, random=lambda: 1.0, monotonic=sleep.seconds),
        clock=lambda: datetime.now(UTC),
        **{**given, **changes},
    )


@pytest.fixture
def endpoint(
    sandbox: dict[str, Any], dataverse: DataverseSession, sleep: Sleeper
) -> Iterator[DataverseEndpoint]:
    made = open_endpoint(sandbox, sleep, tokens(sandbox))
    made.describe(CARDS)
    dataverse.switch("reset", {"data": False})
    yield made
    made.close()


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def create(number: int, key: str | None = None) -> Create:
    return Create(id_of(number), {"msdyn_cardnumber": key or f"C-{number}"})


def write(endpoint: DataverseEndpoint, *operations: Create | Update | Delete) -> list[Outcome]:
    return list(endpoint.write(CARDS, COLUMNS, operations))


def read(endpoint: DataverseEndpoint, id: str) -> Row | None:
    rows = endpoint.read(CARDS, COLUMNS, by=None, values=[id]).rows
    return rows[id][0] if rows else None


def fault(dataverse: DataverseSession, kind: str, **more: Any) -> None:
    dataverse.switch("faults", {"kind": kind, **more})


# ---------------------------------------------------------------------------- requests


def test_a_thousand_creates_are_one_request(
    endpoint: DataverseEndpoint, dataverse: DataverseSession
) -> None:
    outcomes = write(endpoint, *(create(number) for number in range(1000)))
    assert outcomes == [Applied(id_of(number)) for number in range(1000)]
    # Whether the table takes it is asked once.
    assert dataverse.counts() == {BULK: 1, "GET sdkmessagefilters": 1}


def test_one_bad_row_costs_one_more_request(
    endpoint: DataverseEndpoint, dataverse: DataverseSession
) -> None:
    write(endpoint, create(1))
    dataverse.switch("reset", {"data": False})
    outcomes = write(endpoint, create(2), create(3, "c-1"), create(4))
    assert [type(outcome) for outcome in outcomes] == [Applied, Exists, Applied]
    assert isinstance(outcomes[1], Exists)
    assert outcomes[1].id == id_of(1)
    assert dataverse.counts() == {BULK: 1, "POST $batch": 1}


def test_nothing_to_do_is_one_request(
    endpoint: DataverseEndpoint, dataverse: DataverseSession
) -> None:
    last = list(endpoint.scan(CARDS, COLUMNS, None))[-1]
    assert last.position is not None
    dataverse.switch("reset", {"data": False})
    (page,) = endpoint.changes(CARDS, COLUMNS, last.position)
    assert page.last
    assert dataverse.counts() == {f"GET {CARDS}?$deltatoken": 1}


# ---------------------------------------------------------------------------- faults


def test_throttled_requests_wait_as_long_as_told(
    endpoint: DataverseEndpoint, dataverse: DataverseSession, sleep: Sleeper
) -> None:
    fault(dataverse, "throttle", count=2, retry_after=9)
    assert write(endpoint, create(1)) == [Applied(id_of(1))]
    assert sleep.slept == [9, 9]


def test_a_long_wait_is_handed_to_the_engine(
    endpoint: DataverseEndpoint, dataverse: DataverseSession, sleep: Sleeper
) -> None:
    fault(dataverse, "throttle", retry_after=280)
    (outcome,) = write(endpoint, create(1))
    assert isinstance(outcome, Transient)
    assert outcome.retry_after == 280
    assert sleep.slept == []


@pytest.mark.parametrize("bulk", [True, False])
def test_a_lost_reply_is_unknown_and_told_apart_afterwards(
    endpoint: DataverseEndpoint, dataverse: DataverseSession, bulk: bool
) -> None:
    write(endpoint, create(1))
    operation = create(2) if bulk else Update(id_of(1), None, {COLUMNS[1]: "x"})
    fault(dataverse, "lost-reply", method="POST")
    (outcome,) = write(endpoint, operation)
    assert isinstance(outcome, Unknown)
    row = read(endpoint, operation.id)
    assert row is not None  # it had happened
    if bulk:
        (again,) = write(endpoint, operation)
        assert isinstance(again, Exists)
        assert again.id == operation.id


def test_a_read_is_repeated_after_a_lost_reply(
    endpoint: DataverseEndpoint, dataverse: DataverseSession, sleep: Sleeper
) -> None:
    write(endpoint, create(1))
    fault(dataverse, "lost-reply", method="GET")
    row = read(endpoint, id_of(1))
    assert row is not None
    assert row.image == ("C-1", None)
    assert sleep.slept == [1]


def test_an_ended_token_is_renewed(
    endpoint: DataverseEndpoint, dataverse: DataverseSession
) -> None:
    write(endpoint, create(1))
    fault(dataverse, "unauthorized")
    assert write(endpoint, create(2)) == [Applied(id_of(2))]


def test_an_expired_position_asks_for_a_scan(
    endpoint: DataverseEndpoint, dataverse: DataverseSession
) -> None:
    last = list(endpoint.scan(CARDS, COLUMNS, None))[-1]
    assert last.position is not None
    dataverse.switch("expire-tokens")
    with pytest.raises(PositionExpiredError):
        list(endpoint.changes(CARDS, COLUMNS, last.position))


def test_a_service_that_is_down_is_unreachable(sandbox: dict[str, Any], sleep: Sleeper) -> None:
    gone = {**sandbox, "dataverse": "https://127.0.0.1:9"}
    endpoint = open_endpoint(gone, sleep, tokens(sandbox))
    with pytest.raises(UnreachableError) as caught:
        endpoint.identity()
    assert caught.value.code == "unreachable"
    assert sleep.slept == [1, 2, 4]


# ---------------------------------------------------------------------------- trust and access


def test_a_ca_that_is_not_ours_is_not_trusted(
    sandbox: dict[str, Any], sleep: Sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with pytest.raises(UnreachableError) as caught:
        open_endpoint(sandbox, sleep, tokens(sandbox), ca=None).identity()
    assert caught.value.code == "certificate-untrusted"
    with pytest.raises(UnreachableError) as caught:
        tokens(sandbox, ca=None).token()
    assert caught.value.code == "certificate-untrusted"


def test_an_expired_certificate_says_so(
    sandbox: dict[str, Any], sleep: Sleeper, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    past = datetime.now(UTC) - timedelta(days=1)
    certificate = authority.issue_cert("127.0.0.1", not_after=past)
    with served_with(certificate) as port:
        where = {**sandbox, "dataverse": f"https://127.0.0.1:{port}"}
        ca = str(tmp_path / "ca.pem")
        with pytest.raises(UnreachableError, match="has expired") as caught:
            open_endpoint(where, sleep, tokens(sandbox), ca=ca).identity()
    assert caught.value.code == "certificate-untrusted"
    assert sleep.slept == []


@contextmanager
def served_with(certificate: trustme.LeafCert) -> Iterator[int]:
    """A TLS socket that takes handshakes with this certificate; yields its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake() -> None:
            connection, _ = listener.accept()
            with connection, suppress(ssl.SSLError, ConnectionError):
                context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=shake, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"proof": "wrong"}, "secret-wrong"),
        ({"client_id": "7e57ab1e-0000-4000-8000-000000000000"}, "client-unknown"),
    ],
)
def test_credentials_that_are_refused(
    sandbox: dict[str, Any], changes: dict[str, str], code: str
) -> None:
    with pytest.raises(AccessError) as caught:
        tokens(sandbox, **changes).token()
    assert caught.value.code == code
    assert "wrong'" not in str(caught.value)


def test_a_tenant_that_does_not_exist(sandbox: dict[str, Any]) -> None:
    with pytest.raises(AccessError) as caught:
        tokens(sandbox, authority=f"{sandbox['dataverse']}/nobody").token()
    assert caught.value.code == "tenant-unknown"


def test_an_application_that_is_no_user(sandbox: dict[str, Any], sleep: Sleeper) -> None:
    with pytest.raises(AccessError) as caught:
        open_endpoint(sandbox, sleep, tokens(sandbox, "outsider_")).identity()
    assert caught.value.code == "application-user-missing"


# ---------------------------------------------------------------------------- people and lookups


def test_a_persons_edit_is_told_from_our_own(endpoint: DataverseEndpoint, sign_in: SignIn) -> None:
    ours = endpoint.identity().users
    write(endpoint, create(1))
    last = list(endpoint.scan(CARDS, COLUMNS, None))[-1]
    assert last.position is not None
    agent = sign_in("agent_")
    answer = agent.patch(f"{CARDS}({id_of(1)})", json={COLUMNS[1]: "by hand"})
    assert answer.status_code == 204
    (page,) = endpoint.changes(CARDS, COLUMNS, last.position)
    (row,) = page.rows
    assert row.image == ("C-1", "by hand")
    assert row.modifier not in ours


def test_what_the_service_cuts_is_in_the_representation(
    endpoint: DataverseEndpoint, dataverse: DataverseSession
) -> None:
    write(endpoint, create(1))
    loss = {"table": "msdyn_loyaltycard", "column": COLUMNS[1], "truncate": 3}
    dataverse.switch("columns", loss)
    (outcome,) = write(endpoint, Update(id_of(1), None, {COLUMNS[1]: "abcdef"}))
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.image == ("C-1", "abc")


def test_a_lookup_is_set_read_and_cleared(endpoint: DataverseEndpoint) -> None:
    column = "msdyn_rewardpointcurrency"
    described = endpoint.describe(POINTS).columns[column]
    assert described.type is ValueType.REFERENCE
    assert described.reference is not None
    target = described.reference.entity
    found = endpoint.read(target, ["isocurrencycode"], by="isocurrencycode", values=["eur"])
    euro = found.rows["eur"][0].id
    columns = ["msdyn_rewardpointid", column, "msdyn_redeemable", "msdyn_redeemranking"]
    point = Create(id_of(1), {columns[0]: "P", column: euro, columns[2]: True, columns[3]: 7})
    assert endpoint.write(POINTS, columns, [point]) == [Applied(id_of(1))]
    (row,) = endpoint.read(POINTS, columns, by=None, values=[id_of(1)]).rows[id_of(1)]
    assert row.image == ("P", euro, True, 7)
    by_euro = endpoint.read(POINTS, columns, by=column, values=[euro.upper(), id_of(9)]).rows
    assert {asked: [one.id for one in rows] for asked, rows in by_euro.items()} == {
        euro.upper(): [row.id]
    }
    (outcome,) = endpoint.write(POINTS, columns, [Update(row.id, row.version, {column: None})])
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.image == ("P", None, True, 7)


def test_a_lookup_to_nowhere_names_its_field(endpoint: DataverseEndpoint) -> None:
    column = "msdyn_rewardpointcurrency"
    columns = ["msdyn_rewardpointid", column]
    point = Create(id_of(1), {columns[0]: "P", column: id_of(404)})
    (outcome,) = endpoint.write(POINTS, columns, [point])
    assert isinstance(outcome, Rejected)
    assert outcome.field == column


def test_the_id_of_a_row_is_a_column_like_others(endpoint: DataverseEndpoint) -> None:
    column = "msdyn_loyaltycardid"
    described = endpoint.describe(CARDS)
    assert described.columns[column].type is ValueType.TEXT
    given = {**create(1).values, column: id_of(7).upper()}
    id = endpoint.id_for(CARDS, given, id_of(1))
    assert (id, endpoint.id_for(CARDS, create(1).values, id_of(1))) == (id_of(7), id_of(1))
    assert endpoint.write(CARDS, [column], [Create(id, given)]) == [Applied(id_of(7))]
    found = endpoint.read(CARDS, [column], by=column, values=[id_of(7), "no id at all"]).rows
    assert {asked: [one.image for one in rows] for asked, rows in found.items()} == {
        id_of(7): [(id_of(7),)]
    }


def test_every_column_of_a_card_comes_back(endpoint: DataverseEndpoint) -> None:
    values: dict[str, Value] = {
        "msdyn_cardnumber": "Ünï \"x\" 'y'",
        "msdyn_cardtendertype": 806380003,
        "msdyn_partynumber": "P-1",
        "msdyn_replacementcardnumber": None,
        "msdyn_operatingunitnumber": "052",
        "msdyn_enrollmentdate": date(2016, 2, 29),
        "msdyn_effectivedate": date(1900, 1, 1),
    }
    columns = list(values)
    assert endpoint.write(CARDS, columns, [Create(id_of(1), values)]) == [Applied(id_of(1))]
    (row,) = [row for page in endpoint.scan(CARDS, columns, None) for row in page.rows]
    assert row.image == tuple(values.values())
