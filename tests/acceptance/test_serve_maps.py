"""Map files that change while live mode serves them."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import members
from tests.acceptance.living import living, until
from tests.acceptance.test_serve import OFTEN

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

pytestmark = pytest.mark.slow

ONE_WAY = '{commerce: ReplacementCardNumber, sync: ">"'
BOTH_WAYS = '{commerce: ReplacementCardNumber, sync: "="'


def test_a_changed_map_is_taken_over_and_a_wrong_one_is_not(
    project: Project, tmp_path: Path
) -> None:
    project.import_cards(members(5))
    project.json("load")
    file = project.folder / "mappings" / "loyalty-card.yaml"
    text = file.read_text("utf-8")
    assert ONE_WAY in text
    with living(project, tmp_path, **OFTEN) as live:
        live.comes_to("active")
        project.edit("M100001", msdyn_replacementcardnumber="M1")

        file.write_text(text.replace(ONE_WAY, BOTH_WAYS), "utf-8")
        until("the edit", lambda: project.ledger("M100001")["ReplacementCardNumber"] == "M1")
        assert "loyalty-card: goes on by its changed file" in live.said()

        file.write_text("map: [", "utf-8")
        until("a problem", lambda: live.health()["files"])
        told = live.health()["files"]
        assert told["subject"]["file"].endswith("loyalty-card.yaml")
        project.edit("M100002", msdyn_replacementcardnumber="M2")
        until("the edit", lambda: project.ledger("M100002")["ReplacementCardNumber"] == "M2")

        missing = text.replace("msdyn_replacementcardnumber", "msdyn_replacement")
        file.write_text(missing, "utf-8")
        until("it", lambda: (live.health()["files"] or {}).get("code") == "column-unknown")
        assert live.health("/health")["status"] == 200, "the old one goes on"

        file.write_text(text.replace(ONE_WAY, BOTH_WAYS), "utf-8")
        until("all well", lambda: live.health()["files"] is None)
        other = project.folder / "mappings" / "loyalty-reward-points.yaml"
        other.write_text("enabled: false\n" + other.read_text("utf-8"), "utf-8")
        live.process.send_signal(signal.SIGHUP)
        until("it", lambda: (live.health()["files"] or {}).get("code") == "maps-changed")
        assert live.said().count("changed map files are not used") >= 3
        assert live.ends() == 143
