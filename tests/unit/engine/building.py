"""Maps, records and a perfect pair of systems, in a few words.

`compiled` makes a map out of field rows over the columns below; `record` a record out of what
each side holds and what was agreed; `World` carries out planned writes as two systems without
faults would, and settles them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from connector.endpoints.base import Applied, Row
from connector.engine.plan import Action, Kind, Write, plan
from connector.engine.retry import Retry
from connector.engine.settle import Reply, intend_create, note, settle
from connector.mapping.columns import Column, Reference
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.values import Image, Side, Value, ValueType
from connector.store.record import Presence, Record, SideState

COMMERCE, DATAVERSE = Side.COMMERCE, Side.DATAVERSE
Values = Mapping[str, Value]

_TEXTS = "ABCDEF"
COMMERCE_COLUMNS = {
    "Id": Column("Id", ValueType.TEXT),
    **{name: Column(name, ValueType.TEXT) for name in _TEXTS},
    "Status": Column("Status", ValueType.CHOICE, choices={"Open": "Open", "Closed": "Closed"}),
    "Amount": Column("Amount", ValueType.DECIMAL, scale=3),
    "Currency": Column("Currency", ValueType.TEXT),
}
DATAVERSE_COLUMNS = {
    "id": Column("id", ValueType.TEXT),
    **{name.lower(): Column(name.lower(), ValueType.TEXT) for name in _TEXTS},
    "status": Column("status", ValueType.CHOICE, choices={1: "Open", 2: "Closed"}),
    "amount": Column("amount", ValueType.DECIMAL, scale=2),
    "later": Column("later", ValueType.TEXT, creatable=False),
    "state": Column("state", ValueType.CHOICE, choices={0: "Active", 1: "Inactive"}),
    "currencyid": Column(
        "currencyid", ValueType.REFERENCE, reference=Reference("currencies", "currencyid")
    ),
}
KEY = "commerce: Id, sync: '=', dataverse: id, key: true"
STATUS = "commerce: Status, sync: '><', dataverse: status, values: {Open: 1, Closed: 2}"
CURRENCY = "commerce: Currency, sync: '=', dataverse: currencyid.code"


def both(name: str, more: str = "") -> str:
    """The row of a text field that travels both ways."""
    return f"commerce: {name}, sync: '=', dataverse: {name.lower()}{more}"


def compiled(*rows: str, key: str = KEY, inactive: str = "", **head: str) -> CompiledMap:
    """A map of these field rows after the key; `head` are further keys of the document."""
    text = "map: thing\ncommerce: {entity: Things}\n"
    text += f"dataverse: {{entity: things{inactive}}}\n"
    text += "".join(f"{name}: {value}\n" for name, value in head.items())
    text += "fields:\n" + "".join(f"  - {{{row}}}\n" for row in (key, *rows))
    return compile_map(
        parse_document(text),
        COMMERCE_COLUMNS,
        DATAVERSE_COLUMNS,
        lambda _entity: {"code": Column("code", ValueType.TEXT)},
    )


def group(map: CompiledMap, name: str) -> Group:
    """A group by name."""
    return next(group for group in map.groups if group.name == name)


def image(map: CompiledMap, side: Side, values: Values) -> Image:
    """An image; the key is `K` and other columns null unless given."""
    names = map.column_names(side)
    key = names[map.keys[side][0]]
    given = {key: "K", **values}
    assert set(given) <= set(names), f"{set(given) - set(names)} not in the map"
    return tuple(given.get(name) for name in names)


def record(
    map: CompiledMap,
    commerce: Values | None,
    dataverse: Values | None,
    agreed: tuple[Values, Values] | None = None,
    *,
    times: tuple[float | None, float | None] = (None, None),
) -> Record:
    """A record, due, whose sides hold these values; None is absent."""
    made = Record(7, map.name, "k", due=0.0)
    for side, values in ((COMMERCE, commerce), (DATAVERSE, dataverse)):
        state = made.side(side)
        if values is not None:
            state.presence = Presence.PRESENT
            state.image = image(map, side, values)
            state.key = map.spelled_key(side, state.image)
            state.modified_at = times[0 if side is COMMERCE else 1]
        if values is not None or agreed is not None:
            state.id, state.version = f"{side}-1", "1"
        if agreed is not None:
            state.agreed = image(map, side, agreed[0 if side is COMMERCE else 1])
    return made


def held(map: CompiledMap, record: Record, side: Side) -> dict[str, Value]:
    """What a side is believed to hold, by column."""
    seen = record.side(side).image
    assert seen is not None
    return dict(zip(map.column_names(side), seen, strict=True))


def reply(map: CompiledMap, *, tick: int = 10, now: float = 100.0, attempts: int = 8) -> Reply:
    """A reply that came at `tick` and `now`; retries wait their full time."""
    return Reply(
        map, tick, now, dict.fromkeys(Side, 1), dict.fromkeys(Side, 0.0),
        Retry(attempts, 2.0, 600.0), lambda: 1.0,
    )  # fmt: skip


class World:
    """Two systems without faults, holding one record at most each."""

    def __init__(self, map: CompiledMap, record: Record) -> None:
        self.map = map
        self.record = record
        self.rows: dict[Side, dict[str, Image]] = {side: {} for side in Side}
        self._ticks = count(100)
        for side in Side:
            state = record.side(side)
            if state.presence is Presence.PRESENT:
                assert state.id is not None
                assert state.image is not None
                self.rows[side][state.id] = state.image

    def step(self) -> Action:
        """Plan the record and carry everything out."""
        action = plan(self.record, self.map)
        self.take(action)
        for write in self.intended(action):
            self.carry_out(write)
        return action

    def take(self, action: Action) -> None:
        """What the engine notes before anything leaves."""
        note(self.record, action, self.map)

    def intended(self, action: Action) -> list[tuple[Write, str]]:
        """The writes with their ids, as they leave."""
        leaving: list[tuple[Write, str]] = []
        for write in action.writes:
            id = write.id or f"{write.side}-{next(self._ticks)}"
            if write.kind is Kind.CREATE:
                intend_create(self.record, write, id, self.map)
            leaving.append((write, id))
        return leaving

    def carry_out(self, leaving: tuple[Write, str]) -> None:
        """Let one write happen, and settle its reply."""
        write, id = leaving
        rows = self.rows[write.side]
        names = self.map.column_names(write.side)
        row: Row | None = None
        if write.kind is Kind.DELETE:
            del rows[id]
        else:
            assert (id in rows) is (write.kind is Kind.UPDATE)
            before = rows.get(id, (None,) * len(names))
            rows[id] = tuple(
                write.values.get(name, old) for name, old in zip(names, before, strict=True)
            )
            row = Row(id, str(next(self._ticks)), rows[id])
        settle(self.record, write, Applied(id, row), reply(self.map, tick=next(self._ticks)))

    def image(self, side: Side) -> Image | None:
        """What a system really holds."""
        return next(iter(self.rows[side].values()), None)


def unknown(state: SideState) -> None:
    """Make a side one of which nothing is sure."""
    state.presence = Presence.UNKNOWN
