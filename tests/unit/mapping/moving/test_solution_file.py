"""Solutions: where the maps stand in them, and archives that mean harm."""

from __future__ import annotations

import io
import json
import zipfile
from xml.sax.saxutils import escape, quoteattr

import pytest

from connector.errors import MapError
from connector.mapping.moving import solution_file
from connector.mapping.moving.build import build
from connector.mapping.moving.solution_file import read_solution, read_xml
from tests.unit.mapping.moving import samples

CARDS = json.dumps(samples.map_json("loyalty-card"))


def archive(**entries: str | bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return target.getvalue()


CUSTOMIZATIONS = f"""<?xml version="1.0" encoding="utf-8"?>
<ImportExportXml><Entities/><msdyn_dualwriteentitymaps>
<msdyn_dualwriteentitymap msdyn_dualwriteentitymapid="1">
<msdyn_name>cards</msdyn_name><msdyn_version>2.0.0.1</msdyn_version>
<msdyn_mapping>{escape(CARDS)}</msdyn_mapping>
</msdyn_dualwriteentitymap></msdyn_dualwriteentitymaps></ImportExportXml>"""

DATA = f"""<entities><entity name="account"><records><record id="0">
<field name="msdyn_mapping" value="no"/></record></records></entity>
<entity name="msdyn_dualwriteentitymap"><records><record id="1">
<field name="msdyn_version" value="2.0.0.1"/>
<field name="msdyn_mapping" value={quoteattr(CARDS)}/></record></records></entity></entities>"""

NAMED = """<msdyn_dualwriteentitymap msdyn_version="2.0.0.1">
<msdyn_mapping>/maps/cards.json</msdyn_mapping></msdyn_dualwriteentitymap>"""


@pytest.mark.parametrize(
    "entries",
    [
        {"customizations.xml": CUSTOMIZATIONS, "solution.xml": "<a/>"},
        {"data.xml": DATA, "logo.png": b"\x89PNG"},
        {
            "msdyn_dualwriteentitymaps/1/msdyn_dualwriteentitymap.xml": NAMED,
            "maps/cards.json": "{}",
        },
        {"maps/cards.json": CARDS, "other.json": "not json"},
    ],
)
def test_the_maps_of_a_solution_are_found(entries: dict[str, str]) -> None:
    if "maps/cards.json" in entries and "customizations.xml" not in entries:
        entries = {**entries, "maps/cards.json": CARDS}
    templates = read_solution(archive(**entries), "s.zip")
    assert templates
    for template in templates:
        imported = build(template)
        assert imported.complete
        assert imported.name == "loyalty-card"
    assert any(t.version == "2.0.0.1" for t in templates) or "other.json" in entries
    assert str(templates[0].subject.file).startswith("s.zip!")


def test_a_file_of_xml_alone_is_read_too() -> None:
    (template,) = read_xml(CUSTOMIZATIONS.encode(), "customizations.xml")
    assert template.version == "2.0.0.1"


def refused(content: bytes) -> MapError:
    with pytest.raises(MapError) as caught:
        read_solution(content, "s.zip")
    return caught.value


def test_an_archive_that_is_cut_off_is_refused() -> None:
    whole = archive(**{"customizations.xml": CUSTOMIZATIONS})
    for end in (10, len(whole) // 2, len(whole) - 5):
        assert refused(whole[:end]).code == "import-broken"


def test_an_archive_with_a_flipped_bit_is_refused_or_read_as_it_was() -> None:
    whole = archive(**{"customizations.xml": CUSTOMIZATIONS})
    for place in range(30, len(whole), 37):
        broken = bytearray(whole)
        broken[place] ^= 0x10
        try:
            templates = read_solution(bytes(broken), "s.zip")
        except MapError as error:
            assert error.code == "import-broken"  # noqa: PT017
        else:
            assert all(build(template).complete for template in templates)


@pytest.mark.parametrize("name", ["../map.xml", "/etc/map.xml", "C:\\map.xml", "a/../../m.json"])
def test_an_entry_that_leaves_the_archive_is_refused(name: str) -> None:
    assert "leaves the archive" in str(refused(archive(**{name: "<a/>"})).cause)


def test_a_zip_bomb_is_unpacked_no_further_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solution_file, "MOST_BYTES_OF_ONE", 1_000_000)
    assert refused(archive(**{"a.xml": b" " * 50_000_000})).code == "import-too-large"
    monkeypatch.setattr(solution_file, "MOST_BYTES", 2_000_000)
    many = {f"{at}.xml": b" " * 900_000 for at in range(5)}
    assert refused(archive(**many)).code == "import-too-large"


def test_an_archive_of_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solution_file, "MOST_ENTRIES", 3)
    assert refused(archive(**{f"{at}.txt": "" for at in range(4)})).code == "import-too-large"


def test_an_encrypted_archive_is_refused() -> None:
    content = bytearray(archive(**{"customizations.xml": CUSTOMIZATIONS}))
    content[6] |= 1  # the flag in the local header
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    assert refused(bytes(content)).code == "import-broken"


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><msdyn_dualwriteentitymap>&b;</msdyn_dualwriteentitymap>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><msdyn_dualwriteentitymap/>',
        "<msdyn_dualwriteentitymap>",
        "<msdyn_dualwriteentitymap>\x01</msdyn_dualwriteentitymap>",
        '<?xml version="1.0" encoding="nonsense"?><msdyn_dualwriteentitymap/>',
        "<msdyn_dualwriteentitymap><msdyn_mapping>{</msdyn_mapping></msdyn_dualwriteentitymap>",
    ],
)
def test_xml_that_means_harm_or_is_broken_is_refused(text: str) -> None:
    assert refused(archive(**{"customizations.xml": text})).code == "import-broken"
