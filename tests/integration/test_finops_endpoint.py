"""Finance and Operations against its stand-in: what the contract suite does not ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.config.policies import RetrySettings
from connector.config.sides import FinopsSettings
from connector.endpoints.advising import Advising
from connector.endpoints.base import (
    Applied,
    Create,
    Endpoint,
    Exists,
    Operation,
    Outcome,
    Rejected,
    Stale,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.manner import Manner
from connector.errors import AccessError, DualWriteError, UnreachableError
from connector.mapping.values import Value
from connector.sides.remote import finops as opened

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

CARDS, GROUPS = "RetailLoyaltyCards", "CustomerGroups"
COLUMNS = ["CardNumber", "CardTenderType", "PartyNumber", "LoyaltyEnrollmentDate"]
Open = Callable[..., Endpoint]


@pytest.fixture
def open_endpoint(
    sandbox: dict[str, Any],
    finops: FinopsSession,  # empties the environment
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Open]:
    """Opens the endpoint as the settings do; keys of `[commerce]` by name."""
    monkeypatch.setenv("FO_SECRET", str(sandbox["client_secret"]))
    monkeypatch.chdir(tmp_path)
    made: list[Endpoint] = []

    def open_it(**keys: Any) -> Endpoint:
        side = FinopsSettings(
            kind="finops",
            **{
                "url": sandbox["finops"],
                "authority": sandbox["authority"],
                "client_id": sandbox["client_id"],
                "client_secret": "env:FO_SECRET",
                "ca": sandbox["ca"],
                "timeout": 20.0,
                **keys,
            },
        )
        retry = RetrySettings(attempts=2, first_wait=0)
        made.append(opened("commerce", side, retry, lambda: False, Manner.COMMAND))
        return made[-1]

    yield open_it
    for one in made:
        one.close()


@pytest.fixture
def endpoint(open_endpoint: Open) -> Endpoint:
    return open_endpoint()


def card(number: str, **values: Value) -> Create:
    return Create(f"CardNumber='{number}'", {"CardNumber": number, **values})


def write(endpoint: Endpoint, *operations: Operation) -> Sequence[Outcome]:
    return endpoint.write(CARDS, COLUMNS, operations)


def image(endpoint: Endpoint, id: str) -> tuple[Value, ...]:
    (row,) = endpoint.read(CARDS, COLUMNS, by=None, values=[id]).rows[id]
    return row.image


# ---------------------------------------------------------------------------- who we are


def test_an_application_that_is_not_mapped_is_told_where_to_map_it(
    endpoint: Endpoint, finops: FinopsSession
) -> None:
    finops.switch("users", {"user": "connector", "mapped": False})
    try:
        with pytest.raises(AccessError) as caught:
            endpoint.identity()
    finally:
        finops.switch("users", {"user": "connector", "mapped": True})
    assert caught.value.code == "token-refused"
    assert "Microsoft Entra ID applications" in caught.value.remedy


def test_an_environment_is_known_by_its_host(open_endpoint: Open, sandbox: dict[str, Any]) -> None:
    plain, with_data = open_endpoint(), open_endpoint(url=f"{sandbox['finops']}/data/")
    assert plain.identity().world == with_data.identity().world == "127.0.0.1"


# ---------------------------------------------------------------------------- metadata


def test_tens_of_megabytes_of_metadata_are_read_once(
    open_endpoint: Open, finops: FinopsSession
) -> None:
    finops.switch("metadata", {"megabytes": 20})
    try:
        before = asked(finops, "metadata")
        first = open_endpoint().describe(CARDS)
        began = time.process_time()
        assert open_endpoint().describe(CARDS) == first
        assert time.process_time() - began < 2
        assert asked(finops, "metadata") - before == 1
    finally:
        finops.switch("metadata", {"megabytes": 0})


def asked(finops: FinopsSession, part: str) -> int:
    kinds = finops.get(f"{finops.host}/sandbox/requests").json()["kinds"]
    return sum(int(count) for kind, count in kinds.items() if part in kind)


# ---------------------------------------------------------------------------- values


def test_what_is_empty_there_is_null_here(endpoint: Endpoint, finops: FinopsSession) -> None:
    (outcome,) = write(
        endpoint, card("1", PartyNumber=None, LoyaltyEnrollmentDate=date(2024, 2, 29))
    )
    assert isinstance(outcome, Applied)
    assert image(endpoint, outcome.id) == ("1", "AsCardTender", None, date(2024, 2, 29))
    write(endpoint, Update(outcome.id, None, {"LoyaltyEnrollmentDate": None}))
    assert image(endpoint, outcome.id) == ("1", "AsCardTender", None, None)
    told = finops.get(f"{CARDS}('1')").json()
    assert told["LoyaltyEnrollmentDate"] == "1900-01-01T12:00:00Z"
    assert told["PartyNumber"] == ""


def test_a_number_the_service_gives_is_the_id(endpoint: Endpoint) -> None:
    create = Create("proposed", {"CardTenderType": "Blocked"})
    assert endpoint.id_for(CARDS, create.values, "proposed") == "proposed"
    (outcome,) = write(endpoint, create)
    assert isinstance(outcome, Applied)
    assert outcome.id.startswith("CardNumber='LC")
    assert outcome.row is not None
    assert image(endpoint, outcome.id) == outcome.row.image


def test_a_star_in_a_key_is_a_star(endpoint: Endpoint) -> None:
    write(endpoint, card("A*"), card("AB"), card("*"))
    found = endpoint.read(CARDS, ["CardNumber"], by="CardNumber", values=["A*", "*"])
    assert {key: [row.image for row in rows] for key, rows in found.rows.items()} == {
        "A*": [("A*",)],
        "*": [("*",)],
    }
    assert image(endpoint, "CardNumber='*'")[0] == "*"


def test_a_number_beyond_32_bits_is_exact(endpoint: Endpoint) -> None:
    values: dict[str, Value] = {
        "RewardPointId": "Big",
        "RewardPointType": "Quantity",
        "MaximumLoyaltyRewardPoints": 2**62 + 1,
    }
    (outcome,) = endpoint.write("RetailLoyaltyRewardPoints", [*values], [Create("", values)])
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.image == tuple(values.values())


# ---------------------------------------------------------------------------- companies


def groups(endpoint: Endpoint) -> set[str]:
    pages = endpoint.scan(GROUPS, ["Description"], None)
    return {row.id for page in pages for row in page.rows}


def test_rows_of_all_companies_are_told_apart(endpoint: Endpoint) -> None:
    there = groups(endpoint)
    assert {
        "dataAreaId='usrt',CustomerGroupId='10'",
        "dataAreaId='usmf',CustomerGroupId='10'",
    } <= there
    ids = sorted(there)
    assert endpoint.read(GROUPS, ["Description"], by=None, values=ids).rows.keys() == there
    (outcome,) = endpoint.write(
        GROUPS,
        ["Description"],
        [Update("dataAreaId='usmf',CustomerGroupId='10'", None, {"Description": "theirs"})],
    )
    assert isinstance(outcome, Applied)
    found = endpoint.read(GROUPS, ["Description"], by="CustomerGroupId", values=["10"])
    assert {row.id: row.image for row in found.rows["10"]}[outcome.id] == ("theirs",)


def test_one_company_alone(open_endpoint: Open) -> None:
    endpoint = open_endpoint(company="USMF")
    assert {id.partition(",")[0] for id in groups(endpoint)} == {"dataAreaId='usmf'"}
    values: dict[str, Value] = {"CustomerGroupId": "77", "Description": "new"}
    id = endpoint.id_for(GROUPS, values, "proposed")
    assert id == "dataAreaId='usmf',CustomerGroupId='77'"
    (outcome,) = endpoint.write(GROUPS, ["Description"], [Create(id, values)])
    assert isinstance(outcome, Applied)
    assert outcome.id == id


def test_what_the_environment_offers_is_told_before_it_is_set_up(endpoint: Endpoint) -> None:
    assert isinstance(endpoint, Advising)
    (note,) = endpoint.advice(CARDS)
    assert "there is: snapshot (rows have ETags), export (once an export project" in note.message


def test_a_company_there_is_not_is_told_where_it_counts(open_endpoint: Open) -> None:
    def codes(company: str, entity: str) -> set[str]:
        endpoint = open_endpoint(company=company)
        assert isinstance(endpoint, Advising)
        return {problem.code for problem in endpoint.advice(entity)}

    assert "company-unknown" in codes("usrx", GROUPS)
    assert "company-unknown" not in codes("usrx", CARDS), "cards belong to no company"
    assert "company-unknown" not in codes("USMF", GROUPS)


# ---------------------------------------------------------------------------- refusals


def test_the_business_logic_has_its_say(endpoint: Endpoint, finops: FinopsSession) -> None:
    write(endpoint, card("1"), card("2"))
    finops.switch("rules", {"entity": CARDS, "key": "1", "text": "The card is locked.", "count": 1})
    finops.switch("rules", {"entity": CARDS, "key": "2", "count": 1})
    change: dict[str, Value] = {"CardTenderType": "Blocked"}
    outcomes = write(
        endpoint,
        Update("CardNumber='1'", None, change),
        Update("CardNumber='2'", None, change),
        card("3", PartyNumber="P-none"),
        card("1"),
        card("4"),
    )
    assert outcomes[0] == Rejected("infolog", "The card is locked", None)
    assert outcomes[1] == Stale()
    assert isinstance(outcomes[2], Rejected)
    assert outcomes[2].field == "PartyNumber"
    assert "P-none" in outcomes[2].text
    assert isinstance(outcomes[3], Exists)
    assert isinstance(outcomes[4], Applied)


def test_a_choice_that_is_none_is_refused(endpoint: Endpoint) -> None:
    (outcome,) = write(endpoint, card("1", CardTenderType="Nonsense"))
    assert isinstance(outcome, Rejected)
    assert "Nonsense" in outcome.text


# ---------------------------------------------------------------------------- faults


def fault(finops: FinopsSession, kind: str, path: str, **more: object) -> None:
    finops.switch("faults", {"kind": kind, "path": path, "count": 9, **more})


@pytest.mark.parametrize("kind", ["empty", "error-page", "cut"])
def test_a_list_that_is_none_is_a_clear_error(
    endpoint: Endpoint, finops: FinopsSession, kind: str
) -> None:
    endpoint.describe(CARDS)
    fault(finops, kind, CARDS)
    with pytest.raises(DualWriteError) as caught:
        list(endpoint.scan(CARDS, COLUMNS, None))
    assert caught.value.code in ("answer-unreadable", "unreachable", "unavailable")
    assert isinstance(caught.value, UnreachableError)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "outcome"), [("empty", Unknown), ("cut", Unknown), ("lost-reply", Unknown)]
)
def test_a_batch_whose_answer_is_lost_may_have_happened(
    endpoint: Endpoint, finops: FinopsSession, kind: str, outcome: type
) -> None:
    endpoint.describe(CARDS)
    fault(finops, kind, "$batch")
    outcomes = write(endpoint, card("1"), card("2"))
    assert [type(one) for one in outcomes] == [outcome, outcome]
    finops.delete(f"{finops.host}/sandbox/faults")
    again = write(endpoint, card("1"), card("2"))
    assert {type(one) for one in again} <= {Applied, Exists}


def test_a_service_that_is_busy_is_waited_for(endpoint: Endpoint, finops: FinopsSession) -> None:
    endpoint.describe(CARDS)
    finops.switch("faults", {"kind": "throttle", "path": "$batch", "count": 1, "retry_after": 1})
    began = time.monotonic()
    (outcome,) = write(endpoint, card("1"))
    assert isinstance(outcome, Applied | Transient)
    assert time.monotonic() - began > 0.9
    assert endpoint.throttling().times == 1
