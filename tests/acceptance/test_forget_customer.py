"""A customer with points asks to be forgotten: one command, and the journal adds up as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.test_forget import DOWN, told_of

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

PARTY = "P-Secret-1"
CARD = "Kept-1"


@pytest.fixture
def shop(project: Project) -> Project:
    """A customer with one card on both sides, with points on it and a past."""
    project.import_points(
        [{"RewardPointId": "bonus", "RewardPointType": "Quantity", "Redeemable": "Yes"}]
    )
    for card, party in ((CARD, PARTY), ("M2", "P2")):
        project.json("ledger", "issue", card, "--party", party, "--create-references")
        project.json("ledger", "group", "add", party, "staff")
        project.json("ledger", "adjust", card, "bonus", "20")
    project.json("load")
    project.edit(CARD, msdyn_partynumber="P2")
    project.json("sync")
    project.json("ledger", "set", CARD, f"PartyNumber={PARTY}")
    project.json("sync")
    return project


def test_one_command_takes_a_customer_off_everything(shop: Project) -> None:
    assert told_of(shop, PARTY)
    entries = shop.json("ledger", "transactions", CARD)["entries"]
    ahead = shop.json("forget", "--party", PARTY.lower(), "--plan")
    assert (ahead["planned"], ahead["cards"], ahead["ledger"]["groups"]) == (True, [CARD], 1)
    assert shop.call("forget", "--party", PARTY, "--json", code=2).error["code"] == "confirm-needed"
    assert shop.json("ledger", "member", "--party", PARTY)["cards"]

    done = shop.json("forget", "--party", PARTY.lower(), "--yes")
    assert (done["planned"], done["ledger"], done["left"]) == (False, ahead["ledger"], [])
    assert done["synced"] == 1
    assert done["rows"]["changes"] >= 2
    assert told_of(shop, PARTY) == []
    (row,) = [one for one in shop.rows() if one["msdyn_cardnumber"] == CARD]
    assert (row["msdyn_partynumber"], row["msdyn_cardtendertype"]) == (None, 806380003)
    assert shop.json("ledger", "transactions", CARD)["entries"] == entries
    assert shop.json("ledger", "expire", "--prove")["differences"] == []
    assert shop.json("ledger", "member", "--party", "P2")["cards"], "nobody else's"
    assert shop.json("sync")["synced"] == 0
    shop.verified()
    error = shop.call("forget", "--party", PARTY, "--yes", "--json", code=3).error
    assert error["code"] == "customer-unknown"


def test_cut_short_it_is_typed_once_more(shop: Project) -> None:
    shop.call("forget", "--party", PARTY, "--yes", "--json", code=4, **DOWN)
    error = shop.call("ledger", "member", "--party", PARTY, "--json", code=3).error
    assert error["code"] == "customer-unknown", "the ledger went first"
    assert told_of(shop, PARTY)
    done = shop.json("forget", "--party", PARTY, "--yes")
    assert (done["ledger"], done["synced"]) == (None, 1)
    assert told_of(shop, PARTY) == []
    shop.verified()


def test_a_map_that_is_held_is_told(shop: Project) -> None:
    shop.json("maps", "pause", "loyalty-card")
    done = shop.json("forget", "--party", PARTY, "--yes", code=3)
    (left,) = done["left"]
    assert (left["map"], left["records"]) == ("loyalty-card", 1)
    assert told_of(shop, PARTY)
    said = shop.call("forget", "--party", PARTY, "--yes", code=3).stderr
    assert "1 records hold the number still" in said
    shop.json("maps", "resume", "loyalty-card")
    shop.json("forget", "--party", PARTY, "--yes")
    assert told_of(shop, PARTY) == []
