"""What is wrong with the form of a document, in words that hold for documents of every kind.

Owns: what a key takes by the kind of pydantic's finding, and where in the file it stands.
Never does: knowing keys: each kind of document adds its own words.
Tested in: tests/unit/mapping/test_document.py, tests/unit/ledger/programs/test_wrong_documents.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Loc: TypeAlias = tuple[int | str, ...]
Words: TypeAlias = tuple[str, str]
"""What a key takes, and what to write; both may name what pydantic tells in braces."""

_WHOLE = ("a whole number", "write a whole number, without quotes")
NUMBER: Words = ("a number", "write a number, without quotes")
_BLOCK = ("a table", "write `{{KEY: VALUE}}`")
_TRUTH = ("true or false", "write `true` or `false`")

KINDS: Mapping[str, Words] = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": NUMBER,
    "decimal_type": NUMBER,
    "decimal_parsing": NUMBER,
    "greater_than": ("a number above {gt}", "write a number above {gt}"),
    "greater_than_equal": ("a number from {ge} on", "write {ge} or more"),
    "less_than": ("a number below {lt}", "write less than {lt}"),
    "less_than_equal": ("a number up to {le}", "write {le} or less"),
    "string_type": ("a text", "write a text; in quotes where it looks like a number or a list"),
    "string_too_short": ("a text that is not empty", "write at least one character"),
    "string_too_long": ("at most {max_length} characters", "write a shorter one"),
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "dict_type": _BLOCK,
    "model_type": _BLOCK,
}
"""By the kind of pydantic's finding."""


def in_file(data: Any, loc: Loc) -> Loc:
    """The part of a pydantic location that stands in the file: branches of a union do not."""
    path: list[int | str] = []
    for part in loc:
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        path.append(part)
    return tuple(path)
