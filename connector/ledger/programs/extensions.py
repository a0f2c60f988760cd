"""What installed packages add to programs, found by the entry point group `dualwrite.ledger`.

Owns: what an extension is, loading those a program uses, and turning whatever goes wrong inside
one into a problem that carries its name.
Never does: posting what they give (`gifts.py`); loading anything no program names.
Tested in: tests/unit/ledger/programs/test_extensions.py.

An entry point names a class, or another callable, that takes the options of the program document
as keyword arguments, `least-age` as `least_age`, and raises TypeError or ValueError where they are
wrong. What it makes has `gifts`, or `admits`, or both. Neither may keep anything between calls:
programs are shared between threads.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from importlib.metadata import entry_points
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from connector.errors import ConfigError, RecordError, Subject
from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.occasion import Activity, Earned, Sale
from connector.ledger.programs.rounding import PointKind

GROUP = "dualwrite.ledger"
_LONGEST_CAUSE = 200
"""Characters of what a foreign error says that are told."""
_LONGEST_NAME = 150
"""Characters of what a gift is called, with program, extension and card."""


@dataclass(frozen=True, slots=True)
class TierReached:
    """A card came into a tier above the one it had."""

    card: str
    program: str
    tier: str
    at: datetime


Happening: TypeAlias = Sale | Activity | TierReached


class Gift(NamedTuple):
    """Points an extension gives. A member gets those of one `name` once, whatever happens again.

    `points` are above zero and no finer than the kind allows. The `name` tells apart what the same
    extension gives with other options, and what it gives several times: `sale 10`, `birthday 2026`.
    """

    name: str
    kind: str
    """The RewardPointId."""
    points: Decimal
    why: str = ""
    """For the person who asks later."""
    months: int | None = None
    """How long the points live, 0 for ever; None as their kind says."""


@runtime_checkable
class Giving(Protocol):
    """Gives points of its own accord. `member` is as it was before what happened."""

    def gifts(self, happening: Happening, member: Member) -> Iterable[Gift]:
        """What this gives the member, each name once."""


@runtime_checkable
class Admitting(Protocol):
    """Decides whether a sale or an activity counts for a program."""

    def admits(self, occasion: Sale | Activity, member: Member) -> bool:
        """Whether it may earn anything by the program's rules and extensions."""


Extension: TypeAlias = Giving | Admitting


class Extensions:
    """The extensions of one version of a program, loaded when they are first asked."""

    def __init__(self, document: ProgramDocument, version: int) -> None:
        self._program = document.program
        self._title = document.title or document.program
        self._version = version
        self._pooled = document.pooled
        self._uses = document.extensions

    def __bool__(self) -> bool:
        return bool(self._uses)

    @property
    def broken(self) -> ConfigError | None:
        """Why they cannot be asked on this machine; None where they can."""
        return self._found if isinstance(self._found, ConfigError) else None

    @property
    def _loaded(self) -> Sequence[tuple[str, Extension]]:
        found = self._found
        if isinstance(found, ConfigError):
            raise found.with_traceback(None)
        return found

    @cached_property
    def _found(self) -> Sequence[tuple[str, Extension]] | ConfigError:
        # Looked for once: packages do not come while a program runs, and looking takes long.
        try:
            return [(one.use, load(one.use, one.with_)) for one in self._uses]
        except ConfigError as error:
            return error

    def admits(self, occasion: Sale | Activity, member: Member) -> bool:
        """Whether every extension lets it earn.

        Raises RecordError `extension-failed`, and ConfigError as `load`.
        """
        member = self._seen(member)
        for name, one in self._loaded:
            if isinstance(one, Admitting):
                answer = self._guarded(name, lambda: one.admits(occasion, member))  # noqa: B023
                if not isinstance(answer, bool):
                    raise self._failed(name, f"it answered {answer!r} instead of True or False")
                if not answer:
                    return False
        return True

    def gifts(
        self, happening: Happening, member: Member, kinds: Mapping[str, PointKind]
    ) -> list[Earned]:
        """What all of them give, each under the name it is given once; `kinds` folded.

        Raises RecordError `extension-failed`, and ConfigError as `load`.
        """
        member = self._seen(member)
        given: list[Earned] = []
        for name, one in self._loaded:
            if isinstance(one, Giving):
                gifts = self._guarded(name, lambda: list(one.gifts(happening, member)))  # noqa: B023
                given += (self._earned(name, gift, member, kinds) for gift in gifts)
        return given

    def _seen(self, member: Member) -> Member:
        """As the program counts: where it pools, the sales are those of all cards together."""
        return replace(member, sales=member.counted(pooled=True)) if self._pooled else member

    def _earned(
        self, extension: str, gift: object, member: Member, kinds: Mapping[str, PointKind]
    ) -> Earned:
        if not isinstance(gift, Gift):
            raise self._failed(extension, f"it gave a {type(gift).__name__} instead of a Gift")
        kind = kinds.get(fold(str(gift.kind)))
        if kind is None:
            raise self._failed(extension, f"the ledger has no kind of points '{gift.kind}'")
        points: object = gift.points
        if not isinstance(points, Decimal) or not points.is_finite() or points <= 0:
            raise self._failed(extension, f"it gave {points!r} points; a Decimal above zero is due")
        if kind.rounded(points) != points:
            raise self._failed(extension, f"{points} is finer than points of '{kind.name}' are")
        if not gift.name:
            raise self._failed(extension, "it gave something without a name")
        why = f"{self._title}, {extension}: {gift.why or gift.name}"
        return Earned(
            self._program,
            self._version,
            extension,
            kind.name,
            points,
            (),
            why,
            gift.months,
            once=self._once(extension, gift.name, member),
        )

    def _once(self, extension: str, name: str, member: Member) -> str:
        """What it is given once under: for a customer where the program pools, else for a card."""
        holder = f"card {member.first or fold(member.card)}"
        if self._pooled and member.party is not None:
            holder = f"customer {fold(member.party)}"
        once = f"{self._program}/{extension}:{holder}:{name}"
        if len(once) <= _LONGEST_NAME:
            return once
        return f"{self._program}/{extension}:{sha256(once.encode()).hexdigest()}"

    def _guarded(self, name: str, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as error:
            raise self._failed(name, _told(error)) from error

    def _failed(self, name: str, cause: str) -> RecordError:
        return RecordError(
            "extension-failed",
            f"the extension `{name}` of program `{self._program}` failed",
            cause=cause,
            remedy="correct the package that brings it, or take it out of the program",
            subject=Subject(record=self._program, field=name),
        )


def load(name: str, options: Mapping[str, object]) -> Extension:
    """The extension of this name with these options.

    Raises ConfigError: `extension-unknown`, `extension-broken`, `extension-options`.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        installed = f"installed are {', '.join(sorted(known))}" if known else "none is installed"
        raise _refusal(
            "extension-unknown",
            name,
            f"no installed package brings an extension `{name}`",
            f"write `{near[0]}`" if near else f"install the package that has it; {installed}",
        )
    try:
        factory = known[name].load()
    except Exception as error:
        raise _broken(name, _told(error)) from error
    if not callable(factory):
        raise _broken(name, f"its entry point names a {type(factory).__name__}")
    try:
        made = factory(**{key.replace("-", "_"): value for key, value in options.items()})
    except (TypeError, ValueError) as error:
        raise _refusal(
            "extension-options",
            name,
            f"the extension `{name}` does not take these options",
            "correct what stands under `with` in the program",
            _told(error),
        ) from error
    except Exception as error:
        raise _broken(name, _told(error)) from error
    if not isinstance(made, Giving | Admitting):
        raise _broken(name, "it has neither `gifts` nor `admits`")
    return made


def _told(error: Exception) -> str:
    said = " ".join(str(error).split())
    text = "".join(one for one in said if one.isprintable())
    return f"{type(error).__name__}: {text}"[:_LONGEST_CAUSE] if text else type(error).__name__


def _broken(name: str, cause: str) -> ConfigError:
    return _refusal(
        "extension-broken",
        name,
        f"the extension `{name}` cannot be loaded",
        "correct the package that brings it; docs/ledger.md shows what `dualwrite.ledger` expects",
        cause,
    )


def _refusal(
    code: str, name: str, message: str, remedy: str, cause: str | None = None
) -> ConfigError:
    return ConfigError(code, message, cause=cause, remedy=remedy, subject=Subject(field=name))
