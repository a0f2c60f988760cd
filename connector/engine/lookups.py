"""Rows that lookups point to, read before planning.

Owns: asking each side once per distinct target, and waking records whose target arrived.
Never does: deciding what a missing target means; the planner does.
Tested in: tests/integration/engine/test_waiting.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from connector.endpoints.base import Endpoint
from connector.engine.runs.run import MapRun
from connector.mapping.compiling.compiled import CompiledMap, Field
from connector.mapping.compiling.joined_rows import COMPANIES
from connector.mapping.compiling.owning import DEFAULT_TEAM, ByCompany
from connector.mapping.references import Lookup, parts_of, several
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side, Value, has_control, normal_key
from connector.store.record import Record


def resolve(
    map: CompiledMap, endpoints: Mapping[Side, Endpoint], records: Iterable[Record]
) -> None:
    """Read every lookup target these records refer to and nobody asked for yet."""
    if map.lookups:
        pairs = [(record.commerce.image, record.dataverse.image) for record in records]
        resolve_images(map, endpoints, pairs)


def resolve_images(
    map: CompiledMap,
    endpoints: Mapping[Side, Endpoint],
    pairs: Sequence[tuple[Image | None, Image | None]],
) -> None:
    """The same for what commerce and Dataverse hold."""
    for field in map.fields:
        if field.lookup is not None:
            _resolve_field(field, field.lookup, endpoints, pairs)
    owner = map.creations[Side.DATAVERSE].owner
    if owner is not None:
        images = [commerce for commerce, _ in pairs if commerce is not None]
        _resolve_teams(owner, endpoints[Side.DATAVERSE], owner.unasked(images))


def _resolve_teams(owner: ByCompany, endpoint: Endpoint, companies: Sequence[str]) -> None:
    """Ask for the default teams of companies."""
    if companies:
        found = endpoint.read(COMPANIES, [DEFAULT_TEAM], by=None, values=companies).rows
        for id in companies:
            teams = [str(row.image[0]) for row in found.get(id, ()) if row.image[0] is not None]
            owner.teams[id] = teams[0] if teams else None


def _resolve_field(
    field: Field,
    lookup: Lookup,
    endpoints: Mapping[Side, Endpoint],
    pairs: Iterable[tuple[Image | None, Image | None]],
) -> None:
    texts: dict[str, None] = {}
    ids: dict[str, None] = {}
    for commerce, dataverse in pairs:
        named = texts_of(field, field.read(Side.COMMERCE, commerce)) if commerce is not None else ()
        for text in named:
            if not _asked(lookup, text):
                texts[text] = None
        # A key is held as its text.
        id = dataverse[field.dataverse_index] if dataverse is not None and not field.key else None
        if id is not None and not lookup.asked_id(str(id)):
            ids[str(id)] = None
    ask_through(lookup, endpoints[lookup.side], list(texts), list(ids))


def ask_through(lookup: Lookup, endpoint: Endpoint, texts: list[str], ids: list[str]) -> None:
    """Read what texts at the end of a lookup find, and what ids at its beginning are named by.

    Over two steps the rows in between are read first by whom they point to, and whom they point
    to afterwards.
    """
    if lookup.then is None:
        ask(lookup, endpoint, texts, ids)
        return
    ask_through(lookup.then, endpoint, texts, [])
    between = (lookup.then.id_of(text) for text in texts)
    ask(lookup, endpoint, [id for id in between if id and not lookup.asked_text(id)], ids)
    named = (lookup.text_of(id) for id in ids)
    unknown = [id for id in named if id and not lookup.then.asked_id(id)]
    ask_through(lookup.then, endpoint, [], unknown)


def _asked(lookup: Lookup, text: str) -> bool:
    """Whether every step from a text to the row it finds is known."""
    if lookup.then is None:
        return lookup.asked_text(text)
    if not _asked(lookup.then, text):
        return False
    between = lookup.then.id_of(text)
    return between is None or lookup.asked_text(between)


def texts_of(field: Field, commerce: Value) -> list[str]:
    """The text a commerce value is looked up by; none for a value that cannot travel."""
    try:
        text = field.named(commerce)
    except Untranslatable:
        return []
    return [] if text is None or has_control(text) else [str(text)]


def ask(lookup: Lookup, endpoint: Endpoint, texts: list[str], ids: list[str]) -> None:
    """Read rows by text and by id, and remember what was found and what was not.

    Only a read by text tells of every row that has it. Where a read by id finds another row than
    the one known, that one may be gone or renamed by now, and the text is asked for again.
    """
    named, nameless = _read(lookup, endpoint, None, ids) if ids else ([], [])
    texts = list(dict.fromkeys([*texts, *(t for id, t in named if lookup.outdated(id, t))]))
    found, missing = _read(lookup, endpoint, lookup.column, texts) if texts else ([], [])
    # Nothing is remembered before both are read: half of it would find two rows of one text.
    lookup.miss_ids(nameless)
    for id, text in named:
        lookup.add(id, text)
    lookup.forget(texts)
    lookup.miss_texts(missing)
    for id, text in found:
        lookup.add(id, text)


def _read(
    lookup: Lookup, endpoint: Endpoint, by: str | None, values: list[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """(id, text) of the rows found, and the values that found none."""
    if lookup.beside:
        return _read_several(lookup, endpoint, by, values)
    found = endpoint.read(lookup.entity, [lookup.column], by=by, values=values).rows
    rows = [row for rows in found.values() for row in rows if row.image[0] is not None]
    return [(row.id, str(row.image[0])) for row in rows], [v for v in values if v not in found]


def _read_several(
    lookup: Lookup, endpoint: Endpoint, by: str | None, values: list[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """The same by several columns: rows are asked for by the first, the others are compared."""
    asked = values if by is None else [p for v in values if (p := parts_of(v)[0]) is not None]
    asked = list(dict.fromkeys(asked))
    found = endpoint.read(lookup.entity, lookup.columns, by=by, values=asked).rows
    rows = {
        row.id: row.image for rows in found.values() for row in rows if row.image[0] is not None
    }
    for place, further in enumerate(lookup.beside, 1):
        if further.then is not None:
            ids = dict.fromkeys(
                str(v) for image in rows.values() if (v := image[place]) is not None
            )
            unknown = [id for id in ids if not further.then.asked_id(id)]
            ask_through(further.then, endpoint, [], unknown)
    named = [(id, _spelled(lookup, image)) for id, image in rows.items()]
    if by is None:
        return named, [id for id in values if id not in rows]
    wanted = {normal_key(value) for value in values}
    named = [(id, text) for id, text in named if normal_key(text) in wanted]
    known = {normal_key(text) for _, text in named}
    return named, [value for value in values if normal_key(value) not in known]


def _spelled(lookup: Lookup, image: Image) -> str:
    """What a row is known by: the texts of all its columns."""
    parts: list[Value] = [image[0]]
    for value, further in zip(image[1:], lookup.beside, strict=True):
        parts.append(
            value if further.then is None or value is None else further.then.spoken(str(value))
        )
    return several(parts)


def wake(run: MapRun) -> None:
    """Ask once per distinct target somebody waits for; make due whoever waits for a found one."""
    waits = list(run.store.waits(run.map.name))
    if not waits:
        return
    by_target = {(lookup.entity, lookup.called): lookup for lookup in run.map.lookups}
    by_entity = {lookup.entity: lookup for lookup in run.map.lookups}
    for wait in waits:
        lookup = by_target.get((wait.entity, wait.column)) or by_entity.get(wait.entity)
        if lookup is None:
            # The map no longer looks there: planning the record again drops the wait.
            run.tell("woken", run.store.wake(run.lease, wait, run.now()))
    for lookup in run.map.lookups:
        mine = [wait for wait in waits if wait.entity == lookup.entity]
        texts = [wait.value for wait in mine if wait.column == lookup.called]
        ids = [wait.value for wait in mine if not wait.column]
        ask(lookup, run.endpoint(lookup.side), texts, ids)
        for wait in mine:
            arrived = lookup.id_of(wait.value) if wait.column else lookup.text_of(wait.value)
            if arrived is not None:
                run.hold()
                run.tell("woken", run.store.wake(run.lease, wait, run.now()))
