"""Cards marked with their segments in Dataverse, where agents and campaigns use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connector.sandbox.run import running
from tests.acceptance.conftest import Project, make_project

if TYPE_CHECKING:
    from tests.conftest import SignIn

MARKS = "dwrite_cardsegments"
STAFF = "segment: staff\ntitle: {title}\nkept: yes\nwho: {{groups: [staff]}}\n"


@pytest.fixture
def crm(tmp_path: Path, sign_in: SignIn, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """A project whose map of segments is on."""
    with running(tmp_path / "organization") as ready:
        project = make_project(tmp_path / "project", ready, sign_in)
        capsys.readouterr()
        file = project.folder / "mappings" / "card-segments.yaml"
        text = file.read_text("utf-8")
        file.write_text(text.replace("\nenabled: false\n", "\nenabled: true\n"), "utf-8")
        yield project
        project.end()


def marks(project: Project) -> dict[str, tuple[str, str]]:
    """Segment and title by card number, as agents see them."""
    cards = {row["msdyn_loyaltycardid"]: row["msdyn_cardnumber"] for row in project.rows()}
    return {
        cards[row["_dwrite_card_value"]]: (row["dwrite_segment"], row["dwrite_segmenttitle"])
        for row in project.rows(MARKS)
    }


def imported(project: Project, title: str) -> None:
    (project.folder / "staff.yaml").write_text(STAFF.format(title=title), "utf-8")
    project.call("ledger", "segments", "import", "staff.yaml")


def synced(project: Project) -> dict[str, int]:
    """What one sync wrote to the marks."""
    (done,) = (one for one in project.json("sync")["maps"] if one["map"] == "card-segments")
    counts: dict[str, int] = done["counts"]
    verbs = ("created", "updated", "deleted")
    return {name: count for name, count in counts.items() if name.startswith(verbs) and count}


def test_agents_see_who_is_in_a_segment(crm: Project) -> None:
    crm.json("provision")
    for number in range(6):
        party = ("--party", f"P{number}", "--create-references")
        crm.call("ledger", "issue", f"M{number}", *party)
        if number % 2:
            crm.call("ledger", "group", "add", f"P{number}", "staff")
    imported(crm, "Our people")
    assert crm.json("ledger", "segments", "mark", "staff")["added"] == 3
    crm.json("load")
    assert marks(crm) == {f"M{number}": ("staff", "Our people") for number in (1, 3, 5)}

    crm.call("ledger", "group", "add", "P2", "staff")
    crm.call("ledger", "group", "remove", "P5", "staff")
    crm.json("ledger", "segments", "mark", "staff")
    assert synced(crm) == {"created_dataverse": 1, "deleted_dataverse": 1}
    assert set(marks(crm)) == {"M1", "M2", "M3"}

    imported(crm, "Team")
    crm.json("ledger", "segments", "mark", "staff")
    assert synced(crm) == {"updated_dataverse": 3}
    assert set(marks(crm).values()) == {("staff", "Team")}
    assert synced(crm) == {}
    assert crm.json("verify")["drift"] == 0
