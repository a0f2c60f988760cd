"""Which rules are so alike that one of them may be a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from connector.ledger.programs.document import Rule
from connector.ledger.programs.overlap import overlapping
from tests.unit.ledger.programs.making import exact, rule


def pairs(*rules: dict[str, Any]) -> list[tuple[int, int]]:
    return list(overlapping([Rule.model_validate(exact(one)) for one in rules]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({}, {"points": 5, "every": 2}),
        ({"for_": {"products": ["a", "b"]}}, {"for_": {"products": ["B", "c"]}}),
        ({"for_": {"groups": ["a"]}}, {"for_": {"groups": ["a"]}, "not_for": {"products": ["x"]}}),
        ({"for_": {"from": "2026-01-01"}}, {"for_": {"until": "2026-01-01"}}),
        ({"for_": {"weekdays": ["monday"]}}, {"for_": {"weekdays": ["sunday", "monday"]}}),
        ({"by": "sale", "currency": "EUR"}, {"by": "sale"}),
    ],
)
def test_alike(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert pairs(rule(**one), rule(**other)) == [(0, 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"kind": "cash"}),
        ({}, {"by": "sale"}),
        ({}, {"currency": "USD"}),
        ({}, {"for_": {"groups": ["gold"]}}),
        ({"for_": {"products": ["a"]}}, {"for_": {"products": ["b"]}}),
        ({"for_": {"products": ["a"]}}, {"for_": {"categories": ["a"]}}),
        (
            {"for_": {"products": ["a", "b"]}, "not_for": {"products": ["b"]}},
            {"for_": {"products": ["b"]}},
        ),
        ({"for_": {"from": "2026-02-01"}}, {"for_": {"until": "2026-01-31"}}),
        ({"for_": {"from": "2026-02-01"}}, {}),
    ],
)
def test_unlike(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert pairs(rule(**one), rule(**other)) == []


def test_each_rule_is_told_once_with_the_first_before_it() -> None:
    assert pairs(rule(), rule(by="sale"), rule(), rule()) == [(0, 2), (0, 3)]
