"""The files that travel with the program: sample config, maps, loyalty programs, segments.

Owns: finding them, in a clone (next to the package) and in an installed wheel (inside it).
Never does: reading or writing them.
Tested in: tests/unit/test_packaging.py, which builds a wheel and looks into it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).parent


def shipped(what: Literal["config", "mappings", "programs", "segments"]) -> Path:
    """The folder of the shipped sample config, maps, programs or segments.

    pyproject.toml puts them under `connector/_project` in a wheel; a clone has them at its top.
    """
    inside = _PACKAGE / "_project" / what
    return inside if inside.is_dir() else _PACKAGE.parent / what
