"""A CSV file of any origin, read line by line.

Owns: encoding and byte order mark, the delimiter, line ends, the header, and telling a line
that can be read from one that cannot.
Never does: knowing what a column means; keeping lines.
Tested in: tests/unit/ledger/test_csv_source.py.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from connector.errors import Problem, Subject, UsageError

DELIMITERS = ",;\t|"
"""What is looked for in the header, in this order of preference."""

DEFAULT_ENCODING = "utf-8-sig"

KEPT_PROBLEMS = 1_000
"""Bad lines that are kept for the report; all are counted and go to the rejects file."""

# Bytes that do not belong to the encoding come through as these (PEP 383), so that one broken
# line does not end the file.
_BROKEN = re.compile("[\udc80-\udcff]")

_QUOTED = re.compile(r'"[^"]*"')


class Line(NamedTuple):
    """One record of the file: the number of its first line, its cells, what is wrong with it."""

    number: int
    cells: list[str]
    problem: Problem | None = None


class CsvSource:
    """An open CSV file with a header; a context manager.

    `encoding` None means UTF-8, or UTF-16 when the file begins with its byte order mark;
    `delimiter` None means the one that stands most often in the header. Raises UsageError
    `file-unreadable`, `encoding-unknown`, `encoding-wrong`, `header-missing`,
    `header-ambiguous`, `delimiter-invalid`.
    """

    def __init__(
        self, path: Path, *, encoding: str | None = None, delimiter: str | None = None
    ) -> None:
        self._path = path
        self._encoding = encoding
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
            raise self._error(
                "delimiter-invalid",
                "a delimiter is one character",
                "name it as it is, or write `tab`",
            )
        self._delimiter = delimiter
        self._binary: BinaryIO = self._opened()
        self.size = path.stat().st_size
        try:
            self.encoding = encoding or self._guess_encoding()
            self._text = io.TextIOWrapper(
                self._binary, encoding=self.encoding, errors="surrogateescape", newline=""
            )
            self.header = self._read_header()
        except LookupError as error:
            self._binary.close()
            raise self._error(
                "encoding-unknown",
                f"there is no encoding '{encoding}'",
                "name one such as utf-8, utf-16, cp1252 or latin-1",
            ) from error
        except BaseException:
            self._binary.close()
            raise

    @property
    def delimiter(self) -> str:
        """The delimiter in use."""
        assert self._delimiter is not None, "set by _read_header"
        return self._delimiter

    @property
    def position(self) -> int:
        """Bytes read so far, to the size of a buffer."""
        return self._binary.tell()

    def lines(self) -> Iterator[Line]:
        """All records after the header; blank lines are passed over."""
        width, ended = len(self.header), False
        while not ended:
            first = self._start + self._reader.line_num
            try:
                cells = next(self._reader)
            except StopIteration:
                ended = True
                continue
            except csv.Error as error:
                yield Line(first, [], self._unreadable(first, error))
                continue
            except UnicodeError as error:
                raise self._wrong_encoding() from error
            if cells:
                yield Line(first, cells, self._fault(first, cells, width))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._text.close()

    # ------------------------------------------------------------------ opening

    def _opened(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise self._error(
                "file-unreadable", f"the file cannot be read: {error.strerror}", "check its path"
            ) from error

    def _guess_encoding(self) -> str:
        start = self._binary.read(2)
        self._binary.seek(0)
        return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else DEFAULT_ENCODING

    def _read_header(self) -> list[str]:
        """The names of the columns; afterwards `_reader` stands on the first record."""
        text, skipped = "\n", 0
        try:
            while text and not text.strip():
                text = self._text.readline()
                skipped += 1
        except UnicodeError as error:
            raise self._wrong_encoding() from error
        if not text or "\0" in text:
            raise self._error(
                "header-missing",
                "the file has no line of column names" if not text else "the file is no text",
                "its first line must name the columns; for UTF-16 add --encoding utf-16",
            )
        if self._delimiter is None:
            bare = _QUOTED.sub("", text)
            self._delimiter = max(DELIMITERS, key=bare.count)
        names = [name.strip() for name in next(csv.reader([text], delimiter=self._delimiter))]
        twice = {name for name in names if name and names.count(name) > 1}
        if twice:
            raise self._error(
                "header-ambiguous",
                f"two columns are called '{min(twice)}'",
                "give every column its own name",
            )
        # `strict` makes a quote that never closes an error instead of a cell that swallows
        # the rest of the file in silence.
        self._reader = csv.reader(self._text, delimiter=self._delimiter, strict=True)
        self._start = skipped + 1
        return names

    # ------------------------------------------------------------------ faults

    def _fault(self, number: int, cells: list[str], width: int) -> Problem | None:
        """Why a record cannot be used, before anybody looks at what it says."""
        if len(cells) != width:
            return self._problem(
                number,
                "line-width",
                f"the line has {len(cells)} cells, the header has {width}",
                "quote cells that hold the delimiter",
            )
        text = "".join(cells)
        if "\0" in text:
            return self._problem(
                number, "line-null-byte", "the line holds a null byte", "remove it"
            )
        if not text.isascii() and _BROKEN.search(text):
            return self._problem(
                number,
                "line-encoding",
                f"the line holds bytes that are not {self.encoding}",
                "name the file's encoding (--encoding), for example cp1252",
            )
        return None

    def _unreadable(self, number: int, error: csv.Error) -> Problem:
        last = self._start + self._reader.line_num - 1
        return self._problem(
            number,
            "line-malformed",
            f"lines {number} to {last} are no CSV record: {error}",
            "close every quote and double the quotes inside a quoted cell",
        )

    def _problem(self, number: int, code: str, message: str, remedy: str) -> Problem:
        return Problem(code, message, remedy, Subject(file=str(self._path), line=number))

    def _wrong_encoding(self) -> UsageError:
        return self._error(
            "encoding-wrong",
            f"the file is not {self._encoding or DEFAULT_ENCODING}",
            "name its encoding (--encoding), for example utf-16 or cp1252",
        )

    def _error(self, code: str, message: str, remedy: str) -> UsageError:
        return UsageError(code, message, remedy=remedy, subject=Subject(file=str(self._path)))
