"""`dualwrite demo`: the whole story on one machine, in half a minute.

Owns: the command and the order of the story.
Never does: anything a project could not do with the same commands.
Tested in: tests/acceptance/test_demo.py.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.demo.stage import (
    FEWEST,
    Teller,
    raise_failure,
    report,
    settings_for,
    verified,
)
from connector.cli.options import Options, with_options
from connector.cli.progress import progress

if TYPE_CHECKING:
    from connector.bootstrap import Project
    from connector.mapping.document import MapDocument

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def demo(
    options: Options,
    cards: Annotated[int, typer.Option(min=FEWEST, help="Cards the ledger starts with.")] = 2000,
    points: Annotated[
        bool, typer.Option("--points", help="The story of a club's points instead.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Keep everything in this folder.")
    ] = None,
) -> None:
    """Play the whole story: fill a ledger, load CRM, edit on both sides, sync, decide, verify.

    With --points members earn, spend and lose points; an agent sees them in CRM and corrects them.

    Needs nothing: ledger, sandbox and state live in a temporary folder. Ends with 0 only when
    both sides are equal.
    """
    with _folder(folder) as home, progress(options.json) as told:
        teller = Teller(options.json)
        if points:
            from connector.cli.demo.points import play

            result = play(home, cards, teller, told)
        else:
            result = _play(home, cards, teller, told)
    if options.json:
        output.emit(result)
    if not result["verify"]["equal"]:
        raise typer.Exit(3)


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="dualwrite-demo-") as name:
        yield Path(name)


def _play(home: Path, cards: int, tell: Teller, told: Any) -> dict[str, Any]:
    from connector.bootstrap import open_project
    from connector.cli.demo.people import Agent, Clerk
    from connector.ledger.ledger import Ledger
    from connector.sandbox.run import running

    tell.head("1. Two systems")
    with running(home / "sandbox") as sandbox:
        tell.line(f"Dataverse stand-in at {sandbox['dataverse']}: TLS, tokens, the Web API")
        settings = settings_for(home, sandbox)
        with Ledger.open(settings.commerce.url) as ledger:
            clerk = Clerk(ledger)
            clerk.open_shop(cards)
            tell.line(f"Commerce ledger with {cards:,} loyalty cards and 3 kinds of reward points")
            with open_project(settings, told) as project, Agent(sandbox) as agent:
                return _live(project, clerk, agent, tell)


def _live(project: Project, clerk: Any, agent: Any, tell: Teller) -> dict[str, Any]:
    from connector.mapping.values import Side
    from connector.operations.conflicts.deciding import resolve_conflicts
    from connector.operations.conflicts.waiting import Wanted, conflict_dict, conflicts_in
    from connector.operations.runs.writing import load_maps, sync_maps

    documents = list(project.documents.values())
    tell.head("2. Load: CRM gets what the shop has")
    loads = load_maps(project, documents)
    report(loads, tell)

    tell.head("3. People work on both sides")
    _edit(clerk, agent, tell)

    tell.head("4. Sync")
    syncs = sync_maps(project, documents)
    report(syncs, tell)
    conflicts = [
        conflict_dict(document, entry)
        for document in documents
        for entry in conflicts_in(project, document, Wanted())
    ]
    tell.head("5. One conflict, one decision")
    for one in conflicts:
        document = project.documents[one["map"]]
        shop, crm = (_spoken(document, one[side]) for side in ("commerce", "dataverse"))
        tell.line(
            f"Card {one['key']}, {one['field']}: the shop wrote {shop}, CRM wrote {crm}. "
            "Nothing was overwritten."
        )
        wanted = Wanted(one["key"], one["field"], as_shown=one["revision"])
        decided = resolve_conflicts(project, document, wanted, by="demo", winner=Side.DATAVERSE)
        syncs.append(decided.outcome)
        tell.line("Decided for CRM; the shop's value stays in the history.")

    tell.head("6. Sync again: nothing left to do")
    quiet = sync_maps(project, documents)
    report(quiet, tell)

    tell.head("7. Proof")
    verdict = verified(project, tell)
    raise_failure([*loads, *syncs, *quiet])
    return {
        "cards": verdict.pop("cards"),
        "loaded": sum(outcome.writes for outcome in loads),
        "synced": sum(outcome.writes for outcome in [*syncs, *quiet]),
        "conflicts": len(conflicts),
        "second_sync": sum(outcome.writes for outcome in quiet),
        "verify": verdict,
        "points": None,
    }


def _edit(clerk: Any, agent: Any, tell: Teller) -> None:
    from connector.cli.demo.people import CARDS, POINTS, card_number

    crm, number = "msdyn_loyaltycards", "msdyn_cardnumber"
    clerk.change(CARDS, card_number(1), CardTenderType="Blocked")
    tell.line(f"The shop blocks {card_number(1)}")
    clerk.change(POINTS, "Bonus", ExpirationTimeUnit="Month", ExpirationTimeValue=30)
    tell.line("The shop lets Bonus points live 30 months instead of 2 years")
    clerk.delete(CARDS, card_number(2))
    tell.line(f"The shop deletes {card_number(2)}")
    agent.change(crm, number, card_number(3), msdyn_cardtendertype=806380003)
    tell.line(f"An agent blocks {card_number(3)} in CRM")
    agent.change(crm, number, card_number(4), msdyn_replacementcardnumber="LC-1")
    tell.line(
        f"An agent edits the replacement number of {card_number(4)}, which never travels back"
    )
    agent.delete(crm, number, card_number(5))
    tell.line(f"An agent deletes {card_number(5)} by mistake")
    clerk.change(CARDS, card_number(6), CardTenderType="NoTender")
    agent.change(crm, number, card_number(6), msdyn_cardtendertype=806380001)
    tell.line(f"Both change {card_number(6)} at once")


def _spoken(document: MapDocument, values: Mapping[str, Any]) -> str:
    return ", ".join(document.spoken(column, value) for column, value in values.items())
