"""Two ledgers and one Dataverse: whose a card is, and what becomes of a number both use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.conftest import CARDS, members

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

CARD = "mappings/loyalty-card.yaml"
SOUTH = "mappings/south-card.yaml"
OWNER = "msdyn_operatingunitnumber"
UNIT = '  - {commerce: OmOperatingUnitNumber, sync: "=", dataverse: msdyn_operatingunitnumber}\n'


def owned(text: str, owner: str) -> str:
    """The map of one ledger: its cards bear its name."""
    row = f'  - {{sync: ">>", dataverse: {OWNER}, constant: {owner}}}\n'
    table = f"{{entity: {CARDS}, filter: \"{OWNER} eq '{owner}'\"}}"
    return text.replace(UNIT, row).replace(f"{{entity: {CARDS}}}", table)


@pytest.fixture
def ledgers(project: Project) -> Project:
    """A project with the ledgers `commerce` and `south`, a map for the cards of each."""
    config = project.folder / "config/connector.toml"
    side = '\n[sides.south]\nkind = "ledger"\nurl = "sqlite:///var/south.db"\n'
    config.write_text(config.read_text("utf-8") + side, "utf-8")
    (project.folder / "mappings/loyalty-reward-points.yaml").unlink()
    path = project.folder / CARD
    text = path.read_text("utf-8")
    south = text.replace("map: loyalty-card", "map: south-card").replace(
        "{entity: RetailLoyaltyCards}", "{entity: RetailLoyaltyCards, side: south}"
    )
    path.write_text(owned(text, "north"), "utf-8")
    (project.folder / SOUTH).write_text(owned(south, "south"), "utf-8")
    return project


def in_south(project: Project, *args: str) -> dict[str, Any]:
    """A command over the second ledger."""
    return project.json("ledger", *args, "--ledger", "sqlite:///var/south.db")


def owners(project: Project) -> dict[str, str]:
    """Whose the cards in Dataverse are, by number."""
    return {number: row[OWNER] for number, row in project.cards().items()}


def test_each_ledger_has_its_cards_and_a_number_of_both_is_nobodys_loss(ledgers: Project) -> None:
    ledgers.import_cards(members(3))
    ledgers.import_cards(members(3, start=200_000), "--ledger", "sqlite:///var/south.db")
    assert ledgers.json("check")["ok"]
    ledgers.json("load")
    north, south = [f"M{100_000 + n}" for n in range(3)], [f"M{200_000 + n}" for n in range(3)]
    assert owners(ledgers) == dict.fromkeys(north, "north") | dict.fromkeys(south, "south")

    ledgers.edit(north[0], msdyn_cardtendertype=806380002)
    ledgers.edit(south[0], msdyn_cardtendertype=806380001)
    ledgers.json("sync")
    assert ledgers.ledger(north[0])["CardTenderType"] == "NoTender"
    assert in_south(ledgers, "show", south[0])["values"]["CardTenderType"] == "AsContactTender"
    assert south[0] not in ledgers.ledger_keys()

    # The other ledger issues a number that is taken: nothing of the first one's card changes.
    before = ledgers.cards()[north[1]]
    in_south(ledgers, "set", north[1], "CardTenderType=NoTender", "--create")
    ledgers.json("sync", code=3)
    assert ledgers.cards()[north[1]] == before
    (failure,) = ledgers.json("failures", "list")["failures"]
    assert (failure["map"], failure["problem"]["code"]) == ("south-card", "key-of-another")
    assert "`south`" in failure["problem"]["message"]
    assert "`north`" in failure["problem"]["message"]
    excused = [
        finding["key"]
        for one in ledgers.json("verify")["maps"]
        for finding in one["findings"]
        if finding["verdict"] == "excused"
    ]
    assert set(excused) == {north[1]}

    # The first one's card goes: the number is free, and the other travels by itself.
    ledgers.json("ledger", "delete", north[1])
    ledgers.call("sync", code=None)
    ledgers.json("sync")
    assert owners(ledgers)[north[1]] == "south"
    assert ledgers.verified()


def test_two_ledgers_without_an_owner_are_an_error_that_says_where(ledgers: Project) -> None:
    path = ledgers.folder / SOUTH
    path.write_text(path.read_text("utf-8").replace("eq 'south'", "ne null"), "utf-8")
    problems = ledgers.json("check", code=2)["problems"]
    (problem,) = [one for one in problems if one["severity"] == "error"]
    assert problem["code"] == "table-shared"
    assert (problem["subject"]["file"], problem["subject"]["map"]) == (SOUTH, "south-card")
    lines = path.read_text("utf-8").splitlines()
    assert "dataverse: {entity" in lines[problem["subject"]["line"] - 1]
    assert "constant: south" in problem["remedy"]


def test_each_ledger_may_move_by_itself(ledgers: Project) -> None:
    """Another system under the name of one side is found out, and says nothing of the other."""
    ledgers.import_cards(members(2))
    ledgers.import_cards(members(2, start=200_000), "--ledger", "sqlite:///var/south.db")
    ledgers.json("load")
    (ledgers.folder / "var/south.db").rename(ledgers.folder / "var/old-south.db")
    ledgers.import_cards(members(2, start=200_000), "--ledger", "sqlite:///var/south.db")
    error = ledgers.call("sync", "--map", "south-card", "--json", code=None).error
    assert error["code"] == "identity-changed"
    assert "state rebind south" in error["remedy"]
    ledgers.json("sync", "--map", "loyalty-card")
    bound = ledgers.json("state", "rebind", "south", "--yes")
    assert (bound["side"], bound["epoch"]) == ("south", 2)
    ledgers.json("sync")
    assert ledgers.verified()
