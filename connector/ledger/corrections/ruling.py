"""Whether a correction may be posted, and what its agent is told.

Owns: the order of the questions, and every sentence an agent reads. Pure.
Never does: SQL, posting (`desk.py`); naming commands an agent does not have.
Tested in: tests/unit/ledger/corrections/test_ruling.py.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from connector.errors import RecordError
from connector.ledger.corrections.limits import Limits
from connector.ledger.journal.amounts import SCALE

OTHER_REQUEST = "File a new request for any further correction."


class Request(NamedTuple):
    """What is asked for; whatever is missing is None."""

    card: str | None
    kind: str | None
    amount: Decimal | None
    """Points to be added, negative ones to be taken away."""
    reason: str | None
    person: str | None


class Used(NamedTuple):
    """Points corrected on this day already, added and taken away alike."""

    by_person: Decimal = Decimal(0)
    on_card: Decimal = Decimal(0)


def incomplete(request: Request, limits: Limits) -> str | None:
    """Why nobody could post this request, whatever the ledger holds."""
    if request.card is None:
        return "No card is named. Choose the member's card."
    if request.kind is None:
        return "No kind of points is named. Choose one."
    if not request.amount:
        return "The amount is 0 or missing. Enter how many points to add, or with a minus to take."
    if limits.reason and request.reason is None:
        return "There is no reason. Say why the points are corrected."
    return None


def not_allowed(request: Request, limits: Limits, used: Used) -> str | None:
    """Why this person may not have this complete request posted on this day."""
    assert request.kind is not None
    assert request.amount is not None
    allowance = limits.of(request.person)
    if allowance is None:
        who = request.person or "Whoever filed this request"
        return f"{who} may not correct points. Ask somebody who may to file the request."
    if not allowance.covers(request.kind):
        kinds = ", ".join(allowance.kinds or ()) or "none"
        return f"You may not correct points of the kind {request.kind}. You may correct: {kinds}."
    asked = abs(request.amount)
    if allowance.per_request is not None and asked > allowance.per_request:
        return (
            f"{shown(asked)} points are more than one request of yours may have: "
            f"{shown(allowance.per_request)}. Ask for less, or ask somebody who may do more."
        )
    if allowance.per_day is not None and asked > allowance.per_day - used.by_person:
        return _spent("you may correct on one day", allowance.per_day, used.by_person)
    if limits.per_card_day is not None and asked > limits.per_card_day - used.on_card:
        return _spent("may be corrected on one card on one day", limits.per_card_day, used.on_card)
    return None


def unknown_card() -> str:
    """The ledger has no such card."""
    return (
        "The shops' ledger does not know this card. Check its number; a card made in CRM a moment "
        "ago is there after the next synchronization: then change this request, or file another."
    )


def blocked_card(replaced_by: str | None) -> str:
    """The card is out of use."""
    if replaced_by is not None:
        return f"This card was replaced by …{replaced_by[-4:]}. Choose that card."
    return "This card is blocked. Have it unblocked, or choose another card of the member."


def unknown_kind(kind: str) -> str:
    """The ledger has no such points."""
    return f"The shops' ledger has no points of the kind {kind}. Choose another kind."


def short(asked: Decimal, available: Decimal) -> str:
    """More is to be taken away than there is."""
    if available <= 0:
        return "The card has no points of this kind that could be taken away."
    return (
        f"The card has {shown(available)} points of this kind at hand, "
        f"{shown(abs(asked))} cannot be taken away. Take {shown(available)} at most."
    )


def refused_by_journal(error: RecordError, available: Decimal, request: Request) -> str:
    """What the journal of points would not take, for somebody without its commands."""
    assert request.amount is not None
    match error.code:
        case "points-short":
            return short(request.amount, available)
        case "points-fractional":
            return (
                f"Points of the kind {request.kind} are counted whole, "
                f"{shown(request.amount)} are not. Enter a whole number."
            )
        case "points-invalid":
            return (
                f"{shown(request.amount)} is no number of points: enter one with {SCALE} "
                "decimals at most."
            )
        case _:
            return f"The ledger refused: {error.message}. Show this to your administrator."


def posted(points: Decimal, balance: Decimal) -> str:
    """It was done."""
    done = f"{shown(points)} points added" if points > 0 else f"{shown(-points)} points taken away"
    return f"{done}. The card then had {shown(balance)} points of this kind at hand."


def changed_since(text: str) -> str:
    """`text` of a request that somebody changed after it was posted."""
    return (
        f"{text} The request was changed afterwards: that does nothing, what was posted stays. "
        f"{OTHER_REQUEST}"
    )


def shown(points: Decimal) -> str:
    """Points as people write them: without an exponent, and without zeros that say nothing."""
    text = format(points, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _spent(what: str, most: Decimal, used: Decimal) -> str:
    left = max(Decimal(0), most - used)
    return (
        f"{shown(most)} points {what}; {shown(used)} are posted today, {shown(left)} are left. "
        "Ask for no more than that, or try again tomorrow."
    )
