"""Transforms that installed packages bring, found by the entry point group `dualwrite.transforms`.

Owns: loading one by name, and turning whatever goes wrong inside it into one record's problem.
Never does: loading anything no map names.
Tested in: tests/unit/mapping/test_custom.py.

An entry point names an object with `forward(text) -> text`, and with `back(text) -> text` where
there is a way back. Both get a text that is not empty, and return a text, or None for no value.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from connector.mapping.transforms.translate import Translation, Untranslatable
from connector.mapping.values import Value, visible

GROUP = "dualwrite.transforms"
_LONGEST_CAUSE = 200
"""Characters of what a foreign error says that are told."""


class CustomTransform(NamedTuple):
    """A loaded transform."""

    forward: Translation
    back: Translation | None


def load_transform(name: str) -> CustomTransform:
    """The transform of this name.

    Raises `Untranslatable`: `transform-unknown`, `transform-broken`.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        installed = f"installed are {', '.join(sorted(known))}" if known else "none is installed"
        raise Untranslatable(
            "transform-unknown",
            f"no installed package brings a transform `{name}`",
            f"write `{near[0]}`" if near else f"install the package that has it; {installed}",
        )
    try:
        loaded: Any = known[name].load()
        if isinstance(loaded, type):
            loaded = loaded()
    except Exception as error:
        raise _broken(name, _told(error)) from error
    forward, back = getattr(loaded, "forward", None), getattr(loaded, "back", None)
    if not callable(forward):
        raise _broken(name, "it has no function `forward`")
    if back is not None and not callable(back):
        raise _broken(name, "its `back` is no function")
    return CustomTransform(_guarded(name, forward), back and _guarded(name, back))


def _guarded(name: str, function: Callable[[str], object]) -> Translation:
    def run(value: Value) -> Value:
        if value is None:
            return None
        try:
            made = function(str(value))
        except Exception as error:
            raise _failed(name, value, _told(error)) from error
        if made is not None and not isinstance(made, str):
            raise _failed(name, value, f"it gave a {type(made).__name__} instead of a text")
        return made or None

    return run


def _told(error: Exception) -> str:
    said = visible(str(error))
    return f"{type(error).__name__}: {said}"[:_LONGEST_CAUSE] if said else type(error).__name__


def _failed(name: str, value: Value, cause: str) -> Untranslatable:
    return Untranslatable(
        "transform-failed",
        f"the transform `{name}` failed on {value!r}: {cause}",
        "correct the value in the source, or the package that brings this transform",
    )


def _broken(name: str, cause: str) -> Untranslatable:
    return Untranslatable(
        "transform-broken",
        f"the transform `{name}` cannot be loaded: {cause}",
        f"correct the package that brings it; docs/maps.md shows what `{GROUP}` expects",
    )
