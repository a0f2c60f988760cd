"""Every step of `transform`: what it makes of a value, in a compiled row."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.mapping.document import parse_document
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Side, Value
from tests.unit.mapping.things import compiled, field, yaml


def text(steps: str, symbol: str = ">>") -> str:
    return f"commerce: Name, sync: '{symbol}', dataverse: once, transform: [{steps}]"


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


SMILE = "\U0001f600"


@pytest.mark.parametrize(
    ("steps", "value", "made"),
    [
        ("trim", "  a b \t", "a b"),
        ("trim", "   ", None),
        ("{case: upper}", "straße", "STRASSE"),
        ("{case: lower}", "ÄB", "äb"),
        ("{truncate: 3}", "abcd", "abc"),
        ("{truncate: 3}", "abc", "abc"),
        ("{truncate: 3}", f"a{SMILE}{SMILE}", f"a{SMILE}"),
        ("{truncate: 2}", f"a{SMILE}", "a"),
        ("{truncate: 1}", SMILE, None),
        ("{split: {by: ' ', part: 1}}", "a b c", "a"),
        ("{split: {by: ' ', part: -1}}", "a b c", "c"),
        ("{split: {by: ' ', part: 4}}", "a b c", None),
        ("{split: {by: ' ', part: -4}}", "a b c", None),
        ("{split: {by: ', ', part: 2}}", "a, b", "b"),
        ("{regex: {match: '^0+', replace: ''}}", "0070", "70"),
        ("{regex: {match: '^0+', replace: ''}}", "000", None),
        (r"{regex: {match: '(\d+)-(\d+)', replace: '\2/\1'}}", "12-34 5-6", "34/12 6/5"),
        (r"{regex: {match: '(a)|b', replace: '[\1]'}}", "ab", "[a][]"),
        (r"{regex: {match: 'a', replace: '\\'}}", "ba", "b\\"),
        ("{regex: {match: 'x', replace: 'y'}}", "äö", "äö"),
        ("{default: {dataverse: none}}", None, "none"),
        ("{default: {dataverse: none}}, {case: upper}", None, "NONE"),
        ("trim, {case: upper}, {truncate: 2}", " abc ", "AB"),
        ("{values: {a: b, c: d}}, {case: upper}", "A", "B"),
        ("{case: lower}, {values: {gold: x}}", "GOLD", "x"),
        ("{values: {a: b}, unmatched: {dataverse: keep}}", "z", "z"),
        ("{values: {a: b}, unmatched: {dataverse: other}}", "z", "other"),
        ("{values: {a: b}, unmatched: {dataverse: other}}", None, None),
    ],
)
def test_texts(steps: str, value: Value, made: Value) -> None:
    assert field(text(steps)).forward(value) == made


@pytest.mark.parametrize("steps", ["trim", "{case: upper}", "{truncate: 2}"])
def test_cleaning_leaves_alone_what_comes_back(steps: str) -> None:
    made = field(text(steps, "><"))
    assert made.backward(" a b c ") == " a b c "
    assert made.same(made.backward(" a b c "), " a b c ")


def test_a_way_back_of_its_own() -> None:
    made = field(text("{split: {by: ' ', part: 1}}", "><") + ", back: [trim, {case: lower}]")
    assert made.forward("Ada Lovelace") == "Ada"
    assert made.backward(" ADA ") == "ada"


def test_only_the_way_back() -> None:
    made = field("commerce: Name, sync: '<<', dataverse: once, back: [{split: {by: ' ', part: 2}}]")
    assert made.backward("Ada Lovelace") == "Lovelace"
    assert made.same("Lovelace", "Ada Lovelace")
    assert not made.same("Ada", "Ada Lovelace")


def test_a_pattern_that_undoes_another() -> None:
    back = "back: {match: '^\\+49', replace: '0'}"
    made = field(text(f"{{regex: {{match: '^0', replace: '+49', {back}}}}}", "><"))
    assert made.forward("0301") == "+49301"
    assert made.backward("+49301") == "0301"


def test_a_pattern_that_would_explode_elsewhere_takes_no_time() -> None:
    made = field(text("{regex: {match: '^(a+)+$', replace: ''}}"))
    begun = time.process_time()
    assert made.forward("a" * 5000 + "!") == "a" * 5000 + "!"
    assert time.process_time() - begun < 5


def test_half_a_character_is_no_text_for_a_pattern() -> None:
    with pytest.raises(Untranslatable) as caught:
        field(text("{regex: {match: 'a', replace: ''}}")).forward("a\ud83d")
    assert caught.value.code == "text-malformed"


def test_numbers() -> None:
    made = field("commerce: Amount, sync: '><', dataverse: amount, transform: [{scale: 0.1}]")
    assert made.forward(Decimal("12.34")) == Decimal("1.23")
    assert made.backward(Decimal("1.23")) == Decimal("12.300")
    assert made.same(Decimal("12.34"), Decimal("1.23"))
    assert not made.same(Decimal("12.34"), Decimal("1.24"))
    assert made.forward(None) is None


def test_a_third_is_rounded_to_the_column_it_comes_to() -> None:
    made = field("commerce: Amount, sync: '><', dataverse: amount, transform: [{scale: 3}]")
    assert made.backward(Decimal("10")) == Decimal("3.333")
    assert made.same(Decimal("3.333"), Decimal("10"))


def test_a_number_that_grows_beyond_all_columns() -> None:
    made = field("commerce: Name, sync: '>>', dataverse: once, transform: [{scale: 2}]")
    with pytest.raises(Untranslatable) as caught:
        made.forward("9e999999")
    assert caught.value.code in {"number-malformed", "number-out-of-range"}


BERLIN = "{zone: Europe/Berlin}"
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2026-01-31 08:00", "2026-01-31 07:00"),
        ("2026-07-31 00:30", "2026-07-30 22:30"),
        ("2026-10-25 02:30", "2026-10-25 00:30"),  # the first of two
        ("2026-03-29 02:30", "2026-03-29 01:30"),  # there is no such time
    ],
)
def test_local_times(wall: str, instant: str) -> None:
    row = f"commerce: Moment, sync: '><', dataverse: moment, transform: [{{instant: {BERLIN}}}]"
    made = field(row)
    assert made.forward(at(wall)) == at(instant)
    back = made.backward(at(instant))
    assert back == at(wall) or wall == "2026-03-29 02:30"
    assert made.same(at(wall), at(instant))
    named = field(
        f"commerce: Name, sync: '><', dataverse: moment, transform: [{{instant: {BERLIN}}}]"
    )
    assert named.forward(wall) == at(instant)


def test_local_times_as_texts() -> None:
    row = f"commerce: Name, sync: '><', dataverse: moment, transform: [{{instant: {BERLIN}}}]"
    made = field(row)
    assert made.forward("2026-01-31") == at("2026-01-30 23:00")
    for wrong in ("31.01.2026", "2026-02-30", "2026-01-31T08:00:00+02:00", "soon"):
        with pytest.raises(Untranslatable) as caught:
            made.forward(wrong)
        assert caught.value.code == "time-malformed"


def test_days_of_a_zone() -> None:
    to_day = field(f"commerce: Moment, sync: '><', dataverse: day, transform: [{{date: {BERLIN}}}]")
    assert to_day.forward(at("2026-01-31 23:30")) == date(2026, 2, 1)
    assert to_day.backward(date(2026, 2, 1)) == at("2026-01-31 23:00")
    assert to_day.same(at("2026-01-31 23:30"), date(2026, 2, 1))
    assert not to_day.same(at("2026-01-31 23:30"), date(2026, 1, 31))
    from_day = field(
        f"commerce: Day, sync: '><', dataverse: moment, transform: [{{instant: {BERLIN}}}]"
    )
    assert from_day.forward(date(2026, 2, 1)) == at("2026-01-31 23:00")
    assert from_day.backward(at("2026-02-01 12:00")) == date(2026, 2, 1)
    assert not from_day.same(date(2026, 1, 31), at("2026-01-31 23:00"))


@pytest.mark.parametrize(
    ("columns", "zone", "side", "value"),
    [
        ("commerce: Day, dataverse: moment", "Europe/Berlin", Side.DATAVERSE, date.min),
        ("commerce: Moment, dataverse: moment", "Asia/Tokyo", Side.DATAVERSE, FIRST),
        ("commerce: Moment, dataverse: moment", "Asia/Tokyo", Side.COMMERCE, LAST),
    ],
)
def test_times_that_leave_the_calendar(columns: str, zone: str, side: Side, value: Value) -> None:
    row = f"{columns}, sync: '><', transform: [{{instant: {{zone: {zone}}}}}]"
    with pytest.raises(Untranslatable) as caught:
        field(row).translation_to(side)(value)
    assert caught.value.code == "time-out-of-range"


@pytest.mark.parametrize(
    ("unmatched", "side", "value", "made"),
    [
        ("{dataverse: 20}", Side.DATAVERSE, "Broken", 20),
        ("{commerce: Closed}", Side.COMMERCE, 30, "Closed"),
        ("{commerce: fail}", Side.COMMERCE, 30, "choice-unknown"),
        ("{dataverse: 20}", Side.COMMERCE, 30, "choice-unknown"),
        ("{}", Side.DATAVERSE, "Broken", "choice-unknown"),
    ],
)
def test_values_that_are_not_in_the_map(
    unmatched: str, side: Side, value: Value, made: Value
) -> None:
    row = "commerce: Status, sync: '><', dataverse: status, values: {Open: 10, Closed: 20}"
    translate = field(f"{row}, unmatched: {unmatched}").translation_to(side)
    if made != "choice-unknown":
        assert translate(value) == made
        return
    with pytest.raises(Untranslatable) as caught:
        translate(value)
    assert caught.value.code == made


def test_a_lookup_behind_a_transform() -> None:
    made = field(
        "commerce: Currency, sync: '><', dataverse: currencyid.isocurrencycode, "
        "transform: [trim, {case: upper}]"
    )
    assert made.lookup is not None
    made.lookup.add("guid-eur", "EUR")
    assert made.named(" eur ") == "EUR"
    assert made.forward(" eur ") == "guid-eur"
    assert made.backward("guid-eur") == "EUR"


def test_the_way_of_a_value_piece_by_piece() -> None:
    made = field("commerce: Count, sync: '><', dataverse: once, transform: [{truncate: 2}]")
    assert [leg.name for leg in made.ways[Side.DATAVERSE]] == ["to text", "truncate"]
    assert [leg.name for leg in made.ways[Side.COMMERCE]] == ["to integer"]


def test_a_row_keeps_what_was_written() -> None:
    made = parse_document(yaml(text("trim, {case: upper}, {scale: 2}, {date: {zone: UTC}}")))
    again = type(made).model_validate(made.model_dump(mode="json", exclude_none=True))
    assert again.fields == made.fields
    assert again.fingerprint() == made.fingerprint()


def test_the_fingerprint_knows_the_steps() -> None:
    one, other = (parse_document(yaml(text(f"{{truncate: {n}}}"))) for n in (3, 4))
    assert one.fingerprint() != other.fingerprint()


def test_the_value_map_of_a_row_is_found_wherever_it_stands() -> None:
    row = "commerce: Status, sync: '><', dataverse: status, transform: [{values: {Open: 10}}]"
    made = parse_document(yaml(row))
    assert made.fields[1].value_map == {"Open": 10}
    assert made.spoken("status", 10) == "Open (10)"


JOINED = "join: {{columns: [Name, Amount, Currency], by: '{}'}}, sync: '>>', dataverse: once"


def test_several_columns_become_one_text() -> None:
    made = compiled(JOINED.format(" / "))
    whole, *parts = made.fields[1:]
    assert [part.commerce for part in parts] == ["Name", "Amount", "Currency"]
    assert {part.dataverse for part in parts} == {None}
    assert whole.column(Side.COMMERCE) is None
    image = ("k", "Ada", Decimal("1.50"), None)
    assert made.creations[Side.DATAVERSE].values(image) == {"id": "k", "once": "Ada / 1.50"}
    assert made.creations[Side.DATAVERSE].values(("k", None, None, None)) == {"id": "k"}
    assert len(made.groups) == 2
    assert made.groups[1].same(image, ("k", "Ada / 1.50"))
    assert not made.groups[1].same(image, ("k", "Ada"))
    assert made.groups[1].changed(Side.COMMERCE, image, ("k", "Ada", Decimal("1.50"), "EUR"))


def test_a_joined_text_goes_on_through_steps_and_has_to_fit() -> None:
    row = JOINED.replace("once", "name").format("")
    made = compiled(row + ", transform: [{case: upper}]")
    assert made.fields[1].forward("ab") == "AB"
    with pytest.raises(Untranslatable) as caught:
        made.creations[Side.DATAVERSE].values(("k", "Adaxx", Decimal(1), None))
    assert caught.value.code == "text-too-long"
