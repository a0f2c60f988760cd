"""Change tracking: delta links, deletions, order, expiry."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

CARDS = "msdyn_loyaltycards"
AddCards = Callable[..., list[str]]
URL = f"{CARDS}?$select=msdyn_cardnumber"


def track(dataverse: DataverseSession, size: int | None = None) -> str:
    """Read all; the delta link."""
    return read_all(dataverse, URL, size, track_changes=True)[1]


def read_all(
    dataverse: DataverseSession, link: str, size: int | None = None, *, track_changes: bool = False
) -> tuple[list[dict[str, Any]], str]:
    """All entries behind a link, and the delta link of the last page."""
    prefer = ["odata.track-changes"] if track_changes else []
    prefer += [f"odata.maxpagesize={size}"] if size else []
    entries: list[dict[str, Any]] = []
    while True:
        answer = dataverse.get(link, headers={"Prefer": ",".join(prefer)})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        entries += body["value"]
        if "@odata.deltaLink" in body:
            assert "@odata.nextLink" not in body
            return entries, body["@odata.deltaLink"]
        link = body["@odata.nextLink"]


def names(entries: list[dict[str, Any]]) -> list[str]:
    return [entry.get("msdyn_cardnumber", "-") for entry in entries]


def test_the_delta_link_stands_on_the_last_page_only(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    add_cards(f"C-{n}" for n in range(5))
    entries, link = read_all(dataverse, URL, 2, track_changes=True)
    assert sorted(names(entries)) == [f"C-{n}" for n in range(5)]
    assert link.startswith(f"{dataverse.api}/{URL}&$deltatoken=")
    assert re.search(r"\$deltatoken=\d+%21\d\d%2F\d\d%2F\d{4}%20\d\d%3A\d\d%3A\d\d$", link)


def test_an_answer_says_that_tracking_was_applied(dataverse: DataverseSession) -> None:
    answer = dataverse.get(URL, headers={"Prefer": "odata.track-changes"})
    assert answer.headers["Preference-Applied"] == "odata.track-changes"


def test_a_delta_has_changed_rows_by_version_then_deletions(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    ids = add_cards(f"C-{n}" for n in range(4))
    link = track(dataverse)
    dataverse.delete(f"{CARDS}({ids[3]})")
    for record in (ids[2], ids[0], ids[2]):
        dataverse.patch(f"{CARDS}({record})", json={"msdyn_partynumber": "P"})
    add_cards(["new"])
    body = dataverse.get(link).json()
    assert body["@odata.context"].endswith(f"#{CARDS}(msdyn_cardnumber)/$delta")
    assert names(body["value"]) == ["C-0", "C-2", "new", "-"]
    assert body["value"][3] == {
        "@odata.context": f"{dataverse.api}/$metadata#{CARDS}/$deletedEntity",
        "id": ids[3],
        "reason": "deleted",
    }
    count = dataverse.get(link.replace(f"{CARDS}?", f"{CARDS}/$count?"))
    assert count.content == b"\xef\xbb\xbf4"


def test_nothing_changed_gives_nothing_and_a_fresh_link(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    add_cards(["C-1"])
    link = track(dataverse)
    for _ in range(2):
        body = dataverse.get(link).json()
        assert body["value"] == []
        link = body["@odata.deltaLink"]
    add_cards(["C-2"])
    assert names(dataverse.get(link).json()["value"]) == ["C-2"]


def test_created_and_deleted_in_between_is_still_a_deletion(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    link = track(dataverse)
    (record,) = add_cards(["C-1"])
    dataverse.delete(f"{CARDS}({record})")
    (entry,) = dataverse.get(link).json()["value"]
    assert (entry["id"], entry["reason"]) == (record, "deleted")


def test_created_again_is_no_deletion(dataverse: DataverseSession, add_cards: AddCards) -> None:
    (record,) = add_cards(["C-1"])
    link = track(dataverse)
    dataverse.delete(f"{CARDS}({record})")
    dataverse.post(CARDS, json={"msdyn_loyaltycardid": record, "msdyn_cardnumber": "C-1"})
    assert names(dataverse.get(link).json()["value"]) == ["C-1"]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
def test_a_delta_is_paged(dataverse: DataverseSession, add_cards: AddCards, size: int) -> None:
    ids = add_cards(f"C-{n}" for n in range(5))
    link = track(dataverse)
    for record in ids[:2]:
        dataverse.delete(f"{CARDS}({record})")
    for record in ids[2:]:
        dataverse.patch(f"{CARDS}({record})", json={"msdyn_partynumber": "P"})
    entries, after = read_all(dataverse, link, size)
    assert names(entries) == ["C-2", "C-3", "C-4", "-", "-"]
    assert [entry["id"] for entry in entries[3:]] == ids[:2]
    assert dataverse.get(after).json()["value"] == []


def test_what_happens_between_pages_is_not_missed(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    ids = add_cards(f"C-{n}" for n in range(6))
    prefer = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    first = dataverse.get(URL, headers=prefer).json()
    dataverse.patch(f"{CARDS}({ids[0]})", json={"msdyn_cardnumber": "changed"})
    dataverse.delete(f"{CARDS}({ids[1]})")
    add_cards(["late"])
    _, link = read_all(dataverse, first["@odata.nextLink"], 2)
    body = dataverse.get(link, headers={"Prefer": "odata.maxpagesize=1"}).json()
    assert names(body["value"]) == ["changed"]
    dataverse.delete(f"{CARDS}({ids[0]})")
    rest, again = read_all(dataverse, body["@odata.nextLink"], 1)
    assert names(rest) == ["late", "-"]
    (gone,) = dataverse.get(again).json()["value"]
    assert gone["id"] == ids[0]


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "option",
    ["$filter=statecode eq 0", "$orderby=createdon", "$top=3", "$expand=createdby"],
)
def test_options_that_do_not_go_with_tracking(dataverse: DataverseSession, option: str) -> None:
    answer = dataverse.get(f"{URL}&{option}", headers={"Prefer": "odata.track-changes"})
    name = option.partition("=")[0]
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
    )


def test_tables_without_tracking(dataverse: DataverseSession) -> None:
    answer = dataverse.get("systemusers", headers={"Prefer": "odata.track-changes"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "0x80072491")


def test_the_switch_expires_old_tokens_and_not_new_ones(
    dataverse: DataverseSession, add_cards: AddCards
) -> None:
    add_cards(["C-1"])
    old = track(dataverse)
    dataverse.switch("expire-tokens")
    answer = dataverse.get(old)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "0x80044352")
    assert dataverse.get(track(dataverse)).status_code == 200


def test_tokens_live_as_long_as_the_organization_says(dataverse: DataverseSession) -> None:
    link = track(dataverse)
    version = re.search(r"deltatoken=(\d+)", link)
    assert version is not None
    days_ago = quote(f"{version[1]}!01/01/2026 00:00:00", safe="")
    old = re.sub(r"(?<=deltatoken=).*", days_ago, link)
    assert dataverse.get(old).json()["error"]["code"] == "0x80044352"
    organization = dataverse.get("WhoAmI").json()["OrganizationId"]
    column = f"organizations({organization})/expirechangetrackingindays"
    assert dataverse.get(column).json()["value"] == 7
    assert dataverse.put(column, json={"value": 365}).status_code == 204
    in_time = datetime.now(UTC) - timedelta(days=300)
    stamp = quote(f"{version[1]}!{in_time:%m/%d/%Y %H:%M:%S}", safe="")
    assert dataverse.get(re.sub(r"(?<=deltatoken=).*", stamp, link)).status_code == 200


def test_a_token_nobody_gave_is_refused(dataverse: DataverseSession) -> None:
    answer = dataverse.get(f"{URL}&$deltatoken=nonsense")
    assert answer.status_code == 400


def test_a_delta_link_expires_by_the_organizations_setting(dataverse: DataverseSession) -> None:
    first = dataverse.get(CARDS, headers={"Prefer": "odata.track-changes"}).json()
    link = first["@odata.deltaLink"]
    dataverse.switch("clock", {"days": 6, "seconds": 80_000})
    assert dataverse.get(link).status_code == 200
    dataverse.switch("clock", {"days": 7, "seconds": 60})
    expired = dataverse.get(link)
    assert (expired.status_code, expired.json()["error"]["code"]) == (400, "0x80044352")
    (row,) = dataverse.get("organizations?$select=expirechangetrackingindays").json()["value"]
    assert row["expirechangetrackingindays"] == 7
    own = f"organizations({row['organizationid']})"
    assert dataverse.patch(own, json={"expirechangetrackingindays": 30}).status_code == 204
    assert dataverse.get(link).status_code == 200
    dataverse.switch("reset", {"data": False})
    assert dataverse.get(f"{dataverse.host}/sandbox/clock").json() == {"ahead": 0.0}


def test_rows_carry_the_time_of_the_clock_that_was_put_forward(
    dataverse: DataverseSession,
) -> None:
    prefer = {"Prefer": "return=representation"}
    now = dataverse.post(CARDS, json={}, headers=prefer).json()["modifiedon"]
    dataverse.switch("clock", {"days": 365})
    later = dataverse.post(CARDS, json={}, headers=prefer).json()["modifiedon"]
    assert int(later[:4]) == int(now[:4]) + 1
