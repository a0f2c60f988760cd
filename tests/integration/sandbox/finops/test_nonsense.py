"""Requests made of words in any order: whatever comes, there is an answer, never a crash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.sandbox.finops.messages import Request
from connector.sandbox.finops.people import User
from connector.sandbox.finops.service import Service
from connector.sandbox.messages import Response

ENUM = "Microsoft.Dynamics.DataEntities.RetailLoyaltyTenderTypeBase"
FILTER = (
    "CardNumber CardTenderType LoyaltyEnrollmentDate LoyaltyEnrollmentTime PartyNumber eq ne gt "
    "and or not ( ) contains add sub mul div , 'a' 'O''B' '*5*' '\x01x' 5 2.5 -1 null true has in "
    f"99999999999999999999 2026-01-01T00:00:00Z {ENUM}'Blocked' {ENUM}'x' x.y'z' / 'open any(x:x)"
)
PATH = (
    "RetailLoyaltyCards CustomerGroups ('55001') (CardNumber='1') ( ) / $count $metadata ' %27 "
    "%252F CardTenderType"
)
OPTIONS = "$filter $top $skip $select $expand $orderby $count $format cross-company $apply x"
VALUES = "CardNumber eq '1' 5 -1 CardNumber,CardTenderType Customers($select=Name) desc true"
NAMES = "CardNumber CardTenderType LoyaltyEnrollmentDate PartyNumber @odata.type x@odata.y Nothing"
JSON = st.one_of(
    st.none(), st.integers(), st.text(max_size=8), st.sampled_from(["Blocked", "2026-01-01T00:00Z"])
)
ANYTHING = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)

many = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An environment in this process, with cards."""
    opened = Service(tmp_path_factory.mktemp("nonsense"), samples=True)
    yield opened
    opened.close()


def ask(
    service: Service, path: str, query: str = "", method: str = "GET", body: bytes = b""
) -> Response:
    user = User("connector", "")
    answer = service.run(Request(method, "https://h/data", path, query, {}, body, user))
    assert answer.status in (200, 201, 204, 400, 404, 405)
    if answer.status == 400:
        assert json.loads(answer.body)["error"]["innererror"]["message"]
    return answer


@many
@given(words=st.lists(st.sampled_from(FILTER.split()), max_size=9), more=ANYTHING)
def test_filters_of_any_words(service: Service, words: list[str], more: str) -> None:
    text = quote(" ".join([*words, more]), safe="")
    ask(service, "RetailLoyaltyCards", f"$filter={text}")


@many
@given(words=st.lists(st.sampled_from(PATH.split()), max_size=6), more=ANYTHING)
def test_paths_of_any_words(service: Service, words: list[str], more: str) -> None:
    ask(service, "".join(words) + quote(more, safe=""))


@many
@given(
    options=st.dictionaries(
        st.sampled_from(OPTIONS.split()), st.sampled_from(VALUES.split()) | ANYTHING, max_size=4
    )
)
def test_options_of_any_words(service: Service, options: dict[str, str]) -> None:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
    ask(service, "CustomerGroups", query)
    ask(service, "RetailLoyaltyCards('55001')", query)


@many
@given(
    body=st.dictionaries(st.sampled_from(NAMES.split()), JSON, max_size=4),
    method=st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]),
)
def test_bodies_of_any_members(service: Service, body: dict[str, object], method: str) -> None:
    path = "RetailLoyaltyCards" if method == "POST" else "RetailLoyaltyCards('55001')"
    ask(service, path, method=method, body=json.dumps(body).encode())
    if ask(service, "RetailLoyaltyCards('55001')").status == 404:
        ask(service, "RetailLoyaltyCards", method="POST", body=b'{"CardNumber": "55001"}')


@many
@given(key=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9))
def test_a_key_of_any_signs_comes_back(service: Service, key: str) -> None:
    """What a create answers is what a read by its twice encoded key finds."""
    made = ask(service, "CDSParties", method="POST", body=json.dumps({"PartyNumber": key}).encode())
    if made.status != 201:
        return
    number = json.loads(made.body)["PartyNumber"]
    place = "CDSParties('" + quote(quote(number.replace("'", "''"), safe="")) + "')"
    found = ask(service, place)
    assert json.loads(found.body)["PartyNumber"] == number
    assert ask(service, place, method="DELETE").status == 204
