"""Installed packages for a test: real distributions in a folder of sys.path."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

import pytest


def installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, points: Mapping[str, str]
) -> None:
    """A distribution in `folder` that brings these entry points of `dualwrite.ledger`."""
    made = folder / f"{name}-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "".join(f"{point} = {target}\n" for point, target in points.items())
    (made / "entry_points.txt").write_text(f"[dualwrite.ledger]\n{lines}", encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
