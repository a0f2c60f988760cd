"""A customer who asked to be forgotten, in all that is ours: ledger, Dataverse, state.

Owns: the order: the ledger first, then a sync that carries it to Dataverse, then the past in the
state; each part may be done again, so a command that was cut short is typed once more.
Never does: taking entries off the journal; deleting rows in Dataverse by itself.
Tested in: tests/acceptance/test_forget_customer.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from connector.bootstrap import Project
from connector.engine.runs.running import running
from connector.errors import DualWriteError, RecordError, Subject, UsageError
from connector.ledger.forgetting import Unlinked, forget_customer, known
from connector.ledger.ledger import Ledger
from connector.mapping.document import MapDocument
from connector.operations.outcomes import MapOutcome
from connector.operations.runs.writing import sync_maps


@dataclass(slots=True)
class Forgotten:
    """What was done about a customer."""

    ledger: Unlinked | None
    """None where the ledger had forgotten them before."""
    outcomes: list[MapOutcome] = field(default_factory=list)
    """Of the sync that carried it across."""
    rows: Counter[str] = field(default_factory=Counter)
    """Rows of the state that told of them, by table."""
    held: dict[str, int] = field(default_factory=dict)
    """Records by map that hold their number still: something keeps it from travelling."""
    left: dict[str, DualWriteError] = field(default_factory=dict)
    """Maps whose state could not be worked, and why."""


def planned(project: Project, party: str, *, by: str) -> Unlinked | None:
    """What the ledger would do; None where it does not know the customer. Nothing is changed."""
    with _ledger(project) as ledger:
        if not known(ledger, party):
            return None
        return forget_customer(ledger, party, by=by, plan=True)


def forget_everywhere(project: Project, party: str, *, by: str) -> Forgotten:
    """Take a customer off the ledger's records, sync, and empty what the state tells of them.

    Raises `UsageError` (`ledger-other`), and `RecordError` (`customer-unknown`) where neither the
    ledger nor the state knows the number. What keeps one map is told in the result.
    """
    with _ledger(project) as ledger:
        unlinked = forget_customer(ledger, party, by=by) if known(ledger, party) else None
    done = Forgotten(unlinked)
    documents = list(project.documents.values())
    done.outcomes = sync_maps(project, documents)
    for document in documents:
        try:
            rows = _redacted(project, document, party)
        except DualWriteError as error:
            done.left[document.map] = error
            continue
        held = rows.pop("records")
        if held:
            done.held[document.map] = held
        done.rows.update(rows)
    if unlinked is None and not (done.left or done.held or any(done.rows.values())):
        raise RecordError(
            "customer-unknown",
            "neither the ledger nor the state knows this customer",
            remedy="check the PartyNumber; a card is forgotten with `dualwrite forget CARD`",
            subject=Subject(field="PartyNumber"),
        )
    return done


def _redacted(project: Project, document: MapDocument, party: str) -> dict[str, int]:
    map, entities = project.compiled(document)
    ports = project.ports(document)
    with running("forget", map, entities, ports, project.tuning, held=True) as run:
        rows: Mapping[str, int] = run.store.redact(run.lease, party)
        return dict(rows)


@contextmanager
def _ledger(project: Project) -> Iterator[Ledger]:
    side = project.settings.commerce
    if side.kind != "ledger":
        raise UsageError(
            "ledger-other",
            f"the commerce side of this config is {side.kind}, not the embedded ledger",
            remedy="take the customer off their cards there, sync, then "
            "`dualwrite forget CARD` for each card that is deleted",
        )
    with Ledger.open(side.url, create=False) as ledger:
        yield ledger
