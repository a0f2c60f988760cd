"""Rules that give points for the same thing twice, which is easily done by mistake.

Owns: which pairs of rules are alike.
Never does: saying so (`checks.py`); forbidding it: rules add up.
Tested in: tests/unit/ledger/programs/test_overlap.py.

A rule for everybody and one that gives gold members more are no mistake. Two rules that count the
same, give the same kind and narrow down by the same keys are, if one sale can meet both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from connector.ledger.fields import fold
from connector.ledger.programs.document import By, Conditions, Rule
from connector.ledger.programs.terms import folded

_LABELS = (
    *("products", "categories", "offers", "groups", "tiers"),
    *("channels", "units", "payments", "activities", "weekdays"),
)


def overlapping(rules: Sequence[Rule]) -> Iterator[tuple[int, int]]:
    """Places of rules that overlap: each with the first of those before it."""
    alike: dict[object, list[int]] = {}
    for second, rule in enumerate(rules):
        before = alike.setdefault(_manner(rule), [])
        for first in before:
            if _meet(rules[first], rule):
                yield first, second
                break
        before.append(second)


def _manner(rule: Rule) -> tuple[By, str, frozenset[str]]:
    """What a rule counts, gives, and narrows down by."""
    given = rule.for_.model_dump(by_alias=True, exclude_none=True)
    narrowed = frozenset("period" if key in {"from", "until"} else key for key in given)
    return rule.by, fold(rule.kind), narrowed


def _meet(one: Rule, other: Rule) -> bool:
    """Whether one occasion can meet both."""
    if None not in {one.currency, other.currency} and one.currency != other.currency:
        return False
    return _share_days(one.for_, other.for_) and all(
        _share(one, other, key) for key in _LABELS if getattr(one.for_, key) is not None
    )


def _share(one: Rule, other: Rule, key: str) -> bool:
    common = folded(getattr(one.for_, key)) & folded(getattr(other.for_, key))
    return bool(common - folded(getattr(one.not_for, key)) - folded(getattr(other.not_for, key)))


def _share_days(one: Conditions, other: Conditions) -> bool:
    first = max(one.first or date.min, other.first or date.min)
    return first <= min(one.until or date.max, other.until or date.max)
