"""Append maps: what they are, and what they cannot say."""

from __future__ import annotations

import pytest

from connector.errors import MapError
from connector.mapping.document import MapDocument, Mode, parse_document
from connector.mapping.values import Side
from connector.mapping.versions import Sort, changes_between, kept_as, recalled


def document(head: str = "", end: str = "", row: str = "", sign: str = ">") -> MapDocument:
    return parse_document(
        "map: entries\nmode: append\n"
        f"{head}commerce: {{entity: Entries{end if sign == '<' else ''}}}\n"
        f"dataverse: {{entity: entries{end if sign == '>' else ''}}}\n"
        "fields:\n"
        f'  - {{commerce: Id, sync: "{sign}", dataverse: id, key: true}}\n'
        f'  - {{commerce: Name, sync: "{sign}", dataverse: name{row}}}\n'
    )


@pytest.mark.parametrize(("sign", "target"), [(">", Side.DATAVERSE), ("<", Side.COMMERCE)])
def test_an_append_map_follows_one_side(sign: str, target: Side) -> None:
    made = document(sign=sign)
    assert made.appends_to is target
    assert made.followed == (target.other,)
    again = recalled(kept_as(made))
    assert again is not None
    assert again.fingerprint() == made.fingerprint()


def test_other_maps_follow_both() -> None:
    made = document()
    both = made.model_copy(update={"mode": Mode.SYNC})
    assert both.appends_to is None
    assert both.followed == (Side.COMMERCE, Side.DATAVERSE)
    (change,) = changes_between(both, made)
    assert (change.sort, change.at) == (Sort.PAIRING, "mode")


def test_the_source_may_be_filtered() -> None:
    text = "map: a\nmode: append\ncommerce: {entity: A, filter: \"Kind eq 'x'\"}\n"
    text += (
        'dataverse: {entity: a}\nfields: [{commerce: Id, sync: ">", dataverse: id, key: true}]\n'
    )
    assert parse_document(text).commerce.filter == "Kind eq 'x'"


@pytest.mark.parametrize(
    "said",
    [
        {"head": "conflict: manual\n"},
        {"head": "deletes: {commerce: ignore}\n"},
        {"head": "master: commerce\n"},
        {"head": "filter_exit: keep\n"},
        {"head": "blank_wins: false\n"},
        {"row": ", conflict: commerce"},
        {"end": ", filter: \"name eq 'x'\""},
        {"end": ", inactive: {column: name, value: x}"},
    ],
    ids=lambda said: next(iter(said.values())).strip(),
)
def test_what_speaks_of_two_sides_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(MapError) as told:
        document(**said)
    assert told.value.code == "append-key-unused"


def test_rows_of_both_directions_are_refused() -> None:
    text = "map: a\nmode: append\ncommerce: {entity: A}\ndataverse: {entity: a}\nfields:\n"
    text += '  - {commerce: Id, sync: ">", dataverse: id, key: true}\n'
    text += '  - {commerce: Name, sync: "=", dataverse: name}\n'
    with pytest.raises(MapError) as told:
        parse_document(text)
    assert told.value.code == "append-two-way"
