"""Columns as a live system describes them.

Owns: the facets a value must fit: type, length, scale, range, choices, reference.
Never does: reading metadata; endpoints fill these in.
Tested in: tests/unit/mapping/test_compiler.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.mapping.values import Value, ValueType


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a reference column points: the target table and its primary id column."""

    entity: str
    id_column: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the live system describes it; a facet that is not known is None."""

    name: str
    type: ValueType
    nullable: bool = True
    readable: bool = True
    creatable: bool = True
    updatable: bool = True
    required: bool = False
    max_length: int | None = None
    scale: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    choices: Mapping[Value, str] | None = None
    """Allowed values of a choice with their labels; commerce keys are symbols, Dataverse ints."""
    reference: Reference | None = None
    secured: bool = False
    """Under column security: without the permission it reads as null."""
    identity: str | None = None
    """What the system calls this very column, another one after it was deleted and made anew;
    None where it does not tell."""
