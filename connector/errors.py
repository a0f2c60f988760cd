"""The one tree of errors, each written for the person who has to act.

Owns: code, family, subject, cause and remedy of everything that can go wrong.
Never does: catching, logging, exiting; the command line turns `exit_code` into an exit.
Tested in: tests/unit/cli/test_app.py, tests/docs/test_reference.py.

    DualWriteError
    ├── FatalError            stop the run; somebody must change something first
    │   ├── UsageError            2  a command that contradicts itself
    │   ├── ConfigError           2  config file, environment, secrets
    │   ├── MapError              2  a map file, alone or against live metadata
    │   ├── AccessError           2  wrong secret, wrong tenant, missing role
    │   ├── IdentityChangedError  2  this endpoint is not the world the state belongs to
    │   ├── StateError            1  the sync state contradicts itself or cannot be used
    │   ├── MapStoppedError       3  a guard, a pause or an alert holds this map
    │   └── LeaseHeldError        5  another run works this map
    ├── RetriableError        the same call may succeed later
    │   ├── UnreachableError      4  no answer, no trust, no name
    │   └── PositionExpiredError  1  the feed forgot where we were: scan again
    └── SkippableError        one record is wrong, the others go on
        └── RecordError           3  a value, a key, a refusal by the other side
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar


class Family(StrEnum):
    """What the error means for the work around it."""

    FATAL = "fatal"
    RETRIABLE = "retriable"
    SKIPPABLE = "skippable"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an error is about; only what is known is set."""

    map: str | None = None
    side: str | None = None
    entity: str | None = None
    record: str | None = None
    field: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ""
        if self.file is not None:
            spots = [str(n) for n in (self.line, self.column) if n is not None]
            place = ":".join([self.file, *spots])
        named = [
            f"{name} {value}"
            for name in ("map", "side", "entity", "record", "field")
            if (value := getattr(self, name)) is not None
        ]
        return ", ".join(([place] if place else []) + named)

    def as_dict(self) -> dict[str, Any]:
        """Only the parts that are set, in declaration order."""
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in pairs if value is not None}


class DualWriteError(Exception):
    """Base of all errors of the product.

    `code` is a stable lower-case word such as `choice-unknown`; scripts may match it.
    `message` says what is wrong, `tried` what was attempted, `cause` what the other
    side or the library said, `remedy` what the reader should do next.
    """

    family: ClassVar[Family] = Family.FATAL
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        code: str,
        message: str,
        *,
        remedy: str,
        subject: Subject | None = None,
        tried: str | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.subject = subject or Subject()
        self.tried = tried
        self.cause = cause

    def __str__(self) -> str:
        about = str(self.subject)
        parts = [f"{self.code}: {about + ': ' if about else ''}{self.message}"]
        if self.tried:
            parts.append(f"tried: {self.tried}")
        if self.cause:
            parts.append(f"cause: {self.cause}")
        parts.append(f"remedy: {self.remedy}")
        return "\n  ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form of an error (docs/json.md)."""
        return {
            "code": self.code,
            "family": self.family.value,
            "message": self.message,
            "subject": self.subject.as_dict(),
            "tried": self.tried,
            "cause": self.cause,
            "remedy": self.remedy,
        }


class FatalError(DualWriteError):
    """The run cannot go on; somebody must change something first."""


class RetriableError(DualWriteError):
    """The same call may succeed later."""

    family = Family.RETRIABLE


class SkippableError(DualWriteError):
    """One record is wrong; the others go on."""

    family = Family.SKIPPABLE
    exit_code = 3


class UsageError(FatalError):
    """A command that contradicts itself or names something that does not exist."""

    exit_code = 2


class ConfigError(FatalError):
    """Config file, environment variables or secrets cannot be used."""

    exit_code = 2


class MapError(FatalError):
    """A map is wrong, alone or against the live metadata of a side."""

    exit_code = 2
    found: Sequence[Problem] = ()
    """All that is wrong with its file, where that is more than the first finding."""


class AccessError(FatalError):
    """A side knows us but refuses: wrong secret, wrong tenant, missing role."""

    exit_code = 2


class IdentityChangedError(FatalError):
    """An endpoint answers as another world than the one the state belongs to."""

    exit_code = 2


class StateError(FatalError):
    """The sync state contradicts itself, is of another version, or cannot be opened."""


class MapStoppedError(FatalError):
    """A guard, a pause or an alert holds this map until a person decides."""

    exit_code = 3


class LeaseHeldError(FatalError):
    """Another run works this map."""

    exit_code = 5


class UnreachableError(RetriableError):
    """A side gives no answer, or none that can be trusted."""

    exit_code = 4


class PositionExpiredError(RetriableError):
    """A change feed no longer knows the position we resume from; scan again."""


class RecordError(SkippableError):
    """One record cannot travel: a value, a key, or a refusal by the other side."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of a check or one bad record, collected instead of raised."""

    code: str
    message: str
    remedy: str
    subject: Subject = Subject()
    severity: str = "error"
    exit_code: int = 2
    """What a command ends with that finds nothing graver."""
    cause: str | None = field(default=None, compare=False)
    """What another system said to it; it may have a number of its own each time."""

    @classmethod
    def of(cls, error: DualWriteError) -> Problem:
        """The same finding as `error`, as a value."""
        return cls(
            error.code,
            error.message,
            error.remedy,
            error.subject,
            exit_code=error.exit_code,
            cause=error.cause,
        )

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form of a finding (docs/json.md)."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "subject": self.subject.as_dict(),
            "remedy": self.remedy,
        }
