"""From cells to values: columns, templates, constants, replacements, shorthands."""

from __future__ import annotations

from datetime import date

import pytest

from connector.errors import MapError, RecordError, UsageError
from connector.ledger.import_mapping import ImportMapping, RecordReader
from connector.ledger.schema import CARDS, REWARD_POINTS

MEMBERS = ["Member", "Year", "Month", "Cancelled"]


def read(mapping: ImportMapping, cells: list[str], header: list[str]) -> dict[str, object]:
    return dict(RecordReader(CARDS, header, mapping).read(cells))


def test_columns_named_like_fields_are_taken_in_any_case() -> None:
    header = ["CARDNUMBER", "Country", "cardTenderType", ""]
    assert read(ImportMapping(), ["1", "DK", "blocked", "x"], header) == {
        "CardNumber": "1",
        "CardTenderType": "Blocked",
    }


def test_a_member_file_is_mapped_by_column_and_template() -> None:
    mapping = ImportMapping(
        sources={"cardnumber": "member", "LoyaltyEnrollmentDate": "{Year}-{month}"}
    )
    assert read(mapping, [" 17 ", "2016", "2", "0"], MEMBERS) == {
        "CardNumber": "17",
        "LoyaltyEnrollmentDate": date(2016, 2, 1),
    }


def test_a_template_of_empty_cells_is_empty() -> None:
    mapping = ImportMapping(
        sources={"CardNumber": "Member", "LoyaltyEnrollmentDate": "{Year}-{Month}-01"}
    )
    assert read(mapping, ["17", " ", "", "0"], MEMBERS)["LoyaltyEnrollmentDate"] is None
    with pytest.raises(RecordError):
        read(mapping, ["17", "2016", "", "0"], MEMBERS)


def test_a_column_with_braces_in_its_name_is_no_template() -> None:
    mapping = ImportMapping(sources={"CardNumber": "{Card}"})
    assert read(mapping, ["1"], ["{Card}"]) == {"CardNumber": "1"}


@pytest.mark.parametrize(
    ("cell", "tender"),
    [
        ("", "AsCardTender"),
        ("0", "AsCardTender"),
        (" No ", "AsCardTender"),
        ("1900-01-01", "AsCardTender"),
        ("2018", "Blocked"),
        ("yes", "Blocked"),
    ],
)
def test_blocked_if_the_column_says_something(cell: str, tender: str) -> None:
    mapping = ImportMapping(sources={"CardNumber": "Member"}, blocked_if="cancelled")
    assert read(mapping, ["1", "", "", cell], MEMBERS)["CardTenderType"] == tender


def test_blocked_if_leaves_the_others_what_the_file_says() -> None:
    mapping = ImportMapping(blocked_if="Cancelled")
    header = ["CardNumber", "CardTenderType", "Cancelled"]
    assert read(mapping, ["1", "NoTender", "0"], header)["CardTenderType"] == "NoTender"


def test_constants_and_replacements() -> None:
    mapping = ImportMapping(
        constants={"OmOperatingUnitNumber": "S1"},
        replacements={"cardtendertype": {"Gold": "NoTender", "none": ""}},
    )
    header = ["CardNumber", "CardTenderType"]
    expected = {"CardNumber": "1", "OmOperatingUnitNumber": "S1"}
    assert read(mapping, ["1", " GOLD"], header) == {**expected, "CardTenderType": "NoTender"}
    assert read(mapping, ["1", "None"], header) == {**expected, "CardTenderType": None}
    assert read(mapping, ["1", "blocked"], header) == {**expected, "CardTenderType": "Blocked"}


def test_other_date_forms_are_named() -> None:
    mapping = ImportMapping(date_format="%d/%m/%Y")
    header = ["CardNumber", "LoyaltyEnrollmentDate"]
    read_date = read(mapping, ["1", "09/02/2016"], header)["LoyaltyEnrollmentDate"]
    assert read_date == date(2016, 2, 9)


def test_a_file_without_the_key_is_told_which_columns_it_has() -> None:
    with pytest.raises(UsageError) as caught:
        RecordReader(CARDS, MEMBERS, ImportMapping())
    assert caught.value.code == "key-unmapped"
    assert "Member, Year, Month, Cancelled" in caught.value.remedy


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        (ImportMapping(sources={"CardNumber": "Number"}), "column-missing"),
        (ImportMapping(sources={"CardNumber": "{Member}-{Number}"}), "column-missing"),
        (ImportMapping(sources={"CardNumber": "{Member}}"}), "template-invalid"),
        (ImportMapping(sources={"CardNumber": "Member", "cardnumber": "Year"}), "field-twice"),
        (
            ImportMapping(sources={"CardNumber": "Member"}, constants={"CARDNUMBER": "1"}),
            "field-twice",
        ),
        (
            ImportMapping(sources={"CardNumber": "Member"}, blocked_if="Left"),
            "column-missing",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(mapping: ImportMapping, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        RecordReader(CARDS, MEMBERS, mapping)
    assert caught.value.code == code


def test_a_field_the_entity_does_not_have_is_refused() -> None:
    for mapping in (
        ImportMapping(sources={"Balance": "Member"}),
        ImportMapping(replacements={"Balance": {"a": "b"}}),
    ):
        with pytest.raises(MapError) as caught:
            RecordReader(CARDS, MEMBERS, mapping)
        assert caught.value.code == "column-unknown"
    mapping = ImportMapping(blocked_if="Cancelled")
    with pytest.raises(MapError):
        RecordReader(REWARD_POINTS, ["RewardPointId", "Cancelled"], mapping)
