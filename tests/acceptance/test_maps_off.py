"""Maps that are switched off: every command leaves them out and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.acceptance.conftest import Project

MAP = "mappings/loyalty-card.yaml"


def switch_off(project: Project) -> None:
    path = project.folder / MAP
    text = path.read_text("utf-8")
    path.write_text(
        text.replace("title: Loyalty card\n", "title: Loyalty card\nenabled: false\n"), "utf-8"
    )


def test_a_map_that_is_off_is_left_out_and_named(project: Project) -> None:
    project.import_cards([{"CardNumber": "K1"}])
    project.import_points([{"RewardPointId": "P1", "RewardPointType": "Quantity"}])
    switch_off(project)
    report = project.json("check")
    assert "loyalty-card" in report["off"]
    assert report["maps"] == ["loyalty-reward-points"]
    for command in ("load", "sync"):
        done = project.json(command)
        assert [one["map"] for one in done["maps"]] == ["loyalty-reward-points"]
        assert "loyalty-card" in done["off"]
    assert "off: " in project.call("sync").stderr
    listed = {one["map"]: one["enabled"] for one in project.json("maps", "list")["maps"]}
    assert listed["loyalty-card"] is False
    assert listed["loyalty-reward-points"] is True
    error = project.json("sync", "--map", "loyalty-card", code=2)["error"]
    assert error["code"] == "map-off"
    assert error["subject"]["file"] == MAP
    assert MAP in error["remedy"]


def test_an_overlay_switches_a_map_on_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.import_cards([{"CardNumber": "K1"}])
    project.json("load")
    switch_off(project)
    overlay = project.folder / "mappings/overlays/test/loyalty-card.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("enabled: true\n", "utf-8")
    monkeypatch.setenv("DUALWRITE__MAPS__ENVIRONMENT", "test")
    done = project.json("sync", "--map", "loyalty-card")
    # Being off for a while changed nothing about the map: it goes on where it was.
    assert done["finished"]
    assert done["maps"][0]["counts"].get("read_commerce", 0) == 0
