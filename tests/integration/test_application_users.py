"""Several application users share the work, and all of them are us."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.bootstrap import Project, open_project
from connector.cli.demo.people import CARDS, Agent, Clerk, card_number
from connector.cli.demo.stage import settings_for
from connector.ledger.ledger import Ledger
from connector.mapping.values import Side
from connector.operations.outcomes import MapOutcome
from connector.operations.runs.writing import load_maps, sync_maps
from connector.settings import DataverseSettings

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

SET, KEY = "msdyn_loyaltycards", "msdyn_cardnumber"
COUNT = 60


@pytest.fixture
def project(
    tmp_path: Path, sandbox: dict[str, Any], dataverse: DataverseSession
) -> Iterator[Project]:
    """A shop whose connector works as two application users, in small calls."""
    assert dataverse is not None  # it has emptied the organization
    secret = tmp_path / "second_secret"
    secret.write_text(sandbox["second_client_secret"])
    settings = settings_for(tmp_path, sandbox)
    given = settings.dataverse.model_dump() | {
        "client_secret": f"file:{Path(sandbox['ca']).parent / 'client_secret'}",
        "users": [{"client_id": sandbox["second_client_id"], "client_secret": f"file:{secret}"}],
        "batch_size": 10,
    }
    settings = settings.model_copy(update={"dataverse": DataverseSettings.model_validate(given)})
    with Ledger.open(settings.commerce.url) as ledger:
        Clerk(ledger).open_shop(COUNT)
    with open_project(settings) as opened:
        yield opened


def cards(outcomes: list[MapOutcome]) -> MapOutcome:
    (outcome,) = [one for one in outcomes if one.map == "loyalty-card"]
    assert outcome.error is None, outcome.error
    return outcome


def sync(project: Project) -> MapOutcome:
    return cards(sync_maps(project, [project.documents["loyalty-card"]]))


def creators(dataverse: DataverseSession) -> set[str]:
    rows = dataverse.get(f"{SET}?$select=_createdby_value,_modifiedby_value").json()["value"]
    assert len(rows) == COUNT
    return {row["_createdby_value"] for row in rows} | {row["_modifiedby_value"] for row in rows}


def test_the_writes_of_all_of_them_are_our_own(
    project: Project, sandbox: dict[str, Any], dataverse: DataverseSession
) -> None:
    document = project.documents["loyalty-card"]
    assert cards(load_maps(project, [document])).finished
    ours = project.endpoints(document)[Side.DATAVERSE].identity().users
    assert creators(dataverse) == ours
    assert len(ours) == 2
    assert sync(project).writes == 0
    # Somebody else is still a person.
    with Agent(sandbox) as agent:
        day = {"msdyn_enrollmentdate": "2001-02-03", "msdyn_effectivedate": "2001-02-03"}
        agent.change(SET, KEY, card_number(7), **day)
    assert sync(project).counts["updated commerce"] == 1


def test_updates_of_one_are_no_news_to_another(
    project: Project, sandbox: dict[str, Any], dataverse: DataverseSession
) -> None:
    document = project.documents["loyalty-card"]
    load_maps(project, [document])
    with Ledger.open(project.settings.commerce.url) as ledger:
        clerk = Clerk(ledger)
        for number in range(COUNT):
            clerk.change(CARDS, card_number(number), LoyaltyEnrollmentDate=date(2001, 1, 1))
    assert sync(project).counts["updated dataverse"] == COUNT
    assert sync(project).writes == 0


def test_one_who_is_refused_leaves_the_work_to_the_other(
    project: Project, dataverse: DataverseSession
) -> None:
    document = project.documents["loyalty-card"]
    endpoint = project.endpoints(document)[Side.DATAVERSE]
    endpoint.identity()
    dataverse.switch("faults", {"kind": "throttle", "retry_after": 300, "count": 1})
    assert cards(load_maps(project, [document])).finished
    assert endpoint.throttling().times == 1
