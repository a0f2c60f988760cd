"""The two shipped maps, row by row against the dual-write mapping reference, and its traps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connector.endpoints.base import Row
from connector.engine.news.observe import observe
from connector.engine.news.witness import Witness
from connector.engine.plan import Action, Kind, Write, plan
from connector.mapping.compiling.compiled import CompiledMap, Field
from connector.mapping.compiling.compiler import findings
from connector.mapping.document import (
    DeletePolicy,
    FieldRow,
    Policy,
    read_document,
    read_documents,
)
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side, Value, ValueType
from connector.store.record import Presence, Record
from tests.unit.mapping import live
from tests.unit.mapping.test_ready_maps import READY

# Sections 2 and 3 of the mapping reference: F&O field, map type, Dataverse column, value map.
# Its value maps write symbols with a small first letter, OData with a capital one.
CARD_ROWS: list[tuple[str, str, str, dict[str, Value] | None]] = [
    ("CARDNUMBER", "=", "msdyn_cardnumber", None),
    (
        "CARDTENDERTYPE",
        "><",
        "msdyn_cardtendertype",
        {
            "asCardTender": 806380000,
            "asContactTender": 806380001,
            "noTender": 806380002,
            "blocked": 806380003,
        },
    ),
    ("PARTYNUMBER", "=", "msdyn_partynumber", None),
    ("REPLACEMENTCARDNUMBER", ">", "msdyn_replacementcardnumber", None),
    ("OMOPERATINGUNITNUMBER", "=", "msdyn_operatingunitnumber", None),
    ("LOYALTYENROLLMENTDATE", "=", "msdyn_enrollmentdate", None),
    ("LOYALTYENROLLMENTDATELOCAL", "=", "msdyn_effectivedate", None),
]
KINDS: dict[str, Value] = {"quantity": 192350000, "amount": 192350001}
TIME_UNITS: dict[str, Value] = {"day": 806380000, "month": 806380001, "year": 806380002}
POINT_ROWS: list[tuple[str, str, str, dict[str, Value] | None]] = [
    ("EXPIRATIONTIMEUNIT", "><", "msdyn_expirationtimeunit", TIME_UNITS),
    ("EXPIRATIONTIMEVALUE", "=", "msdyn_expirationtimevalue", None),
    ("REDEEMABLE", "><", "msdyn_redeemable", {"yes": True, "no": False}),
    ("REDEEMRANKING", "=", "msdyn_redeemranking", None),
    ("REWARDPOINTCURRENCY", "=", "msdyn_rewardpointcurrency.isocurrencycode", None),
    ("REWARDPOINTID", "=", "msdyn_rewardpointid", None),
    ("REWARDPOINTTYPE", "><", "msdyn_rewardpointtype", KINDS),
    ("MAXIMUMLOYALTYREWARDPOINTS", "=", "msdyn_maximumloyaltyrewardpoints", None),
    ("VESTINGTIMEUNIT", "><", "msdyn_vestingtimeunit", TIME_UNITS),
    ("VESTINGTIMEVALUE", "=", "msdyn_vestingtimevalue", None),
]
FILES = {"loyalty-card.yaml": CARD_ROWS, "loyalty-reward-points.yaml": POINT_ROWS}


def as_row(row: FieldRow) -> tuple[str, str, str, dict[str, Value] | None]:
    """A row of a map as the reference writes it."""
    assert row.commerce is not None
    assert row.dataverse is not None
    values: dict[str, Value] | None = None
    if row.values is not None:
        values = {}
        for symbol, value in row.values.items():
            assert isinstance(value, (bool, int))
            values[symbol[0].lower() + symbol[1:]] = value
    return row.commerce.upper(), row.sync, row.dataverse, values


@pytest.mark.parametrize("file", FILES)
def test_every_row_is_the_reference_row(file: str) -> None:
    document = read_document(live.MAPPINGS / file)
    assert [as_row(row) for row in document.fields] == FILES[file]


@pytest.mark.parametrize("file", FILES)
def test_booleans_of_a_value_map_are_booleans(file: str) -> None:
    document = read_document(live.MAPPINGS / file)
    kinds = {
        row.commerce: {type(value) for value in row.values.values()}
        for row in document.fields
        if row.values
    }
    assert kinds.pop("Redeemable", {bool}) == {bool}
    assert all(kind == {int} for kind in kinds.values())


@pytest.mark.parametrize(
    ("file", "key", "groups"),
    [
        (
            "loyalty-card.yaml",
            "CardNumber",
            {"enrolment": {"LoyaltyEnrollmentDate", "LoyaltyEnrollmentDateLocal"}},
        ),
        (
            "loyalty-reward-points.yaml",
            "RewardPointId",
            {
                "expiry": {"ExpirationTimeUnit", "ExpirationTimeValue"},
                "vesting": {"VestingTimeUnit", "VestingTimeValue"},
                "kind": {"RewardPointType", "RewardPointCurrency"},
            },
        ),
    ],
)
def test_keys_groups_and_policies(file: str, key: str, groups: dict[str, set[str]]) -> None:
    document = read_document(live.MAPPINGS / file)
    assert [row.commerce for row in document.fields if row.key] == [key]
    together: dict[str, set[str]] = {}
    for row in document.fields:
        if row.together is not None:
            together.setdefault(row.together, set()).add(row.commerce or "")
    assert together == groups
    assert (document.master, document.conflict) == (Side.COMMERCE, Policy.MANUAL)
    assert document.deletes.commerce is DeletePolicy.PROPAGATE
    assert document.deletes.dataverse is DeletePolicy.RESTORE


@pytest.mark.parametrize("dates", [ValueType.INSTANT, ValueType.DATE])
def test_the_card_map_compiles_against_both_shapes_of_date(dates: ValueType) -> None:
    document = read_document(live.MAPPINGS / "loyalty-card.yaml")
    for other in (ValueType.INSTANT, ValueType.DATE):
        commerce, dataverse = live.commerce_cards(dates), live.dataverse_cards(other)
        assert not findings(document, commerce, dataverse, live.lookup_columns)


def test_the_points_map_compiles() -> None:
    map = live.shipped_points()
    assert [(lookup.entity, lookup.column) for lookup in map.lookups] == [
        ("transactioncurrencies", "isocurrencycode")
    ]


def test_only_the_shipped_maps_are_shipped_and_only_these_two_are_on() -> None:
    on = {Path(d.file.path or "").name: d.enabled for d in read_documents(Path(live.MAPPINGS))}
    assert on == {**dict.fromkeys(FILES, True), **{f"{name}.yaml": False for name in READY}}
    assert sorted(on) == sorted(path.name for path in Path(live.MAPPINGS).glob("*.y*ml"))


# ------------------------------------------------------------------ the traps of section 10

CARD: dict[str, Value] = {
    "CardNumber": "55103",
    "CardTenderType": "AsCardTender",
    "PartyNumber": "000123",
    "ReplacementCardNumber": None,
    "OmOperatingUnitNumber": "052",
    "LoyaltyEnrollmentDate": datetime(2024, 3, 1, 12, tzinfo=UTC),
    "LoyaltyEnrollmentDateLocal": datetime(2024, 2, 29, 12, tzinfo=UTC),
}


def field(map: CompiledMap, name: str) -> Field:
    return next(field for field in map.fields if field.name == name)


def mirrored(map: CompiledMap, commerce: Image) -> Image:
    """The Dataverse row that agrees with a commerce row."""
    return tuple(
        field.forward(commerce[field.commerce_index])
        for field in sorted(map.fields, key=lambda field: field.dataverse_index)
    )


def agreed_card(map: CompiledMap) -> Record:
    """A card both sides agree on."""
    record = Record(1, map.name, "55103", due=0.0)
    commerce = tuple(CARD[name] for name in map.column_names(Side.COMMERCE))
    images = {Side.COMMERCE: commerce, Side.DATAVERSE: mirrored(map, commerce)}
    for side, image in images.items():
        state = record.side(side)
        state.presence, state.id, state.version = Presence.PRESENT, f"{side}-1", "1"
        state.image = state.agreed = image
    return record


def edited(map: CompiledMap, side: Side, **values: Value) -> Action:
    """The plan after an edit of the agreed card on one side."""
    record = agreed_card(map)
    state = record.side(side)
    assert state.image is not None
    by_name = dict(zip(map.column_names(side), state.image, strict=True)) | values
    state.image = tuple(by_name.values())
    return plan(record, map)


def only_write(action: Action) -> Write:
    (write,) = action.writes
    assert write.kind is Kind.UPDATE
    return write


def test_trap_1_a_replacement_number_edited_in_dataverse_is_drift_and_never_travels() -> None:
    map = live.shipped_cards()
    action = edited(map, Side.DATAVERSE, msdyn_replacementcardnumber="55104")
    assert [group.name for group in action.drift] == ["ReplacementCardNumber"]
    assert not action.writes
    assert not action.conflicts
    back = only_write(edited(map, Side.COMMERCE, ReplacementCardNumber="55104"))
    assert (back.side, dict(back.values)) == (
        Side.DATAVERSE,
        {"msdyn_replacementcardnumber": "55104"},
    )


def test_trap_2_the_two_option_set_prefixes() -> None:
    map = live.shipped_points()
    assert field(map, "RewardPointType").forward("Quantity") == 192350000
    assert field(map, "RewardPointType").forward("Amount") == 192350001
    for unit in ("ExpirationTimeUnit", "VestingTimeUnit"):
        assert field(map, unit).forward("Day") == 806380000
    with pytest.raises(Untranslatable):
        field(map, "RewardPointType").backward(806380000)


def test_trap_3_an_empty_date_is_null_and_null_equals_null_only() -> None:
    # That 1900-01-01 is F&O's empty date is the endpoint's matter.
    enrolled = field(live.shipped_cards(), "LoyaltyEnrollmentDate")
    assert enrolled.same(None, None)
    assert not enrolled.same(None, date(1900, 1, 1))
    assert enrolled.forward(None) is None


@pytest.mark.parametrize("dataverse", [ValueType.DATE, ValueType.INSTANT])
@pytest.mark.parametrize("commerce", [ValueType.DATE, ValueType.INSTANT])
def test_trap_4_both_enrolment_dates_compare_by_date_only(
    commerce: ValueType, dataverse: ValueType
) -> None:
    map = live.shipped_cards(commerce, dataverse)

    def moment(type_: ValueType, day: int, hour: int) -> Value:
        if type_ is ValueType.DATE:
            return date(2024, 3, day)
        return datetime(2024, 3, day, hour, tzinfo=UTC)

    for name in ("LoyaltyEnrollmentDate", "LoyaltyEnrollmentDateLocal"):
        same = field(map, name).same
        assert same(moment(commerce, 1, 12), moment(dataverse, 1, 0))
        assert same(moment(commerce, 1, 23), moment(dataverse, 1, 7))
        assert not same(moment(commerce, 1, 12), moment(dataverse, 2, 12))


def test_trap_4_a_time_that_moves_within_the_day_causes_no_write() -> None:
    action = edited(
        live.shipped_cards(),
        Side.COMMERCE,
        LoyaltyEnrollmentDate=datetime(2024, 3, 1, 18, tzinfo=UTC),
    )
    assert not action.writes
    assert [group.name for group in action.agree] == ["enrolment"]


def test_trap_5_effectivedate_is_the_local_enrolment_date() -> None:
    map = live.shipped_cards()
    assert field(map, "LoyaltyEnrollmentDateLocal").dataverse == "msdyn_effectivedate"
    write = only_write(
        edited(
            map,
            Side.COMMERCE,
            LoyaltyEnrollmentDateLocal=datetime(2024, 3, 5, 12, tzinfo=UTC),
        )
    )
    assert dict(write.values) == {"msdyn_effectivedate": date(2024, 3, 5)}


def test_trap_6_a_renamed_card_is_another_identity() -> None:
    map = live.shipped_cards()
    record = agreed_card(map)
    state = record.commerce
    assert state.image is not None
    renamed = Row(state.id or "", "2", ("55199", *state.image[1:]))
    observe(record, renamed, Witness(map, Side.COMMERCE, 5, 50.0, 1, lambda a, b: int(a) > int(b)))
    assert record.problem is not None
    assert record.problem.code == "key-changed"
    action = plan(record, map)
    assert not action.writes
    assert action.problem == record.problem


@pytest.mark.parametrize("name", ["PartyNumber", "ReplacementCardNumber", "OmOperatingUnitNumber"])
def test_trap_7_no_value_is_null_on_both_sides(name: str) -> None:
    # Endpoints read F&O's empty string as null; to the map only null is empty.
    made = field(live.shipped_cards(), name)
    assert made.same(None, None)
    assert not made.same("", None)
    assert made.forward(None) is None


def test_trap_7_an_empty_currency_needs_no_lookup() -> None:
    currency = field(live.shipped_points(), "RewardPointCurrency")
    assert currency.same(None, None)
    assert currency.forward(None) is None


@pytest.mark.parametrize(
    ("side", "values", "named"),
    [
        (Side.COMMERCE, {"CardTenderType": "Gold"}, "'Gold'"),
        (Side.DATAVERSE, {"msdyn_cardtendertype": 806380004}, "806380004"),
    ],
)
def test_trap_8_an_unknown_choice_parks_the_record_naming_the_value(
    side: Side, values: dict[str, Value], named: str
) -> None:
    action = edited(live.shipped_cards(), side, **values)
    assert not action.writes
    assert action.problem is not None
    assert action.problem.code == "choice-unknown"
    assert named in action.problem.message
    assert action.problem.subject.field == "CardTenderType"


@pytest.mark.parametrize("symbol", ["asCardTender", "ASCARDTENDER", "AsCardTender"])
def test_symbols_are_the_same_in_any_case(symbol: str) -> None:
    tender = field(live.shipped_cards(), "CardTenderType")
    assert tender.forward(symbol) == 806380000
    assert tender.same(symbol, 806380000)
    assert tender.backward(806380000) == "AsCardTender"


def test_the_cap_of_a_64_bit_side_that_does_not_fit_32_bits_is_refused() -> None:
    cap = field(live.shipped_points(), "MaximumLoyaltyRewardPoints")
    assert cap.forward(2**31 - 1) == 2**31 - 1
    with pytest.raises(Untranslatable) as caught:
        cap.forward(2**31)
    assert caught.value.code == "number-out-of-range"


def test_type_and_currency_wait_and_travel_as_one() -> None:
    map = live.shipped_points()
    kind = next(group for group in map.groups if group.name == "kind")
    assert {field.name for field in kind.fields} == {"RewardPointCurrency", "RewardPointType"}
