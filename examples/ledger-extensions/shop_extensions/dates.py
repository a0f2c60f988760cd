"""A date for each customer, from a file of two columns."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path


def dates(file: str) -> Mapping[str, date]:
    """PartyNumber to date; ValueError where the file cannot be read."""
    try:
        with Path(file).open(encoding="utf-8", newline="") as lines:
            return {party: date.fromisoformat(day) for party, day in csv.reader(lines)}
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
