"""A record that was set aside travels again once its cause is mended, though no row changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project


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


def test_a_retry_of_nothing_says_so(project: Project) -> None:
    project.import_cards([{"CardNumber": "F3"}])
    project.json("load")
    told = project.call("failures", "retry", "loyalty-card", "F3", code=2)
    assert "failure-unknown" in told.stderr
    assert project.call("failures", "retry", "loyalty-card", code=2).stderr.startswith("error")
