"""What was set aside: shown so that a person can act, tried again, accepted, or resolved."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project


@pytest.fixture
def refused(project: Project) -> Project:
    """An agent gave F1 a party the ledger does not know."""
    project.import_cards([{"CardNumber": "F1", "PartyNumber": "P1"}, {"CardNumber": "F 2"}])
    project.json("load")
    project.edit("F1", msdyn_partynumber="P-77")
    project.json("sync", code=3)
    return project


def rename(project: Project, number: str, new: str) -> None:
    """A person changes the number of a card in Dataverse."""
    url = f"msdyn_loyaltycards({project.cards_id(number)})"
    answer = project.agent.patch(url, json={"msdyn_cardnumber": new}, headers={"If-Match": "*"})
    assert answer.status_code == 204, answer.text


@pytest.fixture
def renamed(project: Project) -> Project:
    """An agent changed the number of `F 1`."""
    project.import_cards([{"CardNumber": "F 1", "CardTenderType": "NoTender"}])
    project.json("load")
    rename(project, "F 1", "F 9")
    project.json("sync", code=3)
    return project


def test_the_list_says_what_to_do_first(refused: Project) -> None:
    (failure,) = refused.json("failures", "list")["failures"]
    assert failure["remedy"] == "correct the record on the side it comes from"
    assert failure["problem"]["remedy"].startswith(failure["remedy"])
    people = refused.call("failures", "list", COLUMNS="200").stdout
    assert "correct the record on the side it comes from" in people
    assert "travels by itself" not in people


def test_a_retry_takes_up_what_a_mended_map_allows(project: Project) -> None:
    file = project.folder / "mappings" / "loyalty-card.yaml"
    whole = file.read_text("utf-8")
    file.write_text(whole.replace("      Blocked: 806380003\n", ""), "utf-8")
    project.import_cards([{"CardNumber": "F1", "CardTenderType": "Blocked"}, {"CardNumber": "F2"}])
    project.json("load", code=3)
    assert set(project.cards()) == {"F2"}
    (failure,) = project.json("failures", "list")["failures"]
    assert failure["key"] == "F1"
    assert failure["problem"]["code"] == "choice-unknown"
    assert "'Blocked'" in failure["problem"]["message"]

    still = project.json("failures", "retry", "loyalty-card", "F1", code=3)
    assert still == {"map": "loyalty-card", "freed": 0, "parked": 1}

    file.write_text(whole, "utf-8")
    freed = project.json("failures", "retry", "loyalty-card", "--all")
    assert freed == {"map": "loyalty-card", "freed": 1, "parked": 0}
    assert project.cards()["F1"]["msdyn_cardtendertype"] == 806380003
    assert project.json("verify")["equal"]
    assert project.json("sync")["synced"] == 0


def test_a_retry_of_nothing_says_where_the_record_stands(project: Project) -> None:
    project.import_cards([{"CardNumber": "F3"}])
    project.json("load")
    told = project.call("failures", "retry", "loyalty-card", "F3", code=2)
    assert "failure-unknown" in told.stderr
    assert "it is settled" in told.stderr
    retry = ("failures", "retry", "loyalty-card")
    assert "record-unknown" in project.call(*retry, "F4", code=2).stderr
    assert "failures-what" in project.call(*retry, code=2).stderr
    assert "failure-unknown" in project.call(*retry, "--all", code=2).stderr


def test_the_list_takes_code_and_condition(refused: Project) -> None:
    def keys(*options: str) -> list[str]:
        return [one["key"] for one in refused.json("failures", "list", *options)["failures"]]

    assert keys() == keys("--code", "commerce-refused") == ["F1"]
    assert keys("--code", "key-changed") == []
    assert keys("--where", "dataverse_msdyn_partynumber eq 'P-77'") == ["F1"]
    assert keys("--where", "commerce_PartyNumber eq 'P-77'") == []
    told = refused.call("failures", "list", "--where", "commerce_Nothing eq 1", code=2)
    assert "column-unknown" in told.stderr


def test_the_list_asks_no_side(refused: Project) -> None:
    refused.forget_requests()
    assert refused.json("failures", "list")["failures"]
    assert refused.connector.counts() == {}


def test_show_tells_what_each_side_holds_and_what_to_type(refused: Project) -> None:
    told = refused.call("failures", "show", "loyalty-card", "f1").stdout
    assert "commerce-refused" in told
    assert "│ PartyNumber │ P1 │ P1 │ P-77 │" in " ".join(told.split())
    assert "│ PartyNumber: P1 → P-77 │ rejected │" in " ".join(told.split())
    assert "dualwrite failures retry loyalty-card F1" in told
    assert max(len(line) for line in told.splitlines() if line.startswith("│")) <= 100
    shown = refused.json("failures", "show", "loyalty-card", "F1")
    (record,) = shown["records"]
    assert record["dataverse"]["values"]["msdyn_partynumber"] == "P-77"
    assert record["agreed"]["commerce"]["PartyNumber"] == "P1"
    refusal, parked = shown["events"][-2:]
    assert (refusal["what"], refusal["side"], refusal["outcome"]) == (
        "updated", "commerce", "rejected",
    )  # fmt: skip
    assert parked["what"] == "set aside"
    told = refused.json("history", "F1")["records"][0]["events"]
    assert [{"record": record["record"], **event} for event in told[-5:]] == shown["events"]


def test_a_row_without_a_key_is_named_by_its_number(refused: Project) -> None:
    answer = refused.agent.post("msdyn_loyaltycards", json={"msdyn_cardtendertype": 806380001})
    assert answer.status_code == 204, answer.text
    refused.json("sync", code=3)
    (failure,) = refused.json("failures", "list", "--code", "key-missing")["failures"]
    assert failure["key"] == "(no key)"
    number = str(failure["record"])
    shown = refused.json("failures", "show", "loyalty-card", number)
    assert [shlex.split(line)[2:] for line in shown["commands"]] == [
        ["retry", "loyalty-card", number], ["discard", "loyalty-card", number],
    ]  # fmt: skip
    old = ("failures", "resolve", "loyalty-card", number, "--with", "old-key")
    assert "way-unknown" in refused.call(*old, code=2).stderr
    discard = shown["commands"][1].split()[1:]
    assert "1 accepted" in refused.call(*discard).stdout


def test_a_discarded_difference_needs_nobody_until_a_side_changes(refused: Project) -> None:
    done = refused.json("failures", "discard", "loyalty-card", "F1", "--by", "anna")
    assert done == {"map": "loyalty-card", "discarded": 1}
    assert refused.json("sync")["needs"] == []
    verdict = refused.json("verify")
    assert (verdict["equal"], verdict["ignored"]) == (True, 1)
    told = refused.call("failures", "show", "loyalty-card", "F1", code=2).stderr
    assert "its difference was accepted" in told
    refused.call("ledger", "set", "F1", "PartyNumber=P-77", "--create-references")
    refused.json("sync")
    verdict = refused.json("verify")
    assert (verdict["equal"], verdict["ignored"]) == (True, 0)


def test_a_held_map_can_be_discarded_in_but_not_retried(refused: Project) -> None:
    refused.call("maps", "pause", "loyalty-card")
    told = refused.call("failures", "show", "loyalty-card", "F1").stderr
    assert "dualwrite maps resume loyalty-card" in told
    assert "map-paused" in refused.call("failures", "retry", "loyalty-card", "F1", code=3).stderr
    assert refused.json("failures", "discard", "loyalty-card", "--all")["discarded"] == 1


@pytest.mark.parametrize(
    ("way", "left"),
    [("old-key", {"F 1"}), ("new-card", {"F 1", "F 9"}), ("rename", {"F 9"})],
)
def test_each_way_out_of_a_changed_key_is_offered_and_works(
    renamed: Project, way: str, left: set[str]
) -> None:
    offered = renamed.json("failures", "show", "loyalty-card", "F 1")["commands"]
    (typed,) = [line for line in offered if line.endswith(f"--with {way}")]
    assert typed == f"dualwrite failures resolve loyalty-card 'F 1' --with {way}"
    done = renamed.json(*shlex.split(typed)[1:])
    assert (done["resolved"], done["refused"]) == (1, 0)
    assert set(renamed.cards()) == set(renamed.ledger_keys()) == left
    renamed.verified()
    assert renamed.json("sync")["synced"] == 0


def test_two_cards_that_swapped_their_numbers_are_told_apart(project: Project) -> None:
    cards = [
        {"CardNumber": "A1", "CardTenderType": "NoTender"},
        {"CardNumber": "B2", "CardTenderType": "Blocked"},
    ]
    project.import_cards(cards)
    project.json("load")
    ids = {number: card["msdyn_loyaltycardid"] for number, card in project.cards().items()}
    rename(project, "A1", "swap")
    rename(project, "B2", "A1")
    rename(project, "swap", "B2")
    project.json("sync", code=3)
    words = ("failures", "resolve", "loyalty-card", "--all", "--code", "key-changed")
    assert project.json(*words, "--with", "new-card")["resolved"] == 2
    now = {number: card["msdyn_loyaltycardid"] for number, card in project.cards().items()}
    assert now == {"A1": ids["B2"], "B2": ids["A1"]}
    assert project.ledger("A1")["CardTenderType"] == "Blocked"
    project.verified()


def test_a_key_that_another_card_bears_is_not_taken(project: Project) -> None:
    project.import_cards([{"CardNumber": "F1"}, {"CardNumber": "F2"}])
    project.json("load")
    project.call("ledger", "delete", "F2")
    project.call("maps", "pause", "loyalty-card")
    project.call("maps", "resume", "loyalty-card")
    rename(project, "F2", "gone")
    rename(project, "F1", "F2")
    project.json("sync", code=3)
    project.call("ledger", "set", "F2", "CardTenderType=Blocked", "--create")
    project.json("sync", code=3)
    told = project.call("failures", "resolve", "loyalty-card", "F1", "--with", "rename", code=3)
    assert "F1: key-taken" in told.stdout
    assert project.ledger("F1")["CardNumber"] == "F1"


def test_other_problems_have_no_such_way(refused: Project) -> None:
    told = refused.call("failures", "resolve", "loyalty-card", "F1", "--with", "rename", code=2)
    assert "way-unknown" in told.stderr
    assert "key-changed: old-key, new-card, rename" in told.stderr
    assert "dualwrite failures discard" in told.stderr
    nothing = refused.call(
        "failures", "resolve", "loyalty-card", "--all", "--with", "nonsense", code=2
    )
    assert "way-unknown" in nothing.stderr


def test_twins_are_shown_side_by_side(project: Project) -> None:
    """By a key that Dataverse does not guard it takes two rows."""
    file = project.folder / "mappings" / "loyalty-card.yaml"
    text = file.read_text("utf-8")
    key, other = "dataverse: msdyn_cardnumber,", "dataverse: msdyn_replacementcardnumber}"
    text = text.replace(key, "dataverse: msdyn_replacementcardnumber,")
    file.write_text(text.replace(other, "dataverse: msdyn_cardnumber}"), "utf-8")
    project.import_cards([{"CardNumber": "Twin", "CardTenderType": "NoTender"}])
    for number, tender in (("one", 806380000), ("two", 806380003)):
        row = {"msdyn_cardnumber": number, "msdyn_replacementcardnumber": "Twin"}
        row["msdyn_cardtendertype"] = tender  # type: ignore[assignment]
        assert project.agent.post("msdyn_loyaltycards", json=row).status_code == 204
    project.json("load", "--map", "loyalty-card", code=3)
    told = project.call("failures", "show", "loyalty-card", "twin").stdout
    assert told.count("duplicate-key") == 2
    assert "AsCardTender (806380000)" in told
    assert "Blocked (806380003)" in told
    assert "failures retry" not in told
    assert len(project.json("failures", "show", "loyalty-card", "twin")["records"]) == 2
    assert project.json("failures", "discard", "loyalty-card", "twin")["discarded"] == 2
    assert project.json("verify", "--map", "loyalty-card")["equal"]
