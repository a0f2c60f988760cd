"""Which reader a file is for, and files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import MapError
from connector.mapping.moving import files
from connector.mapping.moving.build import Wishes, build
from connector.mapping.moving.files import read_file
from connector.mapping.moving.json_file import read_json
from connector.mapping.moving.markdown_file import read_markdown
from tests.unit.mapping.moving import samples
from tests.unit.mapping.moving.test_solution_file import CUSTOMIZATIONS, archive

JSON = json.dumps(samples.map_json("loyalty-card"))
PAGE = samples.newer_page("loyalty-card", "loyalty-reward-points")


@pytest.mark.parametrize(
    ("content", "maps"),
    [
        (JSON.encode(), 1),
        (b"\xef\xbb\xbf" + JSON.encode(), 1),
        (JSON.encode("utf-16"), 1),
        (f"[{JSON}, {JSON}]".encode(), 2),
        (PAGE.encode(), 2),
        (CUSTOMIZATIONS.encode(), 1),
        (archive(**{"customizations.xml": CUSTOMIZATIONS}), 1),
    ],
)
def test_a_file_is_read_by_what_is_in_it(tmp_path: Path, content: bytes, maps: int) -> None:
    file = tmp_path / "any.name"
    file.write_bytes(content)
    assert len(read_file(file)) == maps


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "import-not-a-map"),
        (b"hello", "import-not-a-map"),
        (b"| a | b |\n|---|---|\n| 1 | 2 |", "import-not-a-map"),
        (b"{}", "import-not-a-map"),
        (b'{"value": []}', "import-not-a-map"),
        (b"{", "import-broken"),
        (b'{"legs": [], "legs": [1]}', "import-broken"),
        (b'{"legs": NaN}', "import-broken"),
        (b'{"value": ' + b"9" * 5000 + b"}", "import-broken"),
        (b"[" * 100_000, "import-broken"),
        (b"[" * 50 + b"]" * 50, "import-broken"),
        (b'{"legs": [], "x-dualwrite": ' + b'{"map":' * 500 + b"1" + b"}" * 501, "import-broken"),
        (b'[{"msdyn_mapping": "{"}]', "import-broken"),
        (b'{"legs": [{"sourceSchema": "\\ud800"}]}', "import-broken"),
        (b'{"\\udc00": 1}', "import-broken"),
        (b"\xff\xfe\x00", "import-unreadable"),
        (b"caf\xe9", "import-unreadable"),
        (b"\x00\x01\x02", "import-unreadable"),
        (b"PK\x03\x04", "import-broken"),
        (b"<?xml version='1.0'?><a>", "import-broken"),
        (b"<?xml version='1.0'?><a/>", "import-not-a-map"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "map.json"
    file.write_bytes(content)
    with pytest.raises(MapError) as caught:
        read_file(file)
    assert caught.value.code == code
    assert caught.value.remedy


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(MapError) as caught:
            read_file(path)
        assert caught.value.code == "import-unreadable"


def test_no_more_of_a_file_than_the_bound_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    file = tmp_path / "large.json"
    file.write_bytes(b" " * 1001)
    with pytest.raises(MapError) as caught:
        read_file(file)
    assert caught.value.code == "import-too-large"


def test_more_maps_or_rows_than_any_file_has_are_refused(tmp_path: Path) -> None:
    leg = {"sourceSchema": "A", "destinationSchema": "b", "fieldMappings": []}
    mapping = {"sourceField": "A", "destinationField": "b", "syncDirection": 3}
    file = tmp_path / "many.json"
    for data in (
        [{"legs": [leg]}] * (files.MOST_MAPS + 1),
        {"legs": [{**leg, "fieldMappings": [mapping]}] * (files.MOST_ROWS + 1)},
    ):
        file.write_text(json.dumps(data), "utf-8")
        with pytest.raises(MapError) as caught:
            read_file(file)
        assert caught.value.code == "import-too-large"


# ---------------------------------------------------------------------------- any text

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "legs",
                    "fieldMappings",
                    "sourceField",
                    "destinationField",
                    "syncDirection",
                    "valueTransforms",
                    "transformType",
                    "valueMap",
                    "defaultValue",
                    "msdyn_mapping",
                    "msdyn_properties",
                    "value",
                    "sourceSchema",
                    "destinationSchema",
                    "sourceFilter",
                    "EntityMapVersion",
                    "x-dualwrite",
                ]
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=30,
)


@given(json_values)
@settings(max_examples=150, deadline=None)
def test_any_json_is_read_or_refused(value: object) -> None:
    try:
        templates = read_json(json.dumps(value), "any.json")
    except MapError as error:
        assert error.code == "import-broken"  # noqa: PT017
        return
    for template in templates:
        imported = build(template)
        assert imported.document is not None or imported.problems


changes = st.dictionaries(
    st.sampled_from(["map", "title", "commerce", "dataverse", "sync", "key", "values", "x"]),
    st.tuples(
        st.sampled_from([None, "=", "CARDNUMBER", "loyalty-card", {"entity": "Loyalty card"}]),
        json_values,
    ),
    max_size=4,
)


@given(
    st.fixed_dictionaries(
        {
            "format": st.just(1),
            "map": changes,
            "rows": st.lists(
                st.fixed_dictionaries(
                    {"row": st.just(["CARDNUMBER", "msdyn_cardnumber"]), "set": changes}
                ),
                max_size=2,
            ),
            "only": st.lists(
                st.fixed_dictionaries(
                    {
                        "at": st.integers(0, 9),
                        "row": st.dictionaries(
                            st.sampled_from(["commerce", "sync", "dataverse", "key", "values"]),
                            json_values,
                        ),
                    }
                ),
                max_size=2,
            ),
        }
    ),
    st.sampled_from([(), ("CardNumber",)]),
)
@settings(max_examples=150, deadline=None)
def test_any_extension_is_taken_or_told_of(
    extension: dict[str, object], keys: tuple[str, ...]
) -> None:
    data = samples.map_json("loyalty-card")
    data["x-dualwrite"] = extension
    try:
        (template,) = read_json(json.dumps(data), "any.json")
    except MapError as error:
        assert error.code == "import-broken"  # noqa: PT017
        return
    imported = build(template, Wishes(commerce_entity="Cards", keys=keys))
    assert imported.document is not None or imported.problems


page_lines = st.lists(
    st.one_of(
        st.text("|`=<>\\ abrn_:-#.&;", max_size=30),
        st.sampled_from(
            [
                "A | = | b |",
                "# Things (things)",
                "---|---|---",
                "none | >> | c | 1",
                "A | ><<br>`x`",
            ]
        ),
    ),
    max_size=12,
)


@given(page_lines)
@settings(max_examples=150, deadline=None)
def test_any_page_is_read(lines: list[str]) -> None:
    for template in read_markdown("\n".join(lines), "page.md"):
        imported = build(template)
        assert imported.document is not None or imported.problems
