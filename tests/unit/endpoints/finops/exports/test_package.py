"""Packages: which file is ours, companies, and zips that are torn, huge or of something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connector.endpoints.finops.exports import package as module
from connector.endpoints.finops.exports.package import Wanted, keys_of
from connector.errors import DualWriteError, MapError, UnreachableError
from connector.mapping.columns import Column
from connector.mapping.values import ValueType
from tests.unit.endpoints.finops.packages import (
    WANTED,
    cards,
    csv_text,
    entity,
    manifest,
    package,
    zipped,
)

COMPANY = Column("dataAreaId", ValueType.TEXT)
LINE = Column("LineNumber", ValueType.INTEGER)


def keys(data: bytes, folder: Path, wanted: Wanted = WANTED) -> list[dict[str, object]]:
    path = folder / "package.zip"
    path.write_bytes(data)
    return [dict(one) for one in keys_of(path, wanted)]


def error_of(data: bytes, folder: Path, wanted: Wanted = WANTED) -> DualWriteError:
    with pytest.raises(DualWriteError) as caught:
        keys(data, folder, wanted)
    assert caught.value.remedy
    return caught.value


def test_keys_come_in_canonical_values(tmp_path: Path) -> None:
    assert keys(package(cards("1", "O'Neil/é")), tmp_path) == [
        {"CardNumber": "1"},
        {"CardNumber": "O'Neil/é"},
    ]
    assert keys(package([]), tmp_path) == []


def test_a_key_of_several_columns_with_a_company_and_numbers(tmp_path: Path) -> None:
    wanted = Wanted("Lines", "SchemeLines", "SchemeLine", (COMPANY, LINE), company="usrt")
    data = package([("12", "x")], ("LINENUMBER", "OTHER"), "Scheme lines")
    assert keys(data, tmp_path, wanted) == [{"dataAreaId": "usrt", "LineNumber": 12}]
    everywhere = error_of(data, tmp_path, replace(wanted, company=None))
    assert isinstance(everywhere, MapError)
    assert "set `company`" in everywhere.message
    wrong = package([("twelve", "x")], ("LINENUMBER", "OTHER"), "Scheme lines")
    assert isinstance(error_of(wrong, tmp_path, wanted), UnreachableError)


def test_a_column_is_found_under_the_name_the_manifest_gives_it(tmp_path: Path) -> None:
    data = zipped(
        {
            "manifest.xml": manifest(
                entity("Cards.csv", columns={"CARDNUMBER": "Number"}), encoding="utf-8"
            ),
            "Cards.csv": b"Number\r\n1\r\n",
        }
    )
    assert keys(data, tmp_path) == [{"CardNumber": "1"}]


def test_of_several_entities_ours_is_known_by_name(tmp_path: Path) -> None:
    files = {
        "A.csv": csv_text(cards("1")).encode(),
        "B.csv": csv_text(cards("2")).encode(),
    }
    other = entity("A.csv", "Customers V3", "CustCustomerV3Entity")
    ours = entity("B.csv", "Treuekarten")  # a label is in the language of a user
    data = zipped({"Manifest.xml": manifest(other, ours), **files})
    assert keys(data, tmp_path) == [{"CardNumber": "2"}]


def test_the_only_entity_needs_no_name_but_our_key(tmp_path: Path) -> None:
    data = package(cards("1"), label="Treuekarten", target=None)
    assert keys(data, tmp_path) == [{"CardNumber": "1"}]
    vendors = package([("v",)], ("VENDORACCOUNT",), "Vendors V2", "VendVendorV2Entity")
    error = error_of(vendors, tmp_path)
    assert error.code == "export-project-misfit"
    assert "Vendors V2 without CardNumber" in error.message


def test_an_entity_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    two = [entity("A.csv", "Vendors V2", None), entity("B.csv", "Customers V3", None)]
    error = error_of(zipped({"Manifest.xml": manifest(*two)}), tmp_path)
    assert error.code == "export-project-misfit"
    assert "Vendors V2, Customers V3" in error.message
    off = entity("A.csv", disable="true")
    assert "none" in error_of(zipped({"Manifest.xml": manifest(off)}), tmp_path).message


def test_every_cut_of_a_package_is_found_out(tmp_path: Path) -> None:
    data = package(cards(*(f"C{number}" for number in range(300))))
    for length in range(0, len(data), 7):
        assert error_of(data[:length], tmp_path).code == "package-broken", length


def test_a_changed_byte_within_is_found_out(tmp_path: Path) -> None:
    data = bytearray(package(cards(*(f"C{number}" for number in range(300)))))
    at = data.index(b"Loyalty card.csv") + 60
    data[at] ^= 0x55
    assert error_of(bytes(data), tmp_path).code == "package-broken"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"Other.txt": b""}, "lacks Manifest.xml"),
        ({"Manifest.xml": b"<html>"}, "not XML"),
        ({"Manifest.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}, "document type"),
        ({"Manifest.xml": manifest(entity("Gone.csv"))}, "lacks Gone.csv"),
        (
            {"Manifest.xml": manifest(entity("Card.xlsx")), "Card.xlsx": b"PK"},
            "of the kind .xlsx",
        ),
    ],
)
def test_a_package_that_is_not_as_described(
    files: dict[str, bytes], said: str, tmp_path: Path
) -> None:
    error = error_of(zipped(files), tmp_path)
    assert error.code == "package-broken"
    assert said in error.message


@pytest.mark.parametrize(
    ("bound", "value", "rows"),
    [
        ("UNPACKED", 10_000, [("c" * 50, "", "")] * 30_000),
        ("ROW", 1_000, [("c" * 3_000_000, "", "")]),
    ],
)
def test_what_unpacks_to_too_much_is_left(
    bound: str,
    value: int,
    rows: list[tuple[str, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, bound, value)
    error = error_of(package(rows), tmp_path)
    assert error.code == "package-broken"
    assert str(value) in error.message


def test_a_package_of_too_many_files_is_left(tmp_path: Path) -> None:
    files = {f"{number}.csv": b"" for number in range(module.MEMBERS + 1)}
    assert "files" in error_of(zipped(files), tmp_path).message
