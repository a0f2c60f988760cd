"""Change tracking through everything that stands between two tables: a load, then the feed.

Small pages, so that each feed has many; the service and the ledger are the real stand-ins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from connector.bootstrap import Project, open_project
from connector.cli.demo.people import CARDS, Agent, Clerk, card_number
from connector.cli.demo.stage import settings_for
from connector.ledger.ledger import Ledger
from connector.mapping.document import MapDocument
from connector.operations.outcomes import MapOutcome
from connector.operations.runs.comparing import verify_map
from connector.operations.runs.writing import load_maps, sync_maps

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

SET, KEY = "msdyn_loyaltycards", "msdyn_cardnumber"
COUNT = 23
DAY = date(2001, 1, 1)


class Shop:
    """A loaded shop, the people on both sides, and the state between two runs."""

    def __init__(self, project: Project, ledger: Ledger, agent: Agent) -> None:
        self.project = project
        self.ledger = ledger
        self.clerk = Clerk(ledger)
        self.agent = agent

    @property
    def document(self) -> MapDocument:
        return self.project.documents["loyalty-card"]

    def load(self) -> MapOutcome:
        (outcome,) = load_maps(self.project, [self.document])
        return outcome

    def sync(self) -> MapOutcome:
        (outcome,) = sync_maps(self.project, [self.document])
        assert outcome.error is None, outcome.error
        return outcome

    def redates(self, number: int, day: date) -> None:
        """An agent gives a card another day of enrolment."""
        text = day.isoformat()
        days = {"msdyn_enrollmentdate": text, "msdyn_effectivedate": text}
        self.agent.change(SET, KEY, card_number(number), **days)

    def day(self, number: int) -> Any:
        """The day of enrolment the ledger holds."""
        store = self.ledger.store(CARDS)
        record = store.find(card_number(number))
        assert record is not None
        (place,) = store.entity.places(["LoyaltyEnrollmentDate"])
        return record.values[place]

    def assert_equal(self) -> None:
        verdict = verify_map(self.project, self.document, lambda _finding: None)
        assert verdict.equal
        assert self.sync().writes == 0


@contextmanager
def opened(folder: Path, sandbox: dict[str, Any], page: int = 4) -> Iterator[Shop]:
    settings = settings_for(folder, sandbox)
    dataverse = settings.dataverse.model_copy(
        update={
            "page_size": page,
            "client_secret": f"file:{Path(sandbox['ca']).parent / 'client_secret'}",
        }
    )
    settings = settings.model_copy(update={"dataverse": dataverse})
    with Ledger.open(settings.commerce.url) as ledger, Agent(sandbox) as agent:
        if ledger.store(CARDS).find(card_number(0)) is None:
            Clerk(ledger).open_shop(COUNT)
        with open_project(settings) as project:
            yield Shop(project, ledger, agent)


@pytest.fixture
def shop(tmp_path: Path, sandbox: dict[str, Any], dataverse: DataverseSession) -> Iterator[Shop]:
    assert dataverse is not None  # it has emptied the organization
    with opened(tmp_path, sandbox) as made:
        assert made.load().finished
        yield made


def spoil(folder: Path, change: Any) -> None:
    """Change the stored position of the Dataverse feed."""
    engine = sa.create_engine(f"sqlite:///{folder / 'state.db'}")
    with engine.begin() as state:
        where = "map = 'loyalty-card' AND side = 'dataverse' AND kind = 'feed'"
        text = state.exec_driver_sql(f"SELECT position FROM positions WHERE {where}").scalar_one()
        mark = json.loads(text)
        change(mark)
        state.exec_driver_sql(
            f"UPDATE positions SET position = ? WHERE {where}", (json.dumps(mark),)
        )
    engine.dispose()


def test_a_delta_of_many_pages(shop: Shop, dataverse: DataverseSession) -> None:
    for number in range(11):
        shop.redates(number, date(2001, 1, 1 + number))
    for number in range(11, 14):
        shop.agent.delete(SET, KEY, card_number(number))
    dataverse.switch("reset", {"data": False})
    outcome = shop.sync()
    assert dataverse.counts()[f"GET {SET}?$deltatoken"] > 3
    assert outcome.counts["updated commerce"] == 11
    assert outcome.counts["created dataverse"] == 3  # `restore` puts them back
    assert [shop.day(n) for n in range(11)] == [date(2001, 1, 1 + n) for n in range(11)]
    shop.sync()
    shop.assert_equal()


def test_the_last_of_several_changes_counts(shop: Shop) -> None:
    for day in (3, 1, 2):
        shop.redates(1, date(2001, 1, day))
    shop.sync()
    assert shop.day(1) == date(2001, 1, 2)
    shop.assert_equal()


def test_a_token_that_expired_loses_nothing(shop: Shop, dataverse: DataverseSession) -> None:
    """Edits, a new row, a delete and work that was left pending, all from before it expired."""
    shop.clerk.change(CARDS, card_number(5), LoyaltyEnrollmentDate=date(2005, 1, 1))
    dataverse.switch("faults", {"kind": "unavailable", "method": "POST"})
    assert not shop.sync().finished  # the clerk's edit is known and waits
    shop.redates(1, DAY)
    shop.agent.delete(SET, KEY, card_number(2))
    shop.clerk.change(CARDS, card_number(3), LoyaltyEnrollmentDate=date(2003, 1, 1))
    dataverse.switch("expire-tokens")
    dataverse.switch("reset", {"data": False})
    outcome = _later(shop)
    assert outcome.counts["dataverse feed expired"] == 1
    assert shop.day(1) == DAY
    shop.sync()
    shop.assert_equal()


def _later(shop: Shop) -> MapOutcome:
    """A sync in a process that comes when the service takes requests again."""
    folder = Path(str(shop.project.settings.store.url).removeprefix("sqlite:///")).parent
    engine = sa.create_engine(f"sqlite:///{folder / 'state.db'}")
    with engine.begin() as state:
        state.exec_driver_sql("UPDATE records SET due = 1 WHERE due IS NOT NULL")
    engine.dispose()
    with open_project(shop.project.settings) as project:
        (outcome,) = sync_maps(project, [project.documents["loyalty-card"]])
    assert outcome.error is None, outcome.error
    return outcome


@pytest.mark.parametrize("how", ["another token", "another address", "no link"])
def test_a_foreign_token_asks_for_a_full_comparison(
    shop: Shop, tmp_path: Path, dataverse: DataverseSession, how: str
) -> None:
    def another(mark: dict[str, Any]) -> None:
        link = str(mark["delta"])
        if how == "another token":
            mark["delta"] = link.partition("$deltatoken=")[0] + "$deltatoken=12%21nobody"
        elif how == "another address":
            mark["delta"] = link.replace("https://127.0.0.1", "https://org.example")
        else:
            mark["delta"] = None

    spoil(tmp_path, another)
    shop.redates(1, DAY)
    shop.agent.delete(SET, KEY, card_number(2))
    outcome = shop.sync()
    assert outcome.counts["dataverse feed expired"] == 1
    assert shop.day(1) == DAY
    assert outcome.counts["created dataverse"] == 1
    dataverse.switch("reset", {"data": False})
    shop.assert_equal()


def test_a_delete_is_told_by_id_whatever_the_key_was(
    shop: Shop, dataverse: DataverseSession
) -> None:
    """The row's key was changed before it was deleted: the feed has its id alone."""
    row = dataverse.get(f"{SET}({KEY}='{card_number(4)}')").json()
    url = f"{SET}({row['msdyn_loyaltycardid']})"
    assert dataverse.patch(url, json={KEY: "somebody-else"}).status_code == 204
    assert dataverse.delete(url).status_code == 204
    outcome = shop.sync()
    assert outcome.counts["created dataverse"] == 1
    shop.assert_equal()
