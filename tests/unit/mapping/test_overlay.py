"""Overlays: what an environment changes about a map, and where a mistake in one is said to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import MapError
from connector.mapping.compiling.compiler import findings
from connector.mapping.document import DeletePolicy, MapDocument, OverlaidPart, Policy
from connector.mapping.overlay import read_maps
from connector.mapping.values import Side
from tests.unit.mapping.live import lookup_columns
from tests.unit.mapping.things import COMMERCE, DATAVERSE

MAP = """\
map: thing
commerce: {entity: Things, filter: "Count gt 1"}
dataverse: {entity: things}
deletes: {commerce: ignore, dataverse: restore}
fields:
  - {commerce: Id, sync: "=", dataverse: id, key: true}
  - {commerce: Name, sync: "=", dataverse: name, together: names}
  - {commerce: Currency, sync: "=", dataverse: once, together: names}
  - {commerce: Status, sync: "><", dataverse: status, values: {Open: 10, Closed: 20}}
"""


class Folder:
    """A folder of maps with overlays for the environment `test`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.overlays = path / "overlays" / "test"
        self.overlays.mkdir(parents=True)
        (path / "thing.yaml").write_text(MAP)
        (path / "other.yaml").write_text(MAP.replace("map: thing", "map: other"))

    def laid(self, text: str) -> MapDocument:
        (self.overlays / "thing.yaml").write_text(text)
        return next(made for made in read_maps(self.path, "test") if made.map == "thing")

    def refusal(self, text: str) -> MapError:
        with pytest.raises(MapError) as caught:
            self.laid(text)
        assert caught.value.subject.file == str(self.overlays / "thing.yaml")
        assert caught.value.remedy
        return caught.value


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_without_an_environment_the_maps_are_as_written(folder: Folder) -> None:
    (folder.overlays / "thing.yaml").write_text("master: dataverse\n")
    assert [made.master for made in read_maps(folder.path)] == [Side.COMMERCE] * 2


def test_an_overlay_changes_what_it_names_and_nothing_else(folder: Folder) -> None:
    made = folder.laid(
        "master: dataverse\n"
        "conflict: latest\n"
        "deletes: {dataverse: propagate}\n"
        "commerce: {filter: null}\n"
        'dataverse: {filter: "count gt 2"}\n'
        'fields:\n  Status: {sync: ">>", conflict: commerce}\n'
    )
    assert made.master is Side.DATAVERSE
    assert made.conflict is Policy.LATEST
    assert made.deletes.commerce is DeletePolicy.IGNORE
    assert made.deletes.dataverse is DeletePolicy.PROPAGATE
    assert made.commerce.filter is None
    assert made.dataverse.filter == "count gt 2"
    assert (made.fields[3].sync, made.fields[3].conflict) == (">>", Policy.COMMERCE)
    plain = read_maps(folder.path)[1]
    assert made.fields[:3] == plain.fields[:3]
    assert made.fields[3].values == plain.fields[3].values
    assert made.fingerprint() != plain.fingerprint()


def test_what_was_changed_is_told(folder: Folder) -> None:
    made = folder.laid('commerce: {filter: null}\nfields:\n  Status: {sync: ">>"}\n')
    assert made.overlaid is not None
    assert made.overlaid.environment == "test"
    assert made.overlaid.file == str(folder.overlays / "thing.yaml")
    assert made.overlaid.parts == (
        OverlaidPart("commerce.filter", None, "Count gt 1"),
        OverlaidPart("fields.Status.sync", ">>", "><"),
    )


def test_the_other_maps_stay(folder: Folder) -> None:
    folder.laid("master: dataverse\n")
    other = read_maps(folder.path, "test")[0]
    assert (other.map, other.master, other.overlaid) == ("other", Side.COMMERCE, None)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "fields: {}\n"])
def test_an_overlay_may_change_nothing(folder: Folder, text: str) -> None:
    made = folder.laid(text)
    assert made.fingerprint() == read_maps(folder.path)[1].fingerprint()


@pytest.mark.parametrize(
    ("text", "code", "line", "says"),
    [
        ("mster: dataverse\n", "map-unknown-key", 1, "`master`"),
        ("\nmaster: dataverze\n", "map-wrong-value", 2, "`dataverse`"),
        ("\nmaster: null\n", "map-wrong-value", 2, "dataverse"),
        ("commerce:\n  entity: Others\n", "map-unknown-key", 2, "write it into the map itself"),
        ('commerce:\n  filter: ""\n', "map-wrong-value", 2, "character"),
        ("deletes:\n  dataverse: deactivate\n", "map-contradiction", 2, "inactive"),
        ("- master\n", "map-wrong-value", 1, "KEY"),
        ("fields: [Status]\n", "map-wrong-value", 1, "fields: {NAME"),
        ("fields:\n  Statsu: {conflict: latest}\n", "overlay-field-unknown", 2, "`Status`"),
        ('fields:\n  Status: {sync: "="}\n', "map-contradiction", 2, "><"),
        ("fields:\n  Status: {sync: null}\n", "map-wrong-value", 2, "'='"),
        ('fields:\n  Status: {snyc: ">>"}\n', "map-unknown-key", 2, "`sync`"),
        ("fields:\n  Status: {values: {A: 1}}\n", "map-unknown-key", 2, "remove"),
        ('fields:\n  Id: {sync: ">"}\n', "key-one-way", 2, "`=`"),
        ('\nfields:\n  Name: {sync: ">"}\n', "map-contradiction", 2, "direction"),
        ("master: dataverse\nmaster: commerce\n", "yaml-duplicate-key", 2, "keep one"),
        ("master: [\n", "yaml-broken", 2, "bracket"),
    ],
)
def test_a_mistake_is_said_to_be_in_the_overlay(
    folder: Folder, text: str, code: str, line: int, says: str
) -> None:
    error = folder.refusal(text)
    assert (error.code, error.subject.line) == (code, line), error
    assert says in error.message + error.remedy


def test_what_the_live_tables_say_of_an_overlay(folder: Folder) -> None:
    """A filter of the overlay over an unknown column; a column of the map that is not there."""
    made = folder.laid('master: commerce\ndataverse:\n  filter: "cuont gt 1"\n')
    columns = {name: one for name, one in COMMERCE.items() if name != "Name"}
    found = findings(made, columns, DATAVERSE, lookup_columns)
    places = {p.message.split("`")[1]: (p.subject.file, p.subject.line) for p in found}
    assert places["cuont"] == (str(folder.overlays / "thing.yaml"), 3)
    assert places["Name"][0] == str(folder.path / "thing.yaml")


def test_an_overlay_of_no_map(folder: Folder) -> None:
    (folder.overlays / "thign.yaml").write_text("master: dataverse\n")
    with pytest.raises(MapError) as caught:
        read_maps(folder.path, "test")
    assert caught.value.code == "overlay-map-unknown"
    assert "thing.yaml" in caught.value.remedy


@pytest.mark.parametrize(("environment", "says"), [("tset", "`test`"), ("production", "test")])
def test_an_environment_without_overlays(folder: Folder, environment: str, says: str) -> None:
    with pytest.raises(MapError) as caught:
        read_maps(folder.path, environment)
    assert caught.value.code == "overlay-environment-unknown"
    assert says in caught.value.remedy
