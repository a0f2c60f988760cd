"""Files of any origin, and the lines in them that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import UsageError
from connector.ledger.csv_source import CsvSource, Line


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "members.csv"


def lines(path: Path, encoding: str | None = None, delimiter: str | None = None) -> list[Line]:
    with CsvSource(path, encoding=encoding, delimiter=delimiter) as source:
        return list(source.lines())


def problems(path: Path) -> list[tuple[int, str | None]]:
    return [(line.number, line.problem.code if line.problem else None) for line in lines(path)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_mark_line_ends_and_delimiter_are_recognised(
    path: Path, encoding: str, end: str, delimiter: str
) -> None:
    text = end.join([f"Card{delimiter} City ", f"1{delimiter}Zürich", ""])
    path.write_bytes(text.encode(encoding))
    with CsvSource(path) as source:
        assert source.header == ["Card", "City"]
        assert source.delimiter == delimiter
        assert list(source.lines()) == [Line(2, ["1", "Zürich"])]


def test_a_named_encoding_and_delimiter_are_used(path: Path) -> None:
    path.write_bytes("Card#City, or so\n1#Zürich".encode("cp1252"))
    assert lines(path, "cp1252", "#") == [Line(2, ["1", "Zürich"])]


def test_a_delimiter_inside_quotes_does_not_count(path: Path) -> None:
    path.write_text('"a,b,c";d\n1;2\n')
    assert lines(path) == [Line(2, ["1", "2"])]


def test_one_column_needs_no_delimiter(path: Path) -> None:
    path.write_text("Card\n1\n2")
    assert [line.cells for line in lines(path)] == [["1"], ["2"]]


def test_blank_lines_are_passed_over_and_still_counted(path: Path) -> None:
    path.write_text("\n\nCard,City\n\n1,A\n\n2,B\n")
    assert [line.number for line in lines(path)] == [5, 7]


def test_a_cell_over_several_lines_is_named_by_its_first(path: Path) -> None:
    path.write_text('Card,City\n1,"two\nlines"\n2,B\n')
    assert [(line.number, line.cells[1]) for line in lines(path)] == [(2, "two\nlines"), (4, "B")]


def test_bad_lines_are_told_and_the_others_read(path: Path) -> None:
    path.write_bytes(
        b"Card,City\n"
        b"1,A\n"
        b"2\n"  # too short
        b"3,C,D\n"  # too long
        b"4,\xff\n"  # not UTF-8
        b"5,\x00\n"
        b'6,"x"y\n'  # text after a quote
        b"7,G\n"
    )
    assert problems(path) == [
        (2, None),
        (3, "line-width"),
        (4, "line-width"),
        (5, "line-encoding"),
        (6, "line-null-byte"),
        (7, "line-malformed"),
        (8, None),
    ]


def test_a_quote_that_never_closes_is_told_with_the_lines_it_swallowed(path: Path) -> None:
    path.write_text('Card,City\n1,A\n2,"B\n3,C\n4,D\n')
    good, bad = lines(path)
    assert good.problem is None
    assert bad.problem is not None
    assert bad.problem.code == "line-malformed"
    assert "lines 3 to 5" in bad.problem.message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "header-missing"),
        (b"\n\n  \n", "header-missing"),
        (b"\x00\x01\x02PK", "header-missing"),
        ("Card,City\n".encode("utf-16-le"), "header-missing"),
        (b"Card,City, Card\n1,2,3", "header-ambiguous"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(path: Path, content: bytes, code: str) -> None:
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        lines(path)
    assert caught.value.code == code
    assert caught.value.subject.file == str(path)


def test_wrong_options_are_refused(path: Path, tmp_path: Path) -> None:
    path.write_text("Card,City\n1,A\n")
    for encoding, delimiter, code in (
        ("klingon", None, "encoding-unknown"),
        ("utf-16", None, "encoding-wrong"),
        (None, ";;", "delimiter-invalid"),
        (None, '"', "delimiter-invalid"),
    ):
        with pytest.raises(UsageError) as caught:
            lines(path, encoding, delimiter)
        assert caught.value.code == code
    for missing in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UsageError) as caught:
            lines(missing)
        assert caught.value.code == "file-unreadable"


def test_the_position_reaches_the_size(path: Path) -> None:
    path.write_text("Card,City\n" + "1,A\n" * 10_000)
    with CsvSource(path) as source:
        assert source.position < source.size
        assert sum(1 for _ in source.lines()) == 10_000
        assert source.position == source.size
