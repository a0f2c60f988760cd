"""An environment that changes a map by an overlay, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.acceptance.conftest import Project

OVERLAY = """\
fields:
  CardTenderType: {sync: ">>"}
"""


def test_a_row_that_goes_one_way_in_one_environment_only(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = project.folder / "mappings" / "overlays" / "test" / "loyalty-card.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(OVERLAY, "utf-8")
    project.import_cards([{"CardNumber": "K1", "CardTenderType": "NoTender"}])
    project.json("load")

    monkeypatch.setenv("DUALWRITE__MAPS__ENVIRONMENT", "test")
    shown = project.json("maps", "show", "loyalty-card")["overlay"]
    assert shown["parts"] == [
        {"at": "fields.CardTenderType.sync", "value": ">>", "instead": "><"},
    ]
    drawn = project.call("maps", "show", "loyalty-card").stdout
    assert "environment test" in drawn
    assert "fields.CardTenderType.sync" in drawn
    assert "where" not in drawn

    project.edit("K1", msdyn_cardtendertype=806380003)
    assert project.json("sync")["synced"] == 0
    monkeypatch.delenv("DUALWRITE__MAPS__ENVIRONMENT")
    assert project.json("maps", "show", "loyalty-card")["overlay"] is None


def test_a_filter_is_drawn_with_its_map(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = project.folder / "mappings" / "overlays" / "test" / "loyalty-card.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("commerce: {filter: \"CardNumber ne 'K9'\"}\n", "utf-8")
    monkeypatch.setenv("DUALWRITE__MAPS__ENVIRONMENT", "test")
    drawn = project.call("maps", "show", "loyalty-card").stdout
    assert "only RetailLoyaltyCards where CardNumber ne 'K9'; leaving: keep" in drawn


def test_an_overlay_with_a_mistake_stops_every_command(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = project.folder / "mappings" / "overlays" / "test" / "loyalty-card.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(OVERLAY.replace("Tender", "Tendre"), "utf-8")
    monkeypatch.setenv("DUALWRITE__MAPS__ENVIRONMENT", "test")
    error = project.json("maps", "list", code=2)["error"]
    assert error["code"] == "overlay-field-unknown"
    assert error["subject"]["line"] == 2
    assert "CardTenderType" in error["remedy"]
