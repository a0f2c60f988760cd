"""Why a rule gives nothing: the first of its conditions that a sale or activity does not meet.

Owns: these reasons, for people; trying a sale without posting it.
Never does: deciding what is earned (`earning.py`): a reason is only looked for where nothing was.
Tested in: tests/unit/ledger/programs/test_missing.py, test_laws.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from connector.ledger.members.facts import facts
from connector.ledger.members.member import Member
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.document import By, Circumstances, Mixed
from connector.ledger.programs.earning import Earning, Seen
from connector.ledger.programs.occasion import Activity, Earned, Occasion
from connector.ledger.programs.rounding import plain
from connector.ledger.programs.store import load
from connector.ledger.programs.terms import Labels

if TYPE_CHECKING:
    from connector.ledger.ledger import Ledger


class Missed(NamedTuple):
    """A rule that gives nothing for an occasion."""

    program: str
    version: int
    rule: str
    why: str


class Tried(NamedTuple):
    """What an occasion would earn, and which rules would give nothing."""

    earned: list[Earned]
    missed: list[Missed]


def tried(ledger: Ledger, occasion: Occasion, card: str) -> Tried:
    """An occasion of a card, by its id, judged by the programs in force; nothing is posted."""
    occasion = replace(occasion, at=occasion.at.astimezone(ledger.zone))
    with ledger.reading() as connection:
        programs = load(connection)
        member = facts(connection, [card])[card]
    return Tried(programs.earned(occasion, member), missed(programs, occasion, member))


def missed(programs: Programs, occasion: Occasion, member: Member) -> list[Missed]:
    """Every rule for such an occasion that gives nothing, with the first reason."""
    seen, day = Seen.of(occasion), occasion.at.date()
    of = {one.offering: one for one in programs.programs}
    found: list[Missed] = []
    for rule in programs.rules:
        if (rule.rule.by is By.ACTIVITY) is not isinstance(occasion, Activity):
            continue
        why = next(_reasons(of[rule.offering], rule, member, seen, day), None)
        if why is not None:
            offering = rule.offering
            found.append(Missed(offering.program, offering.version, rule.rule.rule, why))
    return found


def _reasons(
    program: Program, rule: Earning, member: Member, seen: Seen, day: date
) -> Iterator[str]:
    yield from _of_program(program, member, seen)
    yield from _of_day(rule, day)
    yield from _of_whole(rule, member, seen)
    if not isinstance(seen.occasion, Activity):
        yield from _of_sale(rule, seen)
        every = rule.rule.every
        sales = member.counted(pooled=rule.offering.pooled) + 1
        if rule.rule.by is By.SALE and sales % every:
            yield f"it is sale {sales} of {rule.offering.whose}, each {plain(every)}. counts"
    if rule.earned(member, seen) is None:
        yield "it comes to less than the smallest part of a point"


def _of_program(program: Program, member: Member, seen: Seen) -> Iterator[str]:
    offering, name = program.offering, program.document.program
    if not offering.open_to(member):
        yield f"the card has not joined {name}"
    if out := offering.excluded & member.groups:
        yield f"{_listed(out)} earns nothing in {name}"
    if offering.mixed is Mixed.NO and seen.redeems:
        yield "a part of the sale is paid with points"
    if program.extensions and not program.extensions.admits(seen.occasion, member):
        yield f"an extension of {name} does not let it count"


def _of_day(rule: Earning, day: date) -> Iterator[str]:
    if not rule.terms.whole.days.holds(day):
        yield f"it holds {_days(rule.rule.for_)}, not on {day}"
    elif not rule.terms.on(day):
        yield f"{day} is left out: {_days(rule.rule.not_for)}"


def _of_whole(rule: Earning, member: Member, seen: Seen) -> Iterator[str]:
    tier = member.tiers.get(rule.offering.program)
    place, yes, no = seen.place, rule.terms.whole, rule.terms.not_whole
    for name, asked, out, has in (
        ("group", yes.groups, no.groups, member.groups),
        ("tier", yes.tiers, no.tiers, _one(tier)),
        ("channel", yes.channels, no.channels, _one(place.channel)),
        ("unit", yes.units, no.units, _one(place.unit)),
        ("activity", yes.activities, no.activities, _one(place.activity)),
    ):
        if asked and not asked & has:
            yield f"it asks for the {name} {_listed(asked)}"
        if out & has:
            yield f"the {name} {_listed(out & has)} is left out"


def _of_sale(rule: Earning, seen: Seen) -> Iterator[str]:
    asked, terms, currency = rule.rule, rule.terms, getattr(seen.occasion, "currency", None)
    if asked.currency not in {None, currency}:
        yield f"it counts {asked.currency}, the sale is in {currency}"
    lines = rule.lines(seen)
    if not lines:
        yield "no line of the sale counts for it"
    amount, quantity = sum(one.amount for one in lines), sum(one.quantity for one in lines)
    if terms.least_amount is not None and amount < terms.least_amount:
        least = plain(terms.least_amount)
        yield f"the lines that count come to {amount:f}, at least {least} is due"
    if terms.least_quantity is not None and quantity < terms.least_quantity:
        least = plain(terms.least_quantity)
        yield f"the quantity of the lines that count is {quantity:f}, at least {least} is due"
    if rule.share(seen)[0] <= 0:
        yield "nothing was paid in a way that counts for it"


def _one(label: str | None) -> Labels:
    return frozenset() if label is None else frozenset((label,))


def _listed(labels: Labels) -> str:
    return " or ".join(sorted(labels))


def _days(one: Circumstances) -> str:
    """A period and weekdays, as the document says them."""
    parts = (
        f"from {one.first}" if one.first else "",
        f"until {one.until}" if one.until else "",
        f"on {', '.join(one.weekdays)}" if one.weekdays else "",
    )
    return " ".join(part for part in parts if part)
