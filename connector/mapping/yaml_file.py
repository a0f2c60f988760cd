"""How files of maps, overlays and tables are read.

Owns: the manner of reading them.
Never does: the reading (`connector/documents/yaml_places.py`); knowing what the data means.
Tested in: tests/unit/documents/test_yaml_places.py.
"""

from __future__ import annotations

import re
from pathlib import Path

from connector.documents import yaml_places
from connector.documents.yaml_places import Manner
from connector.documents.yaml_places import Place as Place
from connector.documents.yaml_places import YamlFile as YamlFile
from connector.errors import MapError

_BARE_SYMBOL = re.compile(r":\s*[>|]")
_MANNER = Manner(
    MapError,
    holds="map",
    deepest=20,
    decimal=float,
    hints=[
        (_BARE_SYMBOL, 'a symbol that begins with `>` is written in quotes: `sync: "><"`'),
    ],
)


def read_yaml(path: Path) -> YamlFile:
    """Read one file; raises `MapError` as `parse_yaml` does, and `yaml-unreadable`."""
    return yaml_places.read_yaml(path, _MANNER)


def parse_yaml(text: str, path: str) -> YamlFile:
    """The same from a text; `path` is used in errors only.

    Raises `MapError` with the place: `yaml-broken`, `yaml-duplicate-key`, `yaml-too-deep`,
    `yaml-too-large`.
    """
    return yaml_places.parse_yaml(text, path, _MANNER)
