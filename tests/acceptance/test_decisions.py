"""Two edits of one value, as a person meets them: listed, shown, decided, and never by surprise."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MAP = "loyalty-card"
TENDERS = {"AsCardTender": 806380000, "NoTender": 806380002, "Blocked": 806380003}


def disagree(project: Project, number: str) -> None:
    """Commerce says NoTender, Dataverse says Blocked."""
    project.call("ledger", "set", number, "CardTenderType=NoTender")
    project.edit(number, msdyn_cardtendertype=TENDERS["Blocked"])


@pytest.fixture
def conflict(project: Project) -> Project:
    """Card `M 1` is in conflict about its tender type; M2 is not."""
    project.import_cards(
        [{"CardNumber": n, "CardTenderType": "AsCardTender"} for n in ("M 1", "M2")]
    )
    project.json("load")
    disagree(project, "M 1")
    project.json("sync", code=3)
    return project


def tenders(project: Project, number: str) -> tuple[str, int]:
    """What both sides hold."""
    here = project.ledger(number)["CardTenderType"]
    return here, project.cards()[number]["msdyn_cardtendertype"]


def listed(project: Project, *options: str) -> list[dict[str, Any]]:
    """The open conflicts."""
    found: list[dict[str, Any]] = project.json("conflicts", "list", *options)["conflicts"]
    return found


@pytest.mark.parametrize(("which", "wins"), [(0, "NoTender"), (1, "Blocked")])
def test_what_show_tells_to_type_decides(conflict: Project, which: int, wins: str) -> None:
    (shown,) = conflict.json("conflicts", "show", MAP, "m 1")["conflicts"]
    assert shown["commerce"] == {"CardTenderType": "NoTender"}
    assert shown["dataverse"] == {"msdyn_cardtendertype": TENDERS["Blocked"]}
    assert shown["base"]["commerce"] == {"CardTenderType": "AsCardTender"}
    assert shown["edits"]["commerce"]["by"].startswith("cli:")
    done = conflict.json(*shlex.split(shown["commands"][which])[1:])
    assert (done["decided"], done["refused"]) == (1, 0)
    assert tenders(conflict, "M 1") == (wins, TENDERS[wins])
    assert listed(conflict) == []
    assert conflict.json("sync")["synced"] == 0
    conflict.verified()


def test_show_is_a_table_a_person_can_decide_by(conflict: Project) -> None:
    told = conflict.call("conflicts", "show", MAP, "M 1").stdout
    row = "│ CardTenderType │ AsCardTender │ NoTender │ Blocked (806380003) │"
    assert row in " ".join(told.split())
    assert f"dualwrite conflicts resolve {MAP} 'M 1' --with commerce --as-shown 1" in told
    assert max(len(line) for line in told.splitlines() if line.startswith("│")) <= 100


@pytest.mark.parametrize("value", ["CardTenderType=AsCardTender", "msdyn_cardtendertype=806380000"])
def test_a_value_of_neither_side_is_written_to_both(conflict: Project, value: str) -> None:
    number = str(listed(conflict)[0]["record"])
    done = conflict.json("conflicts", "resolve", MAP, number, "--value", value, "--by", "anna")
    assert (done["decided"], done["refused"]) == (1, 0)
    assert tenders(conflict, "M 1") == ("AsCardTender", TENDERS["AsCardTender"])
    conflict.verified()
    told = conflict.call("conflicts", "show", MAP, "M 1", code=2).stderr
    assert "CardTenderType was decided by anna at 2" in told
    assert value in told


def test_a_value_that_is_none_is_refused(conflict: Project) -> None:
    words = ("conflicts", "resolve", MAP, "M 1", "--value", "CardTenderType=Blockd")
    assert "write one of AsCardTender" in conflict.call(*words, code=2).stderr
    assert len(listed(conflict)) == 1


def test_a_group_is_decided_as_one_value(project: Project) -> None:
    dates = ("LoyaltyEnrollmentDate", "LoyaltyEnrollmentDateLocal")
    project.import_cards([{"CardNumber": "M1", **dict.fromkeys(dates, "2020-01-01")}])
    project.json("load")
    project.call("ledger", "set", "M1", "LoyaltyEnrollmentDate=2020-02-02")
    project.edit("M1", msdyn_enrollmentdate="2020-03-03", msdyn_effectivedate="2020-03-04")
    project.json("sync", code=3)
    one = ("conflicts", "resolve", MAP, "M1", "--value", "LoyaltyEnrollmentDate=2020-04-04")
    assert "value-incomplete" in project.call(*one, code=2).stderr
    both = (*one, "--value", "msdyn_effectivedate=2020-04-05")
    assert project.json(*both)["decided"] == 1
    assert [project.ledger("M1")[name] for name in dates] == ["2020-04-04", "2020-04-05"]
    project.verified()


def test_an_edit_since_it_was_shown_is_never_overwritten(conflict: Project) -> None:
    conflict.edit("M 1", msdyn_cardtendertype=TENDERS["AsCardTender"])
    done = conflict.json("conflicts", "resolve", MAP, "M 1", "--with", "commerce", code=3)
    (refusal,) = done["refusals"]
    # What was agreed stands in Dataverse again: there is no conflict left to decide.
    assert (done["decided"], refusal["problem"]["code"]) == (0, "changed")
    assert tenders(conflict, "M 1") == ("NoTender", TENDERS["NoTender"])
    told = conflict.call("conflicts", "resolve", MAP, "M 1", "--with", "commerce", code=2).stderr
    assert "CardTenderType ended by itself at 2" in told
    conflict.verified()


def test_a_newer_conflict_is_not_the_one_that_was_shown(conflict: Project) -> None:
    conflict.edit("M 1", msdyn_cardtendertype=806380001)
    decide = ("conflicts", "resolve", MAP, "M 1", "--with", "commerce")
    (refusal,) = conflict.json(*decide, code=3)["refusals"]
    assert refusal["dataverse"] == {"msdyn_cardtendertype": 806380001}
    told = conflict.call(*decide, "--as-shown", "1", code=3).stdout
    assert "the conflict is at revision 2 by now" in told
    assert conflict.json(*decide, "--as-shown", "2")["decided"] == 1
    assert tenders(conflict, "M 1") == ("NoTender", TENDERS["NoTender"])


def test_two_fields_of_one_record_are_decided_one_by_one(conflict: Project) -> None:
    conflict.call("ledger", "set", "M 1", "PartyNumber=P1", "--create-references")
    conflict.call("ledger", "set", "M2", "PartyNumber=P2", "--create-references")
    conflict.edit("M 1", msdyn_partynumber="P2")
    conflict.json("sync", code=3)
    (one, other) = conflict.json("conflicts", "show", MAP, "M 1")["conflicts"]
    assert {one["field"], other["field"]} == {"CardTenderType", "PartyNumber"}
    many = ("conflicts", "resolve", MAP, "M 1", "--with", "commerce", "--as-shown", "1")
    assert "name one of them with --field" in conflict.call(*many, code=2).stderr
    for shown in (one, other):
        assert conflict.json(*shlex.split(shown["commands"][1])[1:])["decided"] == 1
    assert conflict.ledger("M 1")["PartyNumber"] == "P2"
    conflict.verified()


def test_many_are_decided_by_a_condition(conflict: Project) -> None:
    disagree(conflict, "M2")
    conflict.json("sync", code=3)
    where = "key eq 'm2' and dataverse_msdyn_cardtendertype eq 806380003"
    assert [one["key"] for one in listed(conflict, "--where", where)] == ["M2"]
    assert len(listed(conflict, "--where", "opened gt 2020-01-01T00:00:00Z")) == 2
    assert listed(conflict, "--field", "PartyNumber") == []
    decide = ("conflicts", "resolve", MAP, "--where", where, "--with", "dataverse")
    assert conflict.json(*decide)["decided"] == 1
    assert tenders(conflict, "M2") == ("Blocked", TENDERS["Blocked"])
    assert [one["key"] for one in listed(conflict)] == ["M 1"]
    assert "conflict-unknown" in conflict.call(*decide, code=2).stderr


def test_one_that_changed_does_not_hold_up_the_others(conflict: Project) -> None:
    disagree(conflict, "M2")
    conflict.json("sync", code=3)
    conflict.edit("M 1", msdyn_cardtendertype=806380001)
    told = conflict.call("conflicts", "resolve", MAP, "--all", "--with", "commerce", code=3)
    assert "1 decided: commerce wins" in told.stderr
    assert "M 1 CardTenderType: changed" in told.stdout
    assert tenders(conflict, "M2") == ("NoTender", TENDERS["NoTender"])
    assert tenders(conflict, "M 1") == ("NoTender", 806380001)


def test_the_list_asks_no_side_and_says_when_there_is_more(conflict: Project) -> None:
    disagree(conflict, "M2")
    conflict.json("sync", code=3)
    conflict.forget_requests()
    page = conflict.json("conflicts", "list", "--limit", "1")
    assert (len(page["conflicts"]), page["more"]) == (1, True)
    assert conflict.connector.counts() == {}


def test_a_held_map_shows_and_does_not_decide(conflict: Project) -> None:
    conflict.call("maps", "pause", MAP)
    assert conflict.json("conflicts", "show", MAP, "M 1")["held"]["code"] == "map-paused"
    decide = ("conflicts", "resolve", MAP, "M 1", "--with", "commerce")
    assert f"dualwrite maps resume {MAP}" in conflict.call(*decide, code=3).stderr
    conflict.call("maps", "resume", MAP)
    assert conflict.json(*decide)["decided"] == 1


@pytest.mark.parametrize(
    "words",
    [
        [MAP, "M 1"],
        [MAP, "--with", "commerce"],
        [MAP, "M 1", "--with", "commerce", "--value", "CardTenderType=Blocked"],
        [MAP, "M 1", "--all", "--with", "commerce"],
        [MAP, "--all", "--with", "commerce", "--as-shown", "1"],
        [MAP, "M 1", "--field", "PartyNumber", "--value", "CardTenderType=Blocked"],
    ],
)
def test_half_a_decision_is_none(conflict: Project, words: list[str]) -> None:
    assert "resolve-what" in conflict.call("conflicts", "resolve", *words, code=2).stderr
    assert len(listed(conflict)) == 1


def test_a_decision_that_is_refused_needs_a_person(project: Project) -> None:
    project.import_cards([{"CardNumber": "M1", "PartyNumber": "P1"}])
    project.json("load")
    project.call("ledger", "set", "M1", "PartyNumber=P2", "--create-references")
    project.edit("M1", msdyn_partynumber="P-UNKNOWN")
    project.json("sync", code=3)
    decide = ("conflicts", "resolve", MAP, "M1", "--with", "dataverse")
    told = project.call(*decide, code=3)
    assert "nothing was decided" in told.stderr
    assert "M1 PartyNumber: commerce-refused: " in told.stdout
    assert project.ledger("M1")["PartyNumber"] == "P2"
    assert project.cards()["M1"]["msdyn_partynumber"] == "P-UNKNOWN"
    (finding,) = project.json("verify")["maps"][0]["findings"]
    assert finding["reason"].startswith("commerce-refused: ")


def test_many_decisions_take_few_requests(project: Project) -> None:
    """Rows are read and written in batches: no round trip for a single record."""
    numbers = [f"M{n:04}" for n in range(300)]
    cards = [{"CardNumber": n, "CardTenderType": "AsCardTender"} for n in numbers]
    project.import_cards(cards)
    project.json("load")
    project.import_cards([{**card, "CardTenderType": "NoTender"} for card in cards])
    project.edit_all({n: {"msdyn_cardtendertype": TENDERS["Blocked"]} for n in numbers})
    project.json("sync", code=3)
    project.forget_requests()
    done = project.json("conflicts", "resolve", MAP, "--all", "--with", "commerce")
    assert done["decided"] == len(numbers)
    assert sum(project.connector.counts().values()) < len(numbers) / 5
    project.verified()
