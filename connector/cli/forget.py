"""`dualwrite forget`: a person's data is removed from the sync state, and from the ledger.

Owns: asking for confirmation, and telling what was done.
Never does: the removing (`connector/operations/{forgetting,unlinking}.py`).
Tested in: tests/acceptance/test_forget.py, tests/acceptance/test_forget_customer.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.deciding import MapOption
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption, YesOption, confirmed, person
from connector.errors import UsageError

if TYPE_CHECKING:
    from connector.ledger.forgetting import Unlinked
    from connector.operations.unlinking import Forgotten

app = typer.Typer(add_completion=False)

NEEDS_PERSON = 3
TOLD = {
    "cards": "cards that are nobody's and blocked now",
    "groups": "groups and affiliations",
    "households": "households",
    "blocks": "entries among the customers who get no card",
    "programs": "programs their cards had joined",
    "segments": "marks of segments on their cards",
    "sales": "sales that named them",
    "gifts": "gifts that named them",
    "owed": "points that programs owed them",
}
"""In words, what the ledger takes a customer off."""


@app.command()
@with_options
def forget(
    options: Options,
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="Key or record number.")
    ] = None,
    party: Annotated[
        str | None,
        typer.Option("--party", metavar="NUMBER", help="A customer: ledger, Dataverse and state."),
    ] = None,
    map: MapOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be done.")] = False,
    yes: YesOption = False,
    by: ByOption = None,
) -> None:
    """Remove a person's data: of a card that is gone, or of a customer with all cards."""
    if (key is None) == (party is None) or (party is not None and map is not None):
        raise UsageError(
            "usage",
            "forget takes one card, of all maps or of one, or one customer",
            remedy="name a card: `dualwrite forget CARD`; or a customer: "
            "`dualwrite forget --party NUMBER`",
        )
    if key is not None:
        _forget_record(options, key, map, plan=plan, yes=yes)
    else:
        assert party is not None
        _forget_customer(options, party, f"cli:{person(by)}", plan=plan, yes=yes)


def _forget_record(options: Options, key: str, map: str | None, *, plan: bool, yes: bool) -> None:
    from connector.bootstrap import open_project
    from connector.operations.choosing import chosen
    from connector.operations.forgetting import forget as forget_known
    from connector.operations.forgetting import known_of, refuse_present

    rows: Mapping[str, int] = {}
    with open_project(options.settings()) as project:
        found = known_of(project, chosen(project, map), key)
        numbers = [(known.document.map, number) for known in found for number in known.numbers]
        told = ", ".join(f"{name} record {number}" for name, number in numbers)
        if plan:
            refuse_present(project, found)
        else:
            confirmed(f"Forget {told} for good?", yes=yes, as_json=options.json)
            rows = forget_known(project, found)
    if options.json:
        records = [{"map": name, "record": number} for name, number in numbers]
        output.emit(_form(key, plan=plan, forgotten=records, rows=rows))
        return
    if plan:
        output.say(f"would be forgotten: {told}")
        return
    output.say(f"forgotten: {told}; a keyed hash is left, by which `dualwrite history` knows it")
    _say_the_rest()


def _forget_customer(options: Options, party: str, by: str, *, plan: bool, yes: bool) -> None:
    from connector.bootstrap import open_project
    from connector.operations.unlinking import forget_everywhere, planned

    with open_project(options.settings()) as project:
        ahead = planned(project, party, by=by)
        if plan:
            if options.json:
                output.emit(_form(party, plan=True, ledger=ahead))
            else:
                _show("Would go", party, ahead)
                output.say(
                    "then a sync carries that to Dataverse, and the state forgets the number"
                )
            return
        cards = 0 if ahead is None else len(ahead.cards)
        question = f"Take customer {party} off {cards} cards and all else, for good?"
        confirmed(question, yes=yes, as_json=options.json)
        done = forget_everywhere(project, party, by=by)
    if options.json:
        output.emit(
            _form(party, plan=False, ledger=done.ledger, rows=done.rows)
            | {"synced": _synced(done), "left": _left(done)}
        )
    else:
        _show("Gone", party, done.ledger)
        _show_done(done)
    if done.left or done.held:
        raise typer.Exit(NEEDS_PERSON)


def _form(
    key: str,
    *,
    plan: bool,
    ledger: Unlinked | None = None,
    forgotten: list[dict[str, Any]] | None = None,
    rows: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The documented JSON form (docs/json.md)."""
    return {
        "key": key,
        "planned": plan,
        "forgotten": forgotten or [],
        "cards": [] if ledger is None else list(ledger.cards),
        "ledger": None if ledger is None else dict(ledger.counts),
        "synced": 0,
        "rows": dict(sorted((rows or {}).items())),
        "left": [],
    }


def _synced(done: Forgotten) -> int:
    return sum(outcome.writes for outcome in done.outcomes)


def _left(done: Forgotten) -> list[dict[str, Any]]:
    """The maps whose state tells of the customer still, and why."""
    waiting = [{"map": name, "records": count, "error": None} for name, count in done.held.items()]
    failed = [
        {"map": name, "records": 0, "error": error.as_dict()} for name, error in done.left.items()
    ]
    return waiting + failed


def _show(title: str, party: str, ledger: Unlinked | None) -> None:
    if ledger is None:
        output.say(f"The ledger does not know customer {party} any more.")
        return
    rows = [(TOLD[name], count) for name, count in ledger.counts.items()]
    output.table(f"{title}: customer {party}", ("of the ledger", "rows"), rows)
    if ledger.cards:
        output.line(f"cards: {', '.join(ledger.cards)}")


def _show_done(done: Forgotten) -> None:
    output.say(f"synced: {_synced(done)} records written")
    told = ", ".join(f"{count} {table}" for table, count in sorted(done.rows.items()))
    output.say(f"emptied in the state: {told or 'nothing'}")
    for name, count in done.held.items():
        output.say(
            f"{name}: {count} records hold the number still; `dualwrite status` says what keeps "
            "them from travelling. Decide that, then type this again"
        )
    for name, error in done.left.items():
        output.say(f"{name}: not emptied, {error.code}: {error.message}. Type this again later")
    output.say("entries of the journal stay, and name cards that lead to nobody")
    _say_the_rest()


def _say_the_rest() -> None:
    output.say("reports, CSV files, the other systems and all backups are yours to clear:")
    output.say('  docs/operations.md, "A card holder asks to be forgotten"')
