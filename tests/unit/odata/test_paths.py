"""Keys in URLs, against texts as real clients send them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.odata.literals import Guid, Scalar
from connector.odata.malformed import MalformedError
from connector.odata.paths import Segment, key_segment, parse_segment, split_path, unsafe_in_key

ID = "0c2f9b5e-0000-4000-8000-00000000abcd"


def test_a_guid_key_is_bare_and_lower_case() -> None:
    assert key_segment("msdyn_loyaltycards", ID.upper()) == f"msdyn_loyaltycards({ID})"
    assert parse_segment(f"msdyn_loyaltycards({ID})") == Segment(
        "msdyn_loyaltycards", guid=Guid(ID)
    )


def test_an_alternate_key_is_quoted_doubled_and_encoded() -> None:
    written = key_segment("msdyn_loyaltycards", {"msdyn_cardnumber": "A B/O'1"})
    assert written == "msdyn_loyaltycards(msdyn_cardnumber='A%20B%2FO''1')"


def test_several_key_parts_keep_their_types() -> None:
    written = key_segment("t", {"a": "ä", "b": 5, "c": date(2026, 1, 2), "d": Guid(ID)})
    assert written == f"t(a='%C3%A4',b=5,c=2026-01-02,d={ID})"
    keys: dict[str, Scalar] = {"a": "ä", "b": 5, "c": date(2026, 1, 2), "d": Guid(ID)}
    assert parse_segment(written) == Segment("t", keys=keys)


def test_the_official_client_sends_a_raw_slash_inside_quotes() -> None:
    path = "/api/data/v9.2/msdyn_loyaltycards(msdyn_cardnumber='A%20B/O''1')"
    assert split_path(path) == [
        "api",
        "data",
        "v9.2",
        "msdyn_loyaltycards(msdyn_cardnumber='A%20B/O''1')",
    ]
    assert parse_segment(split_path(path)[-1]).keys == {"msdyn_cardnumber": "A B/O'1"}


def test_quotes_may_be_percent_encoded_themselves() -> None:
    path = "cards(nr=%27A/B%27)/msdyn_Contact/$ref"
    assert split_path(path) == ["cards(nr=%27A/B%27)", "msdyn_Contact", "$ref"]
    assert parse_segment("cards(nr=%27O%27%27B%27)").keys == {"nr": "O'B"}


def test_decoding_comes_before_undoubling() -> None:
    assert parse_segment("t(a='%27%27')").keys == {"a": "'"}


def test_a_plus_in_a_path_is_a_plus() -> None:
    assert parse_segment("t(a='1+1')").keys == {"a": "1+1"}


def test_other_forms() -> None:
    assert parse_segment("WhoAmI") == Segment("WhoAmI")
    assert parse_segment("WhoAmI()") == Segment("WhoAmI", keys={})
    assert parse_segment("Microsoft.Dynamics.CRM.CreateMultiple").name.endswith("CreateMultiple")
    assert parse_segment("Customers('x')") == Segment("Customers", keys={"": "x"})
    assert parse_segment(f"t(tid={ID})").keys == {"tid": Guid(ID)}
    assert parse_segment("t(a='x=1,b=2)(')").keys == {"a": "x=1,b=2)("}


@pytest.mark.parametrize(
    "segment",
    [
        "",
        "t(",
        "t)",
        "t(a=)",
        "t(a='x)",
        "t(a='x',)",
        "t(a='x',a='y')",
        "t('x','y')",
        "t(a='x'b=1)",
    ],
)
def test_broken_segments_are_refused(segment: str) -> None:
    with pytest.raises(MalformedError):
        parse_segment(segment)


def test_an_open_quote_in_a_path_is_refused() -> None:
    with pytest.raises(MalformedError):
        split_path("/t(a='x/y)")


def test_a_text_that_is_no_guid_is_no_primary_key() -> None:
    with pytest.raises(MalformedError):
        key_segment("t", "C-1")


@pytest.mark.parametrize("character", list("/<>*%&:\\?+"))
def test_characters_the_service_cannot_take(character: str) -> None:
    assert unsafe_in_key(f"C{character}1")


@pytest.mark.parametrize("text", ["C-1", "O'Brian", "ä b", "a#b", "", "(x)", 'a"b', "日本"])
def test_characters_the_service_takes(text: str) -> None:
    assert not unsafe_in_key(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers())
def test_round_trip(text: str, number: int) -> None:
    written = key_segment("t", {"a": text, "b": number})
    assert written.isascii()
    assert split_path(f"/api/{written}/x") == ["api", written, "x"]
    assert parse_segment(written).keys == {"a": text, "b": number}
