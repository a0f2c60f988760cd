"""Both loyalty maps, from every form dual-write tells them in, are the shipped ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from connector.mapping.document import MapDocument, read_document
from connector.mapping.moving.build import ImportedMap, Wishes, build
from connector.mapping.moving.json_file import read_json
from connector.mapping.moving.markdown_file import read_markdown
from connector.shipped import shipped
from tests.unit.mapping.moving import samples


def shipped_map(name: str) -> MapDocument:
    return read_document(shipped("mappings") / f"{name}.yaml")


def from_json(data: object, wishes: Wishes | None = None) -> ImportedMap:
    (template,) = read_json(json.dumps(data), "map.json")
    return build(template, wishes or Wishes())


def one_row(wishes: Wishes | None = None, **mapping: Any) -> ImportedMap:
    """A map of a key and one more row."""
    data = samples.map_json("loyalty-card")
    data["legs"][0]["fieldMappings"][1:] = [
        {"syncDirection": 3, "sourceField": "PARTYNUMBER", "destinationField": "d"} | mapping
    ]
    return from_json(data, wishes)


SIDED = {"=": "Both", ">": "FOOnly", "<": "CEOnly"}


def sided(data: dict[str, Any], member: str) -> dict[str, Any]:
    """Directions by the side they come from, which does not turn with the source."""
    name = "loyalty-card" if "card" in json.dumps(data) else "loyalty-reward-points"
    rows = samples.MAPS[name][2]
    for row, mapping in zip(rows, data[member], strict=True):
        key = "SyncDirection" if "SyncDirection" in mapping else "syncDirection"
        mapping[key] = SIDED["=" if row.symbol == "><" else row.symbol]
    return data


def sided_map(name: str) -> dict[str, Any]:
    data = samples.map_json(name)
    data["legs"] = [sided(data["legs"][0], "fieldMappings")]
    return data


FORMS: dict[str, Callable[[str], object]] = {
    "text": samples.map_json,
    "number": lambda name: samples.map_json(name, "number"),
    "word": lambda name: samples.map_json(name, "word"),
    "side": sided_map,
    "row": samples.table_row,
    "response": lambda name: {"@odata.context": "x", "value": [samples.table_row(name)]},
    "parsed row": lambda name: {"msdyn_mapping": samples.map_json(name)},
    "project": lambda name: {"name": "p", "entityMappingTasks": [samples.map_json(name)]},
    "runtime": samples.runtime_json,
    "runtime side": lambda name: sided(samples.runtime_json(name), "FieldMappings"),
    "runtime row": lambda name: [{"msdyn_unsecure": json.dumps(samples.runtime_json(name))}],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", samples.MAPS)
def test_the_json_of_a_loyalty_map_gives_the_shipped_one(name: str, form: str) -> None:
    imported = from_json(FORMS[form](name))
    assert imported.problems == ()
    assert imported.complete
    assert imported.document is not None
    assert imported.document.model_dump() == shipped_map(name).model_dump()


@pytest.mark.parametrize("page", [samples.newer_page, samples.prose_page])
@pytest.mark.parametrize("name", samples.MAPS)
def test_the_documentation_of_a_loyalty_map_gives_the_shipped_one(name: str, page: Any) -> None:
    (template,) = read_markdown(page(name), "page.md")
    imported = build(template)
    assert imported.problems == ()
    assert imported.document is not None
    assert imported.document.model_dump() == shipped_map(name).model_dump()


@pytest.mark.parametrize("name", samples.MAPS)
def test_the_written_file_reads_like_the_shipped_one(name: str) -> None:
    """Line by line, but for the comments between them."""
    imported = from_json(samples.map_json(name))
    text = (shipped("mappings") / f"{name}.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines()[1:] if not line.lstrip().startswith("#")]
    assert imported.yaml is not None
    assert imported.yaml.splitlines()[0] == text.splitlines()[0]
    assert imported.yaml.splitlines()[1:] == lines


@pytest.mark.parametrize("name", samples.MAPS)
def test_the_older_page_lacks_the_value_maps_and_says_so(name: str) -> None:
    (template,) = read_markdown(samples.older_page(name), "page.md")
    imported = build(template)
    lacking = [row for row in samples.MAPS[name][2] if row.values]
    assert [p.code for p in imported.problems] == ["import-row"] * len(lacking)
    assert [p.subject.field for p in imported.problems] == [row.source for row in lacking]
    assert all(p.subject.line is not None for p in imported.problems)
    assert not imported.complete
    assert imported.document is not None
    assert len(imported.document.fields) == len(samples.MAPS[name][2]) - len(lacking)


def test_what_is_left_out_stands_in_the_file_as_a_comment() -> None:
    imported = one_row(valueTransforms=[{"transformType": "Expression", "expression": "x"}])
    assert imported.yaml is not None
    assert "# not carried over: `PARTYNUMBER - d` has a transform of type" in imported.yaml
    (problem,) = imported.problems
    assert problem.subject.file == "map.json#/legs/0/fieldMappings/1/valueTransforms/0"
    assert problem.exit_code == 3


# ---------------------------------------------------------------------------- rows


def row_of(imported: ImportedMap) -> dict[str, Any]:
    assert imported.document is not None, imported.problems
    return imported.document.fields[1].model_dump(mode="json", exclude_defaults=True)


def test_a_default_is_the_destinations() -> None:
    default = [{"transformType": "Default", "defaultValue": "7"}]
    towards = {3: ("><", "dataverse"), 1: (">>", "dataverse"), 2: ("<<", "commerce")}
    for direction, (symbol, side) in towards.items():
        imported = one_row(
            Wishes(keys=("CardNumber",)), syncDirection=direction, valueTransforms=default
        )
        if imported.document is None:  # the key travels wherever a field does
            pytest.fail(str(imported.problems))
        assert row_of(imported)["sync"] == symbol
        assert row_of(imported)["default"] == {side: 7}


def test_a_value_map_may_have_a_default_and_an_empty_value() -> None:
    table = {"transformType": "ValueMap", "valueMap": {"a": "1"}, "defaultValue": "9"}
    row = row_of(one_row(valueTransforms=[table]))
    assert row["values"] == {"a": 1}
    assert row["default"] == {"dataverse": 9}
    table = {"transformType": "ValueMap", "valueMap": {"a": "1", "": "9"}}
    row = row_of(one_row(valueTransforms=[table]))
    assert row["values"] == {"a": 1}
    assert row["default"] == {"dataverse": 9}


@pytest.mark.parametrize("none", ["none", "None", "", None])
def test_a_row_without_a_source_is_a_constant(none: str | None) -> None:
    default = [{"transformType": "Default", "defaultValue": "True"}]
    row = row_of(one_row(sourceField=none, syncDirection=1, valueTransforms=default))
    assert row == {"sync": ">>", "dataverse": "d", "constant": True}
    row = row_of(one_row(destinationField=none, syncDirection=2, valueTransforms=default))
    assert row == {"sync": "<<", "commerce": "PartyNumber", "constant": True}


def test_an_empty_day_is_empty_without_being_told() -> None:
    table = {"transformType": "ValueMap", "valueMap": {"1/1/1900": ""}}
    imported = one_row(valueTransforms=[table])
    assert row_of(imported)["sync"] == "="
    assert [p.code for p in imported.problems] == ["import-note"]
    assert imported.complete


REFUSED: dict[str, dict[str, Any]] = {
    "is no direction": {"syncDirection": 4},
    "syncDirection None": {"syncDirection": None},
    "two commerce values": {
        "valueTransforms": [{"transformType": "ValueMap", "valueMap": {"a": "1", "b": "1"}}]
    },
    "becomes an empty value": {
        "valueTransforms": [{"transformType": "ValueMap", "valueMap": {"a": ""}}]
    },
    "two values for an empty one": {
        "valueTransforms": [
            {"transformType": "ValueMap", "valueMap": {"": "1"}, "defaultValue": "2"}
        ]
    },
    "does not say by which column": {"destinationLookupFieldRelatedEntity": "accounts"},
    "no lookup the map language has": {
        "destinationField": "customerid.Account(accountnumber).Contact(msdyn_contactpersonid)"
    },
    "stands in another row already": {"destinationField": "msdyn_cardnumber"},
    "a constant without a value": {"sourceField": "none", "syncDirection": 1},
    "to the side without a column": {
        "sourceField": "none",
        "syncDirection": 2,
        "valueTransforms": [{"transformType": "Default", "defaultValue": "1"}],
    },
    "names no column": {"sourceField": "none", "destinationField": ""},
}


@pytest.mark.parametrize("message", REFUSED)
def test_a_row_that_cannot_be_expressed_is_told_of_and_commented(message: str) -> None:
    imported = one_row(**REFUSED[message])
    (problem,) = imported.problems
    assert problem.code == "import-row"
    assert message in problem.message
    assert problem.remedy
    assert str(problem.subject.file).startswith("map.json#/legs/0/fieldMappings/1")
    assert imported.document is not None
    assert len(imported.document.fields) == 1
    assert imported.yaml is not None
    assert imported.yaml.count("# not carried over") == 1


# ---------------------------------------------------------------------------- the head


def test_filters_come_in_the_words_of_the_map_language() -> None:
    data = samples.map_json("loyalty-card")
    data["legs"][0]["sourceFilter"] = '((PartyNumber != "") && (CardTenderType == "blocked"))'
    data["legs"][0]["reversedSourceFilter"] = "msdyn_partynumber ne '' and statecode eq 0"
    imported = from_json(data)
    assert imported.document is not None
    assert imported.document.commerce.filter == (
        "(PartyNumber ne null and CardTenderType eq 'blocked')"
    )
    assert imported.document.dataverse.filter == "msdyn_partynumber ne null and statecode eq 0"


def test_a_filter_that_has_no_equal_keeps_the_map_from_being_written() -> None:
    data = samples.map_json("loyalty-card")
    data["legs"][0]["sourceFilter"] = 'DirPartyTable.Name like "A?"'
    imported = from_json(data)
    assert imported.document is None
    assert [p.code for p in imported.problems] == ["import-filter"]


def test_a_label_nobody_knows_wants_an_entity_set_name() -> None:
    data = samples.map_json("loyalty-card")
    data["legs"][0]["sourceSchema"] = "Cards of the shop"
    imported = from_json(data)
    assert imported.document is None
    assert [p.code for p in imported.problems] == ["import-entity-unknown"]
    assert "--commerce-entity NAME" in imported.problems[0].remedy
    imported = from_json(data, Wishes(commerce_entity="ShopCards"))
    assert imported.document is not None
    assert imported.document.commerce.entity == "ShopCards"
    assert imported.document.map == "cards-of-the-shop"


def test_a_word_that_may_be_an_entity_set_is_taken_with_a_warning() -> None:
    data = samples.map_json("loyalty-card")
    data["legs"][0]["sourceSchema"] = "ShopCards"
    imported = from_json(data)
    assert [(p.code, p.severity) for p in imported.problems] == [
        ("import-entity-unconfirmed", "warning")
    ]
    assert imported.complete


def test_the_key_is_the_wished_one_the_integration_key_the_known_or_the_marked_one() -> None:
    def keys(imported: ImportedMap) -> list[str | None]:
        assert imported.document is not None, imported.problems
        return [row.commerce for row in imported.document.fields if row.key]

    data = samples.map_json("loyalty-card")
    assert keys(from_json(data)) == ["CardNumber"]
    row = samples.table_row("loyalty-card", msdyn_properties='{"IntegrationKey": "PartyNumber"}')
    assert keys(from_json(row)) == ["PartyNumber"]
    assert keys(from_json(row, Wishes(keys=("msdyn_cardnumber",)))) == ["CardNumber"]
    data["legs"][0]["sourceSchema"] = "ShopCards"
    assert keys(from_json(data)) == ["CARDNUMBER"]
    data["legs"][0]["fieldMappings"][0]["isSystemGenerated"] = False
    imported = from_json(data)
    assert imported.document is None
    assert [p.code for p in imported.problems] == ["import-entity-unconfirmed", "import-key"]


def test_a_unit_and_its_value_are_one_value_in_any_entity() -> None:
    data = samples.map_json("loyalty-reward-points")
    data["legs"][0]["sourceSchema"] = "ShopPoints"
    imported = from_json(data)
    assert imported.document is not None
    assert [row.together for row in imported.document.fields if row.together] == [
        "expirationtime",
        "expirationtime",
        "vestingtime",
        "vestingtime",
    ]


def test_several_legs_of_one_pair_are_one_map() -> None:
    data = samples.map_json("loyalty-card")
    leg = data["legs"][0]
    data["legs"] = [
        {**leg, "fieldMappings": leg["fieldMappings"][:3]},
        {**leg, "id": "002", "fieldMappings": leg["fieldMappings"][3:]},
    ]
    imported = from_json(data)
    assert imported.document is not None
    assert imported.document.model_dump() == shipped_map("loyalty-card").model_dump()


def test_legs_of_other_tables_are_maps_of_their_own() -> None:
    data = samples.map_json("loyalty-card")
    data["legs"] += samples.map_json("loyalty-reward-points")["legs"]
    templates = read_json(json.dumps(data), "map.json")
    names = [build(template).name for template in templates]
    assert names == ["loyalty-card", "loyalty-reward-points"]


def test_a_version_has_four_parts() -> None:
    imported = from_json(samples.table_row("loyalty-card", "2.0.1"))
    assert imported.document is not None
    assert imported.document.version == "2.0.1.0"


def test_a_text_of_any_characters_makes_neither_a_row_nor_a_broken_file() -> None:
    evil = "X\n  - {commerce: Evil, sync: '=', dataverse: evil}\x07\x85\u2028"
    imported = one_row(sourceField=evil)
    assert imported.document is not None, imported.problems
    assert [row.name for row in imported.document.fields] == ["CardNumber"]
    imported = one_row(valueTransforms=[{"transformType": "ValueMap", "valueMap": {evil: evil}}])
    assert imported.document is not None
    assert imported.document.fields[1].values == {evil: evil}


def of_company(direction: int, **members: Any) -> ImportedMap:
    rows = [
        {"syncDirection": direction, "sourceField": left, "destinationField": right}
        for left, right in (("CUSTOMERACCOUNT", "accountnumber"), ("SALESMEMO", "description"))
    ]
    leg = {"sourceSchema": "Customers V3", "destinationSchema": "accounts", "fieldMappings": rows}
    return from_json({"legs": [leg | members]})


@pytest.mark.parametrize(("direction", "sync"), [(3, "="), (1, ">"), (2, "<")])
def test_the_company_dual_write_pairs_by_becomes_part_of_the_key(direction: int, sync: str) -> None:
    made = of_company(direction)
    assert made.document is not None
    keys = {row.commerce: (row.sync, row.dataverse) for row in made.document.fields if row.key}
    assert keys == {
        "CustomerAccount": (sync, "accountnumber"),
        "dataAreaId": (sync, "msdyn_company.cdm_companycode"),
    }
    owner = made.document.dataverse.owner
    assert (owner is not None and owner.company == "default") == (sync != "<")
    assert [problem.code for problem in made.problems] == ["import-note"]
    assert made.complete


def test_a_symbol_is_known_however_it_is_hyphened() -> None:
    gender = {"valueMap": {"non-Specific": "192350000"}, "transformType": "ValueMap"}
    rows = [
        {"syncDirection": 3, "sourceField": "PARTYNUMBER", "destinationField": "msdyn_partynumber"},
        {
            "syncDirection": 3,
            "sourceField": "PERSONGENDER",
            "destinationField": "msdyn_gender",
            "valueTransforms": [gender],
        },
    ]
    leg = {"sourceSchema": "CDS Parties", "destinationSchema": "msdyn_parties"}
    made = from_json({"legs": [leg | {"fieldMappings": rows}]})
    assert made.document is not None
    assert made.document.fields[1].values == {"NonSpecific": 192350000}
