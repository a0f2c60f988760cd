"""What the program says, and where: data on stdout, everything about the work on stderr.

Owns: the two streams, JSON, tables, and how an error looks.
Never does: deciding what to say.
Tested in: tests/unit/cli/test_app.py.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from rich.console import Console

    from connector.errors import DualWriteError

PIPE_WIDTH = 240
"""Columns a table may take where there is no terminal."""


def emit(data: Any) -> None:
    """One JSON value on stdout, on one line.

    Dates and times become ISO 8601, decimals and paths strings; dataclasses become objects.
    """
    text = orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _plain(value: object) -> str:
    if isinstance(value, Decimal | PurePath):
        return str(value)
    raise TypeError(f"no JSON form for {type(value).__name__}")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout under its title; cells are text, None is empty, numbers to the right."""
    from rich.table import Table
    from rich.text import Text

    body = [list(row) for row in rows]
    shown = Table(header_style="bold")
    for index, name in enumerate(columns):
        numeric = bool(body) and all(isinstance(row[index], int | float) for row in body)
        # Words wider than their column go on below; nothing that could be typed is cut off.
        shown.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in body:
        shown.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console = stdout()
    # Not the table's own title, which is folded to the width of a narrow table.
    console.print(Text(title, style="bold"), soft_wrap=True)
    console.print(shown)


def line(text: str) -> None:
    """One line of data on stdout."""
    stdout().print(text, markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line about the work, for the person at the terminal, on stderr."""
    stderr().print(text, markup=False, highlight=False, soft_wrap=True)


def stdout() -> Console:
    """The stream of data. Made when asked for, so that redirection and NO_COLOR count.

    In a pipe or file nothing is folded to the width of a terminal that is not there.
    """
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def stderr() -> Console:
    """The stream for progress, notes and errors."""
    from rich.console import Console

    return Console(stderr=True)


def show_error(error: DualWriteError, *, as_json: bool) -> None:
    """An error for a script (JSON on stdout, docs/json.md) or for a person (stderr)."""
    if as_json:
        emit({"error": error.as_dict()})
        return
    from rich.text import Text

    head, *rest = str(error).splitlines()
    text = Text.assemble(("error ", "bold red"), (head, "bold"))
    for line in rest:
        text.append(f"\n{line}")
    stderr().print(text, soft_wrap=True)


def set_up_logging(*, debug: bool, timed: bool = False) -> None:
    """Log to stderr: warnings and worse, or everything of ours with `debug`; `timed` in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    shape = "%(levelname)s %(name)s: %(message)s"
    formatter = logging.Formatter(f"%(asctime)s.%(msecs)03dZ {shape}" if timed else shape)
    formatter.converter, formatter.datefmt = time.gmtime, "%Y-%m-%dT%H:%M:%S"
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("connector").setLevel(logging.DEBUG if debug else logging.WARNING)
