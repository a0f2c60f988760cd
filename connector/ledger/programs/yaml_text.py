"""How the files of programs, rewards and segments are read.

Owns: the manner of reading them: exact decimals, and texts a database keeps.
Never does: the reading (`connector/documents/yaml_places.py`); knowing what the data means.
Tested in: tests/unit/ledger/programs/test_wrong_documents.py.

A day is a text here; it is read where a day is meant.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from connector.documents import yaml_places
from connector.documents.yaml_places import Manner
from connector.documents.yaml_places import Place as Place
from connector.documents.yaml_places import YamlFile as YamlText
from connector.errors import ConfigError
from connector.ledger.fields import UNSTORABLE_IN_LINES

__all__ = ["Place", "YamlText", "read_file", "read_yaml"]


def _exact(written: str) -> Decimal | str:
    """A plain decimal; people who write an exponent mean something else."""
    return written if "e" in written.casefold() else Decimal(written)


_MANNER = Manner(
    ConfigError, holds="document", deepest=12, decimal=_exact, unfit=UNSTORABLE_IN_LINES
)


def read_file(path: Path) -> YamlText:
    """The YAML of a file; ConfigError as of `read_yaml`, and `yaml-unreadable`."""
    return yaml_places.read_yaml(path, _MANNER)


def read_yaml(text: str, path: str) -> YamlText:
    """The data of a text; `path` is named in errors only.

    Raises ConfigError with the place: `yaml-broken`, `yaml-duplicate-key`, `yaml-too-deep`,
    `yaml-too-large`.
    """
    return yaml_places.parse_yaml(text, path, _MANNER)
