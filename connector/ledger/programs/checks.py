"""What a program says that cannot be meant.

Owns: the findings about one document, alone and with the kinds and currencies of a ledger.
Never does: the form of a document (`reading.py`), SQL.
Tested in: tests/unit/ledger/programs/test_wrong_documents.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeAlias

from connector.errors import ConfigError, Problem
from connector.ledger.fields import fold
from connector.ledger.programs.document import (
    By,
    Circumstances,
    Conditions,
    ProgramDocument,
    Redeem,
    Rule,
    Step,
    Tier,
)
from connector.ledger.programs.extensions import load
from connector.ledger.programs.overlap import overlapping
from connector.ledger.programs.reading import findings, nearest
from connector.ledger.programs.rounding import PointKind
from connector.ledger.programs.terms import Terms, folded
from connector.ledger.programs.tiers import span_days
from connector.ledger.programs.yaml_text import YamlText

MAKE = (
    "`dualwrite ledger list --entity reward-points` shows what there is; `dualwrite ledger set {} "
    "RewardPointType=Quantity Redeemable=Yes --create --entity reward-points` makes it"
)
"""What to do where a kind of points is not in the ledger; with its name."""
_LABELS = ("products", "categories", "groups", "tiers", "channels", "units", "payments", "offers")
_OF_SALES = ("products", "categories", "offers", "payments")


@dataclass(frozen=True, slots=True)
class Known:
    """What a ledger has: kinds by folded RewardPointId, currencies and stores folded.

    `former` are names kinds had when documents named them, folded, with those of today.
    """

    kinds: Mapping[str, PointKind]
    currencies: frozenset[str]
    units: frozenset[str]
    former: Mapping[str, str] = field(default_factory=dict)

    def remedy(self, kind: str) -> str:
        """What to do where there is no kind of this name."""
        today = self.former.get(fold(kind))
        if today is not None:
            return f"it is called `{today}` by now: write that"
        return nearest(kind, [one.name for one in self.kinds.values()]) + MAKE.format(kind)


Where: TypeAlias = tuple[str | int, ...]


def examined(
    file: YamlText, known: Known | None = None
) -> tuple[ProgramDocument | None, list[Problem]]:
    """The document, None where its form is wrong, and all findings in the order of the file."""
    found = findings(ProgramDocument, file)
    if isinstance(found, list):
        return None, _in_order(found)
    checks = _Checks(file, found)
    problems = [*checks.alone(), *(checks.within(known) if known is not None else ())]
    return found, _in_order(problems)


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda one: (one.subject.line or 0, one.subject.column or 0))


class _Checks:
    """The findings about one document."""

    def __init__(self, file: YamlText, document: ProgramDocument) -> None:
        self._file = file
        self._document = document

    def alone(self) -> Iterator[Problem]:
        """What no ledger is needed for."""
        document = self._document
        for index, name in _repeated([one.tier for one in document.tiers]):
            message = f"tier `{name}` stands twice"
            yield self._finding("tier-twice", message, "rename one", "tiers", index, "tier")
        for index, name in _repeated([one.rule for one in document.earn]):
            message = f"rule `{name}` stands twice"
            yield self._finding("rule-twice", message, "rename one", "earn", index, "rule")
        yield from self._tier_order()
        for index, rule in enumerate(document.earn):
            yield from self._rule(("earn", index), rule)
        for index, pays in enumerate(document.redeem):
            yield from self._conditions(("redeem", index), pays)
        for first, second in overlapping(document.earn):
            yield self._finding(
                "rules-overlap",
                f"`{document.earn[second].rule}` and `{document.earn[first].rule}` meet the same "
                "lines, and both give their points for them",
                "leave it where both are meant to add up; else part them, with `not-for` perhaps",
                *("earn", second, "rule"),
                severity="warning",
            )
        yield from self._extensions()
        if not (document.earn or document.redeem or document.extensions):
            message = "the program has no rules: nothing is earned and nothing paid by it"
            yield self._finding("program-idle", message, "add `earn` rules", severity="warning")

    def within(self, known: Known) -> Iterator[Problem]:
        """What does not fit the ledger."""
        for at, kind in self._kinds():
            if fold(kind) not in known.kinds:
                message = f"the ledger has no kind of points `{kind}`"
                yield self._finding("point-kind-unknown", message, known.remedy(kind), *at)
            elif at[0] == "redeem" and not known.kinds[fold(kind)].redeemable:
                message = f"points of the kind `{kind}` do not pay"
                remedy = "use a redeemable kind, or set its Redeemable to Yes"
                yield self._finding("points-not-redeemable", message, remedy, *at)
        for place, index, one in self._of_rules():
            if one.currency is not None and fold(one.currency) not in known.currencies:
                message = f"there is no currency {one.currency}"
                yield self._finding(
                    "currency-unknown", message, "correct it", place, index, "currency"
                )
            if isinstance(one, Rule):
                yield from self._units(("earn", index, "for"), one.for_, known.units)
                yield from self._currency_of(("earn", index), one, known)

    def _extensions(self) -> Iterator[Problem]:
        """Those that are not installed, or do not take their options."""
        for index, one in enumerate(self._document.extensions):
            try:
                load(one.use, one.with_)
            except ConfigError as error:
                message = f"{error.message}: {error.cause}" if error.cause else error.message
                yield self._finding(error.code, message, error.remedy, "extensions", index, "use")

    # ------------------------------------------------------------------ tiers

    def _tier_order(self) -> Iterator[Problem]:
        tiers = self._document.tiers
        for index, one in enumerate(tiers):
            before = tiers[:index]
            if any(other.level == one.level for other in before):
                message = f"level {one.level} stands twice"
                yield self._finding(
                    "tier-twice", message, "give each tier a level of its own", *_tier(index)
                )
            elif before and one.level < max(other.level for other in before):
                yield self._finding(
                    "tier-order",
                    f"tier `{one.tier}` of level {one.level} stands after a higher one",
                    "list the tiers from the lowest level to the highest",
                    *_tier(index),
                )
            higher = next((other for other in tiers if _always_above(other, one)), None)
            if higher is not None:
                yield self._finding(
                    "tier-unreachable",
                    f"nobody stays in tier `{one.tier}`: whoever has its {one.points:f} points "
                    f"has the {higher.points:f} of `{higher.tier}` as well",
                    "ask for more points in the higher tier than in the lower one",
                    *("tiers", index, "points"),
                )

    # ------------------------------------------------------------------ rules

    def _rule(self, at: Where, rule: Rule) -> Iterator[Problem]:
        yield from self._kind_of_rule(at, rule)
        yield from self._conditions(at, rule)
        excluded = folded(self._document.excluded)
        groups = folded(rule.for_.groups)
        if groups and groups <= excluded:
            message = "every group of this rule is `excluded` from the program"
            yield self._never(message, *at, "for", "groups")

    def _kind_of_rule(self, at: Where, rule: Rule) -> Iterator[Problem]:
        yes, no = rule.for_, rule.not_for
        if rule.currency is None and (rule.by is By.AMOUNT or yes.least_amount is not None):
            what = "`by: amount`" if rule.by is By.AMOUNT else "`least-amount`"
            message, remedy = f"a rule with {what} says in which currency", "add `currency: EUR`"
            yield self._finding("rule-currency", message, remedy, *at)
        if rule.by is By.SALE and rule.every != rule.every.to_integral_value():
            message = f"`by: sale` counts sales, and {rule.every:f} is no whole number"
            yield self._finding("rule-contradiction", message, "write a whole number", *at, "every")
        if rule.by is By.SALE and rule.step is Step.WHOLE:
            message = "`by: sale` counts whole sales anyway"
            yield self._finding("rule-contradiction", message, "remove `step`", *at, "step")
        for part, terms in (("for", yes), ("not-for", no)):
            if rule.by is not By.ACTIVITY and terms.activities is not None:
                message = "`activities` is for rules with `by: activity`"
                yield self._never(message, *at, part, "activities")
            given = terms.model_dump(by_alias=True, exclude_none=True)
            of_sales = (*_OF_SALES, "least-amount", "least-quantity")
            for key in of_sales if rule.by is By.ACTIVITY else ():
                if key in given:
                    message = f"an activity has no `{key}`, only a sale has"
                    yield self._never(message, *at, part, key)
        if rule.by is By.ACTIVITY and rule.currency is not None:
            message = "an activity has no currency, only a sale has"
            yield self._never(message, *at, "currency")

    def _conditions(self, at: Where, rule: Rule | Redeem) -> Iterator[Problem]:
        yes, no = rule.for_, rule.not_for
        yield from self._tiers_known((*at, "for"), yes)
        yield from self._tiers_known((*at, "not-for"), no)
        empty = False
        for part, one in (("for", yes), ("not-for", no)):
            if one.first is not None and one.until is not None and one.until < one.first:
                empty = True
                message = f"the period ends on {one.until}, before it begins on {one.first}"
                yield self._finding("period-empty", message, "exchange the two", *at, part, "until")
        if not empty and not _any_day(rule):
            message = "no day is left: period and weekdays of `for` and `not-for` shut out all"
            yield self._never(message, *at, "for")
        for key in _LABELS:
            wanted = folded(getattr(yes, key, None))
            if wanted and wanted <= folded(getattr(no, key, None)):
                message = f"all `{key}` it is for stand in `not-for` as well"
                yield self._never(message, *at, "not-for", key)

    def _tiers_known(self, at: Where, terms: Circumstances) -> Iterator[Problem]:
        tiers = [one.tier for one in self._document.tiers]
        for index, name in enumerate(terms.tiers or ()):
            if name not in tiers:
                remedy = nearest(name, tiers) or "list it under `tiers`"
                message = f"the program has no tier `{name}`"
                yield self._finding("tier-unknown", message, remedy.rstrip(), *at, "tiers", index)

    # ------------------------------------------------------------------ the ledger

    def _kinds(self) -> Iterator[tuple[Where, str]]:
        for place in ("tiers", "earn", "redeem"):
            for index, one in enumerate(getattr(self._document, place)):
                yield (place, index, "kind"), one.kind

    def _of_rules(self) -> Iterator[tuple[str, int, Rule | Redeem]]:
        for index, rule in enumerate(self._document.earn):
            yield "earn", index, rule
        for index, pays in enumerate(self._document.redeem):
            yield "redeem", index, pays

    def _units(self, at: Where, terms: Conditions, units: frozenset[str]) -> Iterator[Problem]:
        for index, unit in enumerate(terms.units or ()):
            if fold(unit) not in units:
                message = f"the ledger has no operating unit `{unit}`"
                remedy = nearest(unit, sorted(units)) + "sales of a unit yet to come are met"
                yield self._finding(
                    "unit-unknown", message, remedy, *at, "units", index, severity="warning"
                )

    def _currency_of(self, at: Where, rule: Rule, known: Known) -> Iterator[Problem]:
        kind = known.kinds.get(fold(rule.kind))
        if rule.by is not By.AMOUNT or kind is None or kind.whole or not kind.currency:
            return
        if fold(rule.currency or "") != fold(kind.currency):
            message = f"`{kind.name}` is money in {kind.currency}, the rule counts another"
            remedy = f"count {kind.currency}, or leave it where `points` holds the exchange"
            yield self._finding(
                "currency-other", message, remedy, *at, "currency", severity="warning"
            )

    # ------------------------------------------------------------------ small parts

    def _never(self, message: str, *at: str | int) -> Problem:
        remedy = "correct the conditions, or remove the rule: nothing ever meets it"
        return self._finding("rule-never", message, remedy, *at)

    def _finding(
        self, code: str, message: str, remedy: str, *at: str | int, severity: str = "error"
    ) -> Problem:
        return Problem(code, message, remedy, self._file.subject(*at), severity)


def _repeated(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Places of names that stood before."""
    for index, name in enumerate(names):
        if name in names[:index]:
            yield index, name


def _tier(index: int) -> tuple[str, int, str]:
    return "tiers", index, "level"


def _always_above(higher: Tier, tier: Tier) -> bool:
    """Whether whoever has the points of a tier has those of a higher one."""
    return (
        higher.level > tier.level
        and fold(higher.kind) == fold(tier.kind)
        and higher.points <= tier.points
        and span_days(higher.within) >= span_days(tier.within)
    )


def _any_day(rule: Rule | Redeem) -> bool:
    """Whether any day is left to a rule."""
    yes, no, terms = rule.for_, rule.not_for, Terms.of(rule)
    # What is left begins with the period or after the exception, and weekdays come again.
    starts = [yes.first or date.min]
    if no.until is not None:
        starts.append(no.until + timedelta(1))
    return any(terms.on(start + timedelta(number)) for start in starts for number in range(7))
