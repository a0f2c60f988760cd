"""Queries made of words in any order: whatever comes, there is an answer, never a crash."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.sandbox.dataverse.messages import Request
from connector.sandbox.dataverse.service import Service
from connector.sandbox.identity.people import CLIENT_ID, MEMBERS

CARDS = "msdyn_loyaltycards"
SQL = (
    "SELECT DISTINCT TOP 3 ( ) * , . a msdyn_cardnumber AS x COUNT SUM AVG MIN MAX FROM "
    "msdyn_loyaltycard c JOIN LEFT INNER systemuser u ON = <> < LIKE 'a' N'b' IN 1 2.5 -1 NOT AND "
    "OR IS NULL BETWEEN WHERE GROUP BY ORDER DESC OFFSET ROWS FETCH NEXT ONLY statecode createdon "
    "ownerid UNION HAVING CASE WHEN ; -- /* */ @p [x] + % WITH EXISTS CAST"
)
FILTER = (
    "msdyn_cardnumber statecode createdon msdyn_enrollmentdate eq ne gt and or not ( ) contains "
    "startswith , 'a' 'O''B' 5 2.5 null true 2026-01-01 2026-01-01T00:00:00Z ownerid/fullname "
    "Microsoft.Dynamics.CRM.Between(PropertyName='statecode',PropertyValues=[\"1\"]) "
    "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=99999999999) "
    "Microsoft.Dynamics.CRM.Today(PropertyName='createdon') /any( x: x/a in [ ] 'open -1"
)
WHOLE_SQL = (
    "SELECT TOP 3 c.msdyn_cardnumber AS n , COUNT(*) k FROM msdyn_loyaltycard c LEFT JOIN "
    "systemuser u ON c.createdby = u.systemuserid WHERE c.statecode = 0 AND c.msdyn_cardnumber "
    "LIKE 'C%' GROUP BY c.msdyn_cardnumber ORDER BY n DESC OFFSET 1 ROWS FETCH NEXT 3 ROWS ONLY"
)
FETCH = (
    "<fetch top='1' distinct='0' aggregate='0'><entity name='msdyn_loyaltycard'><attribute "
    "name='createdon' alias='a' groupby='true' dategrouping='week' aggregate='count'/><order "
    "attribute='createdon' alias='a'/><filter type='or'><condition attribute='createdon' "
    "operator='last-x-days' value='3'/><condition attribute='statecode' operator='in'><value>1"
    "</value></condition></filter><link-entity name='systemuser' from='systemuserid' "
    "to='createdby' link-type='outer' alias='u'><attribute name='fullname'/></link-entity>"
    "</entity></fetch>"
)
WORDS = (
    "x - 99999999999999999999 sum avg max true 1 0 createdby msdyn_enrollmentdate outer exists in "
    "u systemuser year quarter eq ne null on between like today eq-userid last-x-years under "
    "olderthan-x-years contain-values msdyn_cardnumber"
)

many = settings(
    max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An organization in this process, with one card."""
    opened = Service(tmp_path_factory.mktemp("nonsense"), MEMBERS)
    user = opened.user_of(CLIENT_ID)
    assert user is not None
    body = json.dumps({"msdyn_cardnumber": "C-1"}).encode()
    opened.run(Request("POST", "https://h/api/data/v9.2", CARDS, "", {}, body, user))
    yield opened
    opened.close()


def is_answered(service: Service, option: str, text: str) -> None:
    user = service.user_of(CLIENT_ID) or ""
    query = f"{option}={quote(text, safe='')}"
    answer = service.run(Request("GET", "https://h/api/data/v9.2", CARDS, query, {}, b"", user))
    assert answer.status in (200, 400, 405, 501)
    if answer.status != 200:
        assert json.loads(answer.body)["error"]["message"]


@many
@given(words=st.lists(st.sampled_from(SQL.split()), max_size=14))
def test_sql_of_any_words(service: Service, words: list[str]) -> None:
    is_answered(service, "sql", " ".join(words))
    is_answered(service, "sql", f"SELECT statecode FROM msdyn_loyaltycard c {' '.join(words)}")


@many
@given(data=st.data())
def test_sql_with_words_exchanged(service: Service, data: st.DataObject) -> None:
    words = WHOLE_SQL.split()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(words) - 1))
        words[place : place + 1] = data.draw(st.lists(st.sampled_from(SQL.split()), max_size=2))
    is_answered(service, "sql", " ".join(words))


@many
@given(words=st.lists(st.sampled_from(FILTER.split()), max_size=8))
def test_filters_of_any_words(service: Service, words: list[str]) -> None:
    is_answered(service, "$filter", " ".join(words))


@many
@given(data=st.data())
def test_fetchxml_with_values_exchanged(service: Service, data: st.DataObject) -> None:
    """Some attributes have another value, some are not there, some elements neither."""
    text = FETCH
    for _ in range(data.draw(st.integers(1, 6))):
        pattern = data.draw(st.sampled_from([r"='[^']*'", r" [\w-]+='[^']*'", r"<[^<>]*/>"]))
        found = list(re.finditer(pattern, text))
        if not found:
            continue
        one = data.draw(st.sampled_from(found))
        other = f"='{data.draw(st.sampled_from(WORDS.split()))}'" if pattern.startswith("=") else ""
        text = text[: one.start()] + other + text[one.end() :]
    is_answered(service, "fetchXml", text)
