"""Which rights a map needs, and what is found of a user that lacks them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.endpoints.dataverse.rights import UserRights
from connector.mapping.document import MapDocument, parse_document
from connector.operations.check.rights import (
    Need,
    lookup_paths,
    missing,
    needs_of,
    shared_with_people,
)

TEXT = """
map: points
commerce: {entity: Points}
dataverse: {entity: new_points}
deletes: {commerce: propagate, dataverse: restore}
fields:
  - {commerce: Number, sync: "=", dataverse: new_number, key: true}
  - {commerce: Note, sync: ">", dataverse: new_note}
  - {commerce: Currency, sync: "=", dataverse: new_currency.isocurrencycode}
"""
TARGETS = {"new_currency": "transactioncurrency"}
POINT, CURRENCY = "new_point", "transactioncurrency"


def needed(text: str = TEXT) -> set[Need]:
    return set(needs_of(parse_document(text), POINT, TARGETS))


ALL = {
    Need("Read", POINT),
    Need("Create", POINT),
    Need("Write", POINT),
    Need("Delete", POINT),
    Need("Append", POINT),
    Need("Read", CURRENCY),
    Need("AppendTo", CURRENCY),
}


def test_a_map_both_ways_needs_them_all() -> None:
    assert needed() == ALL


@pytest.mark.parametrize("policy", ["restore", "deactivate", "ignore"])
def test_delete_is_needed_only_where_deletes_travel(policy: str) -> None:
    text = TEXT.replace("commerce: propagate", f"commerce: {policy}")
    text = text.replace(
        "dataverse: {entity: new_points}",
        "dataverse: {entity: new_points, inactive: {column: statecode, value: 1}}",
    )
    assert needed(text) == ALL - {Need("Delete", POINT)}
    assert needed(text + "filter_exit: delete\n") == ALL


def test_a_map_that_only_reads_dataverse_needs_no_more() -> None:
    text = TEXT.replace('"="', '"<"').replace('">"', '"<"')
    assert needed(text) == {Need("Read", POINT), Need("Read", CURRENCY)}


def test_a_map_that_only_adds_rows_needs_no_right_to_change_any() -> None:
    text = TEXT.replace('"="', '">"')
    text = "".join(
        line + "\n"
        for line in text.splitlines()
        if not line.startswith(("deletes", "conflict", "master"))
    )
    text = text.replace("commerce: {entity", "mode: append\ncommerce: {entity", 1)
    assert needed(text) == ALL - {Need("Delete", POINT), Need("Write", POINT)}


def test_a_lookup_over_two_steps_reads_both_tables_and_points_to_the_first() -> None:
    text = TEXT.replace("new_currency.isocurrencycode", "new_owner.new_team.new_name")
    targets = {"new_owner": "new_person", "new_owner.new_team": "new_team"}
    found = set(needs_of(parse_document(text), POINT, targets))
    assert found - ALL == {
        Need("Read", "new_person"),
        Need("AppendTo", "new_person"),
        Need("Read", "new_team"),
    }


def test_a_lookup_by_several_columns_reads_what_they_point_to() -> None:
    text = TEXT.replace(
        "commerce: Currency", "lookup: {new_name: Name, new_team.new_code: Team}"
    ).replace("new_currency.isocurrencycode", "new_owner")
    targets = {"new_owner": "new_person", "new_owner.new_team": "new_team"}
    found = set(needs_of(parse_document(text), POINT, targets))
    assert found - ALL == {
        Need("Read", "new_person"),
        Need("AppendTo", "new_person"),
        Need("Read", "new_team"),
    }


@pytest.mark.parametrize(
    ("name", "paths"),
    [("a", []), ("a.b", ["a"]), ("a.b.c", ["a", "a.b"])],
)
def test_the_lookups_of_a_dotted_name(name: str, paths: list[str]) -> None:
    assert lookup_paths(name) == paths


def test_privileges_bear_the_name_of_their_table_but_for_users() -> None:
    assert Need("AppendTo", CURRENCY).privilege == "prvappendtotransactioncurrency"
    assert Need("Read", "systemuser").privilege == "prvreaduser"


RIGHTS = UserRights(
    id="1",
    name="# dualwrite",
    application="app",
    access_mode=4,
    privileges={need.privilege: "Global" for need in ALL},
)


def lacking(rights: UserRights) -> list[tuple[str, str | None]]:
    found = missing(document().map, rights, sorted(ALL))
    return [(problem.code, problem.subject.entity) for problem in found]


def document() -> MapDocument:
    return parse_document(TEXT)


def test_nothing_lacks() -> None:
    assert lacking(RIGHTS) == []


@pytest.mark.parametrize("need", sorted(ALL))
def test_each_missing_privilege_is_named_with_its_table(need: Need) -> None:
    held = {name: d for name, d in RIGHTS.privileges.items() if name != need.privilege}
    (problem,) = missing(document().map, replace(RIGHTS, privileges=held), sorted(ALL))
    assert problem.code == "privilege-missing"
    assert f"{need.right} on {need.table} ({need.privilege})" in problem.message
    assert (problem.severity, problem.exit_code) == ("error", 2)


@pytest.mark.parametrize(("right", "codes"), [("Read", ["privilege-too-narrow"]), ("Create", [])])
def test_rights_for_own_rows_only(right: str, codes: list[str]) -> None:
    held = {**RIGHTS.privileges, Need(right, POINT).privilege: "Basic"}
    assert [code for code, _ in lacking(replace(RIGHTS, privileges=held))] == codes


@pytest.mark.parametrize(
    ("application", "mode", "says"),
    [
        ("app", 4, None),
        ("app", 5, None),
        (None, 4, "has no application id"),
        ("app", 0, "has the access mode read and write"),
        ("app", 1, "has the access mode administrative"),
        ("app", 2, "has the access mode read"),
    ],
)
def test_a_user_people_sign_in_as_is_refused(
    application: str | None, mode: int, says: str | None
) -> None:
    rights = replace(RIGHTS, application=application, access_mode=mode)
    found = list(shared_with_people(rights))
    assert [problem.code for problem in found] == (["user-shared"] if says else [])
    assert says is None or says in found[0].message
