"""What benchmarks print: a table people can read, and the same as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    bench: str
    name: str
    value: float | None
    unit: str
    note: str = ""

    def shown(self) -> str:
        """The value with its unit; small numbers with their decimals."""
        if self.value is None:
            return "–"
        digits = 0 if abs(self.value) >= 100 or self.value == int(self.value) else 3
        digits = 1 if digits and abs(self.value) >= 10 else digits
        return f"{self.value:,.{digits}f} {self.unit}".rstrip()


@dataclass(slots=True)
class Report:
    """The figures of one run of `make bench`; each is printed as it comes."""

    figures: list[Figure] = field(default_factory=list)
    machine: str = field(
        default_factory=lambda: (
            f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        )
    )

    def head(self, bench: str, text: str) -> None:
        """Begin the figures of one benchmark."""
        print(f"\n{bench}: {text}")

    def add(self, bench: str, name: str, value: float | None, unit: str, note: str = "") -> None:
        """Keep a figure and print it."""
        figure = Figure(bench, name, None if value is None else round(value, 4), unit, note)
        self.figures.append(figure)
        print(f"  {name:<44}{figure.shown():>18}  {note}".rstrip(), flush=True)

    def value(self, bench: str, name: str) -> float | None:
        """A figure by its name; None where it was not measured."""
        named = (f.value for f in self.figures if (f.bench, f.name) == (bench, name))
        return next(named, None)

    def write(self, file: Path) -> None:
        """The figures as one JSON object: `machine`, `at`, `figures` (objects as in `Figure`)."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        told = {"machine": self.machine, "at": at, "figures": [asdict(f) for f in self.figures]}
        file.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
