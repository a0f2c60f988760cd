"""A user's time zone: in formatted values and relative dates, never in values."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

CARDS = "msdyn_loyaltycards"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
TOKYO, NEW_YORK = 235, 35
PREFER = {"Prefer": f'odata.include-annotations="{FORMATTED}"'}


def move(dataverse: DataverseSession, who: DataverseSession, code: int) -> None:
    user = who.get("WhoAmI").json()["UserId"]
    url = f"usersettingscollection({user})"
    assert dataverse.patch(url, json={"timezonecode": code}).status_code == 204
    assert dataverse.get(f"{url}?$select=timezonecode").json()["timezonecode"] == code


def shown(session: DataverseSession, query: str) -> dict[str, Any]:
    (row,) = session.get(f"{CARDS}?{query}", headers=PREFER).json()["value"]
    found: dict[str, Any] = row
    return found


def clock(instant: str, zone: str) -> str:
    at = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M %p}"


def test_formatted_values_are_in_the_zone_of_who_reads(
    dataverse: DataverseSession, sign_in: SignIn, add_cards: Any
) -> None:
    agent = sign_in("agent_")
    add_cards(["C-1"], msdyn_enrollmentdate="2026-02-03")
    move(dataverse, agent, TOKYO)
    select = "$select=createdon,msdyn_enrollmentdate"
    own, other = shown(agent, select), shown(dataverse, select)
    assert own["createdon"] == other["createdon"]
    assert own[f"createdon@{FORMATTED}"] == clock(own["createdon"], "Asia/Tokyo")
    assert other[f"createdon@{FORMATTED}"] == clock(own["createdon"], "UTC")
    # A date alone is the same day everywhere.
    assert own[f"msdyn_enrollmentdate@{FORMATTED}"] == "2/3/2026"


def test_other_languages_know_it_too(
    dataverse: DataverseSession, sign_in: SignIn, add_cards: Any
) -> None:
    agent = sign_in("agent_")
    add_cards(["C-1"])
    move(dataverse, agent, NEW_YORK)
    row = shown(agent, "sql=SELECT createdon FROM msdyn_loyaltycard")
    assert row[f"createdon@{FORMATTED}"] == clock(row["createdon"], "America/New_York")


def test_today_is_the_day_of_who_asks(
    dataverse: DataverseSession, sign_in: SignIn, add_cards: Any
) -> None:
    """Most of the time it is already tomorrow in Auckland when it is today in Honolulu."""
    agent = sign_in("agent_")
    zones = {290: "Pacific/Auckland", 2: "Pacific/Honolulu"}
    days = {zone: f"{datetime.now(ZoneInfo(zone)):%Y-%m-%d}" for zone in zones.values()}
    for zone, day in days.items():
        add_cards([zone], msdyn_enrollmentdate=day)
    today = "$filter=Microsoft.Dynamics.CRM.Today(PropertyName='msdyn_enrollmentdate')"
    for code, zone in zones.items():
        move(dataverse, agent, code)
        rows = agent.get(f"{CARDS}?{today}").json()["value"]
        same_day = {other for other, day in days.items() if day == days[zone]}
        assert {row["msdyn_cardnumber"] for row in rows} == same_day


@pytest.mark.parametrize("code", [1, 500, None])
def test_a_zone_nobody_knows(dataverse: DataverseSession, code: int | None) -> None:
    user = dataverse.get("WhoAmI").json()["UserId"]
    answer = dataverse.patch(f"usersettingscollection({user})", json={"timezonecode": code})
    assert answer.status_code == 400


def test_settings_have_the_users_id(dataverse: DataverseSession) -> None:
    url = "EntityDefinitions(LogicalName='usersettings')?$select=PrimaryIdAttribute"
    assert dataverse.get(url).json()["PrimaryIdAttribute"] == "systemuserid"
    rows = dataverse.get("usersettingscollection").json()["value"]
    assert {row["timezonecode"] for row in rows} == {92}
