"""Two versions of a map: what differs, by what it means for records."""

from __future__ import annotations

import pytest

from connector.mapping.document import MapDocument, parse_document
from connector.mapping.versions import Sort, changes_between, kept_as, recalled

TEXT = """\
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
  - {commerce: Name, sync: "=", dataverse: name}
  - {commerce: Kind, sync: "><", dataverse: kind, values: {A: 1, B: 2}}
"""
NAME = '  - {commerce: Name, sync: "=", dataverse: name}\n'


def document(text: str = TEXT) -> MapDocument:
    return parse_document(text)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{A: 1, B: 2}", "{A: 1, B: 3}", [(Sort.RULE, "values", "Kind")]),
        (
            "values: {A: 1, B: 2}}",
            "transform: [{values: {A: 1, B: 2}}]}",
            [(Sort.RULE, "values", "Kind"), (Sort.RULE, "transform", "Kind")],
        ),
        ('Name, sync: "="', 'Name, sync: ">"', [(Sort.DIRECTION, "sync", "Name")]),
        (
            'Name, sync: "=", dataverse: name',
            'Name, sync: "><", dataverse: name, default: {dataverse: none}',
            [(Sort.RULE, "default", "Name")],
        ),
        (NAME, "", [(Sort.REMOVED, "removed", "Name")]),
        (
            "dataverse: name}",
            "dataverse: title}",
            [(Sort.REMOVED, "removed", "Name"), (Sort.ADDED, "added", "Name")],
        ),
        ("dataverse: name}", "dataverse: name, type: text}", [(Sort.TYPE, "type", "Name")]),
        (
            "dataverse: name}",
            "dataverse: name, conflict: latest}",
            [(Sort.POLICY, "conflict", "Name")],
        ),
        ("fields:", "conflict: latest\nfields:", [(Sort.POLICY, "conflict", None)]),
        ("fields:", "master: dataverse\nfields:", [(Sort.FIRST, "master", None)]),
        (
            "fields:",
            "deletes: {commerce: ignore}\nfields:",
            [(Sort.OUTSIDE, "deletes.commerce", None)],
        ),
        (
            "{entity: Cards}",
            "{entity: Cards, filter: Number ne null}",
            [(Sort.OUTSIDE, "commerce.filter", None)],
        ),
        ("{entity: Cards}", "{entity: Tokens}", [(Sort.PAIRING, "commerce.entity", None)]),
        ("map: card\n", "map: card\ntitle: Cards\nversion: 2.0.0.0\n", []),
        ("commerce: Name,", "commerce: NAME,", []),
    ],
)
def test_what_changed_is_told_by_its_meaning(
    old: str, new: str, told: list[tuple[Sort, str, str | None]]
) -> None:
    assert TEXT.count(old) == 1
    changes = changes_between(document(), document(TEXT.replace(old, new)))
    assert [(change.sort, change.at, change.field) for change in changes] == told


def test_the_order_of_rows_means_nothing() -> None:
    turned = TEXT.replace(NAME, "") + NAME
    assert changes_between(document(), document(turned)) == []


def test_a_kept_version_is_the_same_document() -> None:
    again = recalled(kept_as(document()))
    assert again is not None
    assert again.fingerprint() == document().fingerprint()
    assert changes_between(again, document()) == []


@pytest.mark.parametrize("text", [None, '{"map": "card", "spoken": "another language"}', "{"])
def test_what_cannot_be_read_is_not_known(text: str | None) -> None:
    assert recalled(text) is None
