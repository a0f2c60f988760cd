"""Exported and imported again, a map is the same; what was changed in between is not undone."""

from __future__ import annotations

import copy
import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.mapping.document import MapDocument, parse_document, read_document
from connector.mapping.moving.build import build
from connector.mapping.moving.export import export_map
from connector.mapping.moving.json_file import read_json
from connector.shipped import shipped
from tests.unit.mapping.moving import samples

NAMES = sorted(path.stem for path in shipped("mappings").glob("*.yaml"))


def again(data: dict[str, Any]) -> MapDocument:
    (template,) = read_json(json.dumps(data), "map.json")
    imported = build(template)
    assert imported.problems == ()
    assert imported.document is not None
    return imported.document


# ---------------------------------------------------------------------------- generated maps

words = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=8)
texts = st.text(max_size=12)
scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.sampled_from(["true", "12", "012", "null", "none", "blank", "1/1/1900", "=", "Yes", "~"]),
)


@st.composite
def rows(draw: st.DrawFn, index: int) -> dict[str, Any]:
    """One row that contradicts nothing by itself; its columns are its own."""
    way = draw(st.sampled_from("=><"))
    row: dict[str, Any] = {
        "commerce": f"{draw(st.sampled_from(['Col', 'PARTY', 'a']))}{index}",
        "sync": way,
        "dataverse": f"new_{draw(words)}_{index}",
    }
    kind = draw(st.sampled_from(["plain", "values", "default", "constant", "lookup", "steps"]))
    if kind == "lookup":
        row["dataverse"] += draw(st.sampled_from([".name", ".parent.name"]))
    elif kind == "constant":
        way = draw(st.sampled_from("><"))
        del row["commerce" if way == ">" else "dataverse"]
        row |= {"sync": way * 2, "constant": draw(scalars)}
    elif kind != "plain":
        row["sync"] = {"=": "><", ">": ">>", "<": "<<"}[way]
    if kind == "values":
        keys = draw(st.lists(texts, min_size=1, max_size=4, unique_by=str.casefold))
        row["values"] = {key: f"{draw(texts)}{at}" for at, key in enumerate(keys)}
        if draw(st.booleans()):
            row["values"] = {key: at for at, key in enumerate(keys)}
    if kind == "default" or (kind == "values" and draw(st.booleans())):
        sides = draw(st.sets(st.sampled_from(["commerce", "dataverse"]), min_size=1))
        row["default"] = {side: draw(scalars) for side in sorted(sides)}
    if kind == "values" and draw(st.booleans()):
        row["unmatched"] = {draw(st.sampled_from(["commerce", "dataverse"])): draw(scalars)}
    if kind == "steps":
        case = {"case": draw(st.sampled_from(["upper", "lower"]))}
        row["transform"] = draw(st.sampled_from([["trim", case], [{"values": {"a": 1}}]]))
        if way == "<":
            row["back"] = row.pop("transform")
    if draw(st.booleans()):
        row["conflict"] = draw(st.sampled_from(["commerce", "dataverse", "manual", "latest"]))
    if kind == "plain" and draw(st.booleans()):
        row["type"] = "date"
    return row


@st.composite
def maps(draw: st.DrawFn) -> MapDocument:
    made = [draw(rows(index)) for index in range(draw(st.integers(0, 6)))]
    ways = {way for row in made for way in _ways(row["sync"])} or {"<", ">"}
    key = {"commerce": "Id", "dataverse": "new_id", "key": True}
    key["sync"] = "=" if len(ways) == 2 else ways.pop()
    grouped = [row for row in made if row["sync"] == "="][:2]
    if len(grouped) == 2 and draw(st.booleans()):
        for row in grouped:
            row["together"] = "pair"
            row.pop("conflict", None)
    made.insert(draw(st.integers(0, len(made))), key)
    filters = [None, "Blocked eq false", "Name eq 'A' and not (Size gt 3)", "startswith(N, 'x')"]
    ends = ["Things", "RetailLoyaltyCards", "loyalty_levels"]
    head = {
        "map": draw(st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)),
        "title": draw(texts),
        "version": draw(st.sampled_from(["1.0.0.0", "2.13.0.4", "0.0.0.1"])),
        "commerce": {
            "entity": draw(st.sampled_from(ends)),
            "filter": draw(st.sampled_from(filters)),
        },
        "dataverse": {"entity": "new_things", "filter": draw(st.sampled_from(filters))},
        "master": draw(st.sampled_from(["commerce", "dataverse"])),
        "conflict": draw(st.sampled_from(["commerce", "dataverse", "manual", "latest"])),
        "deletes": {"commerce": draw(st.sampled_from(["propagate", "restore", "ignore"]))},
        "filter_exit": draw(st.sampled_from(["keep", "delete"])),
        "blank_wins": draw(st.booleans()),
    }
    return MapDocument.model_validate({**head, "fields": made})


def _ways(symbol: str) -> set[str]:
    return {"<", ">"} if symbol in ("=", "><") else {symbol[0]}


@given(maps())
@settings(max_examples=150, deadline=None)
def test_export_and_import_again_is_the_identity(document: MapDocument) -> None:
    assert again(export_map(document).data).model_dump() == document.model_dump()


# ---------------------------------------------------------------------------- the shipped maps


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_map_comes_back_as_it_is(name: str) -> None:
    document = read_document(shipped("mappings") / f"{name}.yaml")
    assert again(export_map(document).data).model_dump() == document.model_dump()


@pytest.mark.parametrize("name", samples.MAPS)
def test_the_loyalty_maps_are_exported_as_dual_write_has_them(name: str) -> None:
    document = read_document(shipped("mappings") / f"{name}.yaml")
    targets = {"msdyn_rewardpointcurrency": "transactioncurrencies"}
    written = export_map(document, targets, plain=True).data
    expected = samples.map_json(name)
    for mapping in expected["legs"][0]["fieldMappings"]:
        if mapping["destinationLookupFieldRelatedEntity"] is None:
            del mapping["destinationLookupFieldRelatedEntity"]
        for transform in mapping.get("valueTransforms", []):
            del transform["$type"]
    assert written == expected


def test_what_dual_write_would_not_understand_is_listed() -> None:
    document = read_document(shipped("mappings") / "loyalty-card.yaml")
    problems = export_map(document).problems
    assert {problem.code for problem in problems} == {"export-not-understood"}
    told = [problem.message for problem in problems]
    assert "a delete in Dataverse is not `restore`: it travels" in told
    assert "conflicts are not decided by policy (manual): the last edit wins" in told
    assert "dual-write has no `together`, `type`" in told
    assert all(problem.subject.line for problem in problems)


def test_side_and_owner_are_listed_too(tmp_path: Path) -> None:
    text = (shipped("mappings") / "loyalty-card.yaml").read_text("utf-8")
    text = text.replace("{entity: RetailLoyaltyCards}", "{entity: RetailLoyaltyCards, side: shop}")
    text = text.replace(
        "{entity: msdyn_loyaltycards}", "{entity: msdyn_loyaltycards, owner: {team: Desk}}"
    )
    file = tmp_path / "loyalty-card.yaml"
    file.write_text(text, "utf-8")
    problems = export_map(read_document(file), plain=True).problems
    told = {problem.message: problem.subject.line for problem in problems}
    assert told["the commerce side is not `shop`"]
    assert told["the rows it creates are not owned by team Desk"]


def test_the_team_of_the_company_needs_no_word_of_dual_write() -> None:
    document = read_document(shipped("mappings") / "customers-accounts.yaml")
    assert document.dataverse.owner is not None
    told = [problem.message for problem in export_map(document, plain=True).problems]
    assert not any("owned" in message for message in told)
    assert again(export_map(document).data).model_dump() == document.model_dump()


# ---------------------------------------------------------------------------- changed in between


def exported() -> dict[str, Any]:
    document = read_document(shipped("mappings") / "loyalty-card.yaml")
    return copy.deepcopy(export_map(document).data)


def test_an_edit_made_in_dual_write_is_taken_over() -> None:
    data = exported()
    mappings = data["legs"][0]["fieldMappings"]
    mappings[2]["syncDirection"] = "1"
    mappings[1]["valueTransforms"][0]["valueMap"]["blocked"] = "806380009"
    del mappings[4]
    mappings.append({"syncDirection": 1, "sourceField": "NOTES", "destinationField": "msdyn_notes"})
    document = again(data)
    by_name = {row.name: row for row in document.fields}
    assert by_name["PartyNumber"].sync == ">"
    assert (by_name["CardTenderType"].values or {})["Blocked"] == 806380009
    assert "OmOperatingUnitNumber" not in by_name
    assert document.fields[-1].name == "NOTES"
    assert by_name["LoyaltyEnrollmentDate"].together == "enrolment"


def test_an_edit_that_the_extension_contradicts_wins_and_is_told_of() -> None:
    text = """
map: m
commerce: {entity: Things}
dataverse: {entity: things}
fields:
  - {commerce: Id, sync: "=", dataverse: id, key: true}
  - {commerce: A, sync: "><", dataverse: a, transform: [trim]}
"""
    data = export_map(parse_document(text)).data
    data["legs"][0]["fieldMappings"][1]["syncDirection"] = "1"
    (template,) = read_json(json.dumps(data), "map.json")
    imported = build(template)
    stale = [p for p in imported.problems if p.code == "import-extension-stale"]
    assert [problem.message.rpartition(": ")[2] for problem in stale] == ["A a, sync"]
    assert not imported.complete


@pytest.mark.parametrize(
    "extension",
    [
        {"format": 2},
        {"format": 1, "map": 3, "rows": {}, "only": "x", "spelling": None},
        {"format": 1, "rows": [3, {"row": 7}, {"row": ["A"], "set": 4}], "only": [{"at": "x"}]},
        {"format": 1, "map": {"title": ["Loyalty card"]}},
        {"format": 1, "map": {"commerce": [{"entity": "Loyalty card"}, None]}},
        {"format": 1, "map": {"map": ["loyalty-card", "../../etc"]}},
        {"format": 1, "only": [{"at": 10**9, "row": {"commerce": [1], "x": {}}}]},
    ],
)
def test_an_extension_that_is_none_of_ours_does_no_harm(extension: dict[str, Any]) -> None:
    data = samples.map_json("loyalty-card")
    data["x-dualwrite"] = extension
    (template,) = read_json(json.dumps(data), "map.json")
    imported = build(template)
    assert not imported.complete
    assert imported.problems
