"""Rows of data files: encodings, quotes, both forms of XML, and files that are none."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.finops.exports.datafile import ColumnsMissing, csv_rows, xml_rows
from connector.errors import UnreachableError
from tests.unit.endpoints.finops.packages import cards, csv_text

WANTED = ("CardNumber", "PartyNumber")


def rows_of_csv(text: str, encoding: str = "utf-8") -> list[tuple[str, ...]]:
    return list(csv_rows(io.BytesIO(text.encode(encoding)), WANTED))


def rows_of_xml(text: str) -> list[tuple[str, ...]]:
    return list(xml_rows(lambda: io.BytesIO(text.encode()), WANTED))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_encoding_and_delimiter_is_read(encoding: str, delimiter: str) -> None:
    text = csv_text([("Ä,1", "NoTender", 'a "b"\r\nc')], delimiter=delimiter)
    assert rows_of_csv(text, encoding) == [("Ä,1", 'a "b"\r\nc')]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=6))
def test_any_key_survives(keys: list[str]) -> None:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(["CARDNUMBER", "PARTYNUMBER"])
    writer.writerows([key, "p"] for key in keys)
    assert rows_of_csv(file.getvalue(), "utf-16") == [(key, "p") for key in keys]


def test_a_file_without_rows_has_none() -> None:
    assert rows_of_csv("") == []
    assert rows_of_csv(csv_text([])) == []
    assert rows_of_xml("<Document></Document>") == []


def test_columns_match_without_case_and_are_missed_by_name() -> None:
    assert rows_of_csv("partynumber,cardNumber\np,c\n") == [("c", "p")]
    with pytest.raises(ColumnsMissing, match="PartyNumber"):
        rows_of_csv("CARDNUMBER,OTHER\nc,o\n")
    with pytest.raises(ColumnsMissing):
        rows_of_xml("<Document><CARD><OTHER>o</OTHER></CARD></Document>")


@pytest.mark.parametrize(
    "text",
    [
        "CARDNUMBER,PARTYNUMBER\nc,p\nd\n",
        "CARDNUMBER,PARTYNUMBER\nc,p,x\n",
        'CARDNUMBER,PARTYNUMBER\n"c,p\n',
        'CARDNUMBER,PARTYNUMBER\n"c"x,p\n',
    ],
)
def test_a_torn_row_is_no_row(text: str) -> None:
    with pytest.raises(UnreachableError, match="data file"):
        rows_of_csv(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnreachableError, match="no CSV"):
        list(csv_rows(io.BytesIO(b"CARDNUMBER,PARTYNUMBER\n\xff\xfe,\xff\n"), WANTED))


def test_values_as_elements_and_as_attributes() -> None:
    elements = (
        "<Document><CARD><CARDNUMBER>1</CARDNUMBER><X>y</X><PARTYNUMBER>p</PARTYNUMBER></CARD>"
        "<CARD><CARDNUMBER>2</CARDNUMBER></CARD></Document>"
    )
    assert rows_of_xml(elements) == [("1", "p"), ("2", "")]
    attributes = '<Document><C CARDNUMBER="1" PARTYNUMBER="&lt;"/><C CARDNUMBER="2"/></Document>'
    assert rows_of_xml(attributes) == [("1", "<"), ("2", "")]


def test_a_value_called_like_its_row_is_no_row() -> None:
    text = (
        "<Document><CARDNUMBER><CARDNUMBER>1</CARDNUMBER></CARDNUMBER>"
        "<CARDNUMBER><CARDNUMBER>2</CARDNUMBER></CARDNUMBER></Document>"
    )
    assert rows_of_xml(text) == [("1", ""), ("2", "")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<Document>",
        "<html><br></html>",
        "<Document><CARD><CARDNUMBER>1</CARDNUMBER></CARD>",
        "<Document><CARD><CARDNUMBER>1</CARDNUMBER></CARD><OTHER/></Document>",
        "<D><CARD><CARDNUMBER>1</CARDNUMBER></CARD><OTHER/><CARD><CARDNUMBER>2</CARDNUMBER></CARD></D>",
        '<!DOCTYPE d [<!ENTITY a "a">]><d><CARD><CARDNUMBER>&a;</CARDNUMBER></CARD></d>',
    ],
)
def test_xml_that_is_torn_mixed_or_declares_entities_is_refused(text: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        rows_of_xml(text)
    assert caught.value.code == "package-broken"


def test_rows_are_given_before_the_file_was_read_whole() -> None:
    file = io.BytesIO(csv_text(cards(*map(str, range(100_000)))).encode())
    rows = csv_rows(file, WANTED)
    assert next(rows) == ("0", "")
    assert file.tell() < 200_000
