"""A decision that the other side refuses is no success."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project


def test_a_decision_that_is_refused_needs_a_person(project: Project) -> None:
    project.import_cards([{"CardNumber": "M1", "PartyNumber": "P1"}])
    project.json("load")
    project.call("ledger", "set", "M1", "PartyNumber=P2", "--create-references")
    project.edit("M1", msdyn_partynumber="P-UNKNOWN")
    project.json("sync", code=3)
    decide = ("conflicts", "resolve", "loyalty-card", "M1", "--with", "dataverse")
    told = project.call(*decide, code=3)
    assert "nothing was decided" in told.stderr
    assert "M1 PartyNumber: commerce-refused: " in told.stderr
    assert project.ledger("M1")["PartyNumber"] == "P2"
    assert project.cards()["M1"]["msdyn_partynumber"] == "P-UNKNOWN"
    (finding,) = project.json("verify")["maps"][0]["findings"]
    assert finding["reason"].startswith("commerce-refused: ")
