"""A shop with its ledger and a sandbox in a process of its own, for one benchmark."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import requests

from connector.bootstrap import Project, open_project
from connector.cli.demo.people import CARDS, Clerk, card_number
from connector.cli.demo.stage import settings_for
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Operation, Refused, Upsert
from connector.mapping.document import MapDocument
from connector.operations.outcomes import MapOutcome, took_in
from connector.operations.runs.writing import load_maps, sync_maps
from connector.sandbox.run import running
from connector.settings import Settings, StoreSettings
from tests.postgresql import store_url

CARD_MAP = "loyalty-card"


@dataclass(frozen=True, slots=True)
class Site:
    """Both systems, and the project between them."""

    folder: Path
    sandbox: Mapping[str, Any]
    settings: Settings
    ledger: Ledger
    project: Project

    @property
    def cards(self) -> MapDocument:
        """The map of the cards."""
        return self.project.documents[CARD_MAP]

    def load(self) -> MapOutcome:
        """The initial load of all maps; that of the cards is told."""
        outcomes = load_maps(self.project, list(self.project.documents.values()))
        return _good(next(one for one in outcomes if one.map == CARD_MAP))

    def sync(self) -> MapOutcome:
        """One sync of the cards."""
        (outcome,) = sync_maps(self.project, [self.cards])
        return _good(outcome)

    def took(self, writes: str) -> float:
        """Seconds the last run over the cards took for these writes, as `created dataverse`."""
        (row,) = self.project.store.runs(CARD_MAP, 1)
        return took_in(row.counts)[writes]

    def edit(self, count: int, enrolled: date) -> None:
        """Somebody gives the first cards another day of enrolment."""
        store = self.ledger.store(CARDS)
        for first in range(0, count, 1000):
            numbers = range(first, min(first + 1000, count))
            changes: list[Operation] = [
                Upsert({"CardNumber": card_number(number), "LoyaltyEnrollmentDate": enrolled})
                for number in numbers
            ]
            assert not any(isinstance(one, Refused) for one in store.apply(changes, by="clerk"))

    def asked(self) -> dict[str, int]:
        """Requests to the sandbox so far, by kind."""
        kinds: dict[str, int] = self._counted()["kinds"]
        return kinds

    def faults(self) -> dict[str, int]:
        """Requests that were refused or lost by the sandbox so far."""
        faults: dict[str, int] = self._counted()["faults"]
        return faults

    def _counted(self) -> dict[str, Any]:
        url = f"{self.sandbox['dataverse']}/sandbox/requests"
        answer: dict[str, Any] = requests.get(url, verify=self.sandbox["ca"], timeout=30).json()
        return answer


@contextmanager
def site(cards: int, store: str = "sqlite", **sandbox: Any) -> Iterator[Site]:
    """A shop with so many cards; `sandbox` are options of `connector.sandbox.run.running`."""
    with (
        tempfile.TemporaryDirectory(prefix="dualwrite-bench-") as name,
        store_url(store, Path(name)) as url,
        running(Path(name) / "sandbox", **sandbox) as where,
    ):
        folder = Path(name)
        settings = settings_for(folder, where)
        settings = settings.model_copy(update={"store": StoreSettings(url=url)})
        with Ledger.open(settings.commerce.url) as ledger:
            Clerk(ledger).open_shop(cards)
            with open_project(settings) as project:
                yield Site(folder, where, settings, ledger, project)


def _good(outcome: MapOutcome) -> MapOutcome:
    assert outcome.error is None, outcome.error
    return outcome
