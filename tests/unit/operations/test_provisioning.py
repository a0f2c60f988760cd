"""What provisioning does in which order, and what it says of what it cannot do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from connector.errors import MapError, UnreachableError
from connector.mapping.columns import Column, Reference
from connector.mapping.document import parse_document
from connector.mapping.tables.provision import AwaitKey, Existing, Step
from connector.mapping.tables.wanted import WantedTable
from connector.mapping.values import Side, ValueType
from connector.operations.provision.provisioning import Provision, carry_out, plan_provision
from connector.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.bootstrap import Project

CARDS = """
map: cards
commerce: {entity: Cards}
dataverse: {entity: new_cards}
fields:
  - {commerce: Number, sync: "=", dataverse: new_number, key: true}
"""
POINTS = """
map: points
commerce: {entity: Points}
dataverse: {entity: new_points}
fields:
  - {commerce: Number, sync: "=", dataverse: new_code, key: true}
  - {commerce: Card, sync: ">", dataverse: new_card.new_number}
"""
POINT_FILE = """
table: new_points
name: new_Point
title: Point
titles: Points
columns:
  - {column: new_Card, title: Card, type: reference, target: TARGET}
"""
COLUMNS = {name: Column(name, ValueType.TEXT, max_length=30) for name in ("Number", "Card")}


class Organization:
    """Definitions kept in memory; `fails_at` is the number of the step that gets no answer."""

    def __init__(
        self,
        *there: str,
        state: str = "Active",
        fails_at: int | None = None,
        number: Column = COLUMNS["Number"],
    ) -> None:
        self.there = set(there)
        self.number = number
        self.state = state
        self.fails_at = fails_at
        self.publishers = frozenset({"new", "msdyn"})
        self.done: list[str] = []

    def existing(self, set_name: str) -> Existing | None:
        if set_name not in self.there:
            return None
        return Existing(set_name, {"new_number": self.number}, {}, tracked=True)

    def prefixes(self) -> frozenset[str]:
        return self.publishers

    def carry_out(self, step: Step) -> None:
        if len(self.done) == self.fails_at:
            raise UnreachableError("unreachable", "no answer", remedy="run it again")
        self.done.append(str(step))

    def key_state(self, table: WantedTable) -> str:
        return self.state

    def publish(self, tables: Sequence[WantedTable]) -> None:
        self.done.append(f"publish {', '.join(table.name for table in tables)}")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Just enough of one: a folder of maps, and a commerce side that describes its entities."""
    (tmp_path / "tables").mkdir()
    commerce = SimpleNamespace(describe=lambda _: SimpleNamespace(columns=COLUMNS))
    made = SimpleNamespace(
        settings=SimpleNamespace(
            maps=SimpleNamespace(path=tmp_path),
            freshness=SimpleNamespace(enabled=False, table="dwrite_syncstatuses"),
        ),
        endpoints=lambda _: {Side.COMMERCE: commerce},
    )
    return cast("Project", made)


def planned(project: Project, organization: Organization, target: str = "new_cards") -> Provision:
    file = project.settings.maps.path / "tables" / "points.yaml"
    file.write_text(POINT_FILE.replace("TARGET", target), "utf-8")
    documents = [parse_document(CARDS), parse_document(POINTS)]
    return plan_provision(project, documents, organization)


def test_all_tables_come_before_the_lookups_between_them(project: Project) -> None:
    plan = planned(project, Organization())
    assert plan.problems == []
    assert [str(step) for step in plan.steps] == [
        "create table new_card with new_number",
        "create table new_point with new_code",
        "create column new_card of new_point: lookup to new_cards",
        "create alternate key on new_number of new_card",
        "create alternate key on new_code of new_point",
        "wait for the key index of new_card",
        "wait for the key index of new_point",
    ]


def test_a_prefix_nobody_has_gets_a_publisher_first(project: Project) -> None:
    organization = Organization()
    organization.publishers = frozenset({"msdyn"})
    plan = planned(project, organization)
    assert str(plan.steps[0]) == "create publisher dualwritenew with the prefix new"
    carry_out(plan, organization, lambda _: None)
    assert [one for one in organization.done if one.startswith("publish ")] == [
        "publish new_card, new_point"
    ]


def test_publishers_are_asked_for_only_where_something_gets_a_name(project: Project) -> None:
    organization = Organization("new_cards")
    organization.prefixes = None  # type: ignore[assignment,method-assign]
    plan = plan_provision(project, [parse_document(CARDS)], organization)
    assert [step.kind for step in plan.steps] == ["key", "index"]


def test_the_table_that_shows_freshness_is_made_where_it_is_wanted(project: Project) -> None:
    project.settings.freshness.enabled = True
    with pytest.raises(MapError) as told:
        plan_provision(project, [parse_document(CARDS)], Organization())
    assert told.value.code == "status-table-undescribed"
    shipped_file = shipped("mappings") / "tables" / "dwrite_syncstatuses.yaml"
    own = project.settings.maps.path / "tables" / "statuses.yaml"
    own.write_text(shipped_file.read_text("utf-8"), "utf-8")
    plan = plan_provision(project, [parse_document(CARDS)], Organization("new_cards"))
    texts = [str(step) for step in plan.steps]
    assert texts[0] == "create publisher dualwritedwrite with the prefix dwrite"
    assert "create table dwrite_syncstatus with dwrite_map" in texts
    assert "create alternate key on dwrite_map of dwrite_syncstatus" in texts


def test_it_is_published_before_the_waiting(project: Project) -> None:
    organization = Organization()
    plan = planned(project, organization)
    told: list[str] = []
    carry_out(plan, organization, lambda step: told.append(str(step)))
    assert plan.done == len(plan.steps) == len(told)
    assert organization.done.index("publish new_card, new_point") == 5
    assert all(step["done"] for step in plan.as_dict()["steps"])


def test_nothing_to_do_publishes_nothing(project: Project) -> None:
    organization = Organization()
    carry_out(Provision(), organization, lambda _: None)
    assert organization.done == []


def test_a_failed_step_ends_it_and_tells_how_far_it_came(project: Project) -> None:
    organization = Organization(fails_at=2)
    plan = planned(project, organization)
    with pytest.raises(UnreachableError):
        carry_out(plan, organization, lambda _: None)
    assert plan.done == 2
    assert [step["done"] for step in plan.as_dict()["steps"]] == [True] * 2 + [False] * 5


def test_a_lookup_to_nowhere_is_left_out_and_said(project: Project) -> None:
    plan = planned(project, Organization(), target="new_nothings")
    assert [problem.code for problem in plan.problems] == ["lookup-target-missing"]
    assert not any("lookup" in str(step) for step in plan.steps)


def test_a_lookup_to_a_table_that_is_there_already(project: Project) -> None:
    plan = planned(project, Organization("accounts"), target="accounts")
    assert plan.problems == []
    assert any("lookup to accounts" in str(step) for step in plan.steps)


@pytest.mark.parametrize(
    ("state", "code", "severity"),
    [
        ("Failed", "alternate-key-failed", "error"),
        ("InProgress", "alternate-key-pending", "warning"),
    ],
)
def test_an_index_that_is_not_built(project: Project, state: str, code: str, severity: str) -> None:
    organization = Organization(state=state)
    plan = planned(project, organization)
    carry_out(plan, organization, lambda _: None)
    waits = [step for step in plan.steps if isinstance(step, AwaitKey)]
    assert [(one.code, one.severity) for one in plan.problems] == [(code, severity)] * len(waits)


def test_what_differs_is_said_and_the_rest_is_planned(project: Project) -> None:
    lookup = Column("new_number", ValueType.REFERENCE, reference=Reference("x", "y"))
    plan = planned(project, Organization("new_cards", number=lookup))
    assert [problem.code for problem in plan.problems] == ["column-differs"]
    assert "create table new_point with new_code" in [str(step) for step in plan.steps]
