"""The proof: both sides read whole and compared under the map.

Owns: what counts as equal, drift, ignored or excused, and reading each difference again on both
sides before it is reported.
Never does: writing anything; `repair` goes through the ordinary cycle.
Tested in: tests/integration/engine/test_verify.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connector.endpoints.base import Page
from connector.engine.append.course import append_keys
from connector.engine.append.there import as_added
from connector.engine.apply import chunks
from connector.engine.cycle import settle_due
from connector.engine.lookups import resolve
from connector.engine.news.absorb import Absorbed, absorb
from connector.engine.ownership import of_another
from connector.engine.plan import plan, refused_by
from connector.engine.ports import Ports
from connector.engine.proof.pairs import Couple, Held, couples, couples_of
from connector.engine.runs.run import MapRun, layout_of
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.values import Image, Side, Value
from connector.store.record import Layout, Presence, Record, SideState, State

LISTED = 10_000
"""Findings kept in memory; the report callback is told all of them."""
WAITING = "waiting for a row it refers to"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in which the sides are not equal, and how it counts."""

    verdict: str
    """difference | drift | ignored | excused"""
    key: str
    record: int | None
    field: str | None
    commerce: dict[str, Value] | None
    dataverse: dict[str, Value] | None
    reason: str


@dataclass(slots=True)
class Verdict:
    """What a comparison found; `adjusted` fields are held differently by agreement."""

    compared: int = 0
    differences: int = 0
    drift: int = 0
    ignored: int = 0
    excused: int = 0
    adjusted: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether nothing differs that should not."""
        return self.differences == 0

    def add(self, finding: Finding) -> None:
        """Count a finding and keep it while there is room."""
        if finding.verdict == "difference":
            self.differences += 1
        elif finding.verdict == "drift":
            self.drift += 1
        elif finding.verdict == "ignored":
            self.ignored += 1
        else:
            self.excused += 1
        if len(self.findings) < LISTED:
            self.findings.append(finding)


Report = Callable[[Finding], None]


def verify(
    map: CompiledMap,
    ports: Ports,
    report: Report = lambda _finding: None,
    key: str | None = None,
) -> Verdict:
    """Compare everything both sides hold, or the record under `key`.

    Takes no lease and keeps nothing.
    """
    layout = layout_of(map, ports, keep=False)
    verdict = Verdict()

    def tell(finding: Finding) -> None:
        verdict.add(finding)
        report(finding)

    with ports.store.scratch(layout, Side.DATAVERSE) as scratch:
        whole = couples(map, ports.endpoints, scratch, ports.progress)
        for batch in whole if key is None else [couples_of(map, ports.endpoints, key)]:
            verdict.compared += len(batch)
            doubtful = _not_equal(map, ports, batch)
            if doubtful:
                again = _read_again(map, ports, doubtful)
                _judge(map, ports, layout, again, verdict, tell)
    return verdict


def _not_equal(map: CompiledMap, ports: Ports, batch: Sequence[Couple]) -> list[Couple]:
    resolve(map, ports.endpoints, [as_record(map, couple, 0) for couple in batch])
    return [
        couple
        for couple in batch
        if couple.commerce is None
        or couple.dataverse is None
        or _differing(map, couple.commerce.image, couple.dataverse.image)
    ]


def _differing(map: CompiledMap, commerce: Image, dataverse: Image) -> list[Group]:
    """The groups in which a pair differs."""
    if map.document.appends_to is not None:
        return [g for g in map.groups if not as_added(map, g, commerce, dataverse)]
    return [group for group in map.groups if not group.same(commerce, dataverse)]


def _read_again(map: CompiledMap, ports: Ports, batch: Sequence[Couple]) -> list[Couple]:
    """The same couples as they are now; a couple that is gone on both sides is dropped."""
    now: dict[Side, dict[str, Held]] = {}
    for side in Side:
        entity, columns = map.entity(side), map.column_names(side)
        endpoint = ports.endpoints[side]
        ids = [held.id for couple in batch if (held := couple.held(side)) is not None]
        rows = endpoint.read(entity, columns, by=None, values=ids).rows if ids else {}
        now[side] = {id: Held(found[0].id, found[0].image) for id, found in rows.items() if found}
        lacking = [c for c in batch if c.held(side) is None and not c.twin]
        now[side].update(_by_key(map, ports, side, lacking))
    again: list[Couple] = []
    for couple in batch:
        commerce, dataverse = (_now(now[side], couple, side) for side in Side)
        if commerce is not None or dataverse is not None:
            again.append(Couple(couple.key, commerce, dataverse, couple.twin))
    return again


def _now(rows: dict[str, Held], couple: Couple, side: Side) -> Held | None:
    old = couple.held(side)
    return rows.get(old.id if old is not None else couple.key)


def _by_key(
    map: CompiledMap, ports: Ports, side: Side, lacking: Sequence[Couple]
) -> dict[str, Held]:
    """Rows that came into being since: by normalised key."""
    index, other = map.keys[side][0], map.keys[side.other][0]
    values = [
        str(held.image[other])
        for couple in lacking
        if (held := couple.held(side.other)) is not None
        and map.key_of(side.other, held.image) is not None
    ]
    if not values:
        return {}
    columns = map.column_names(side)
    found = ports.endpoints[side].read(map.entity(side), columns, by=columns[index], values=values)
    held_by_key: dict[str, Held] = {}
    for rows in found.rows.values():
        for row in rows:
            key = map.key_of(side, row.image)
            if key is not None:
                held_by_key[key] = Held(row.id, row.image)
    return held_by_key


def _judge(
    map: CompiledMap,
    ports: Ports,
    layout: Layout,
    batch: Sequence[Couple],
    verdict: Verdict,
    tell: Report,
) -> None:
    records = _records(ports, layout, batch)
    live = {couple.key: as_record(map, couple, 0) for couple in batch}
    resolve(map, ports.endpoints, live.values())
    for couple in batch:
        record = records.get(couple.key)
        if couple.commerce is None or couple.dataverse is None:
            tell(_one_sided(map, couple, record))
            continue
        differing = _differing(map, couple.commerce.image, couple.dataverse.image)
        left = _left_alone(map, couple, record)
        for group in differing:
            _judge_group(map, couple, group, record, verdict, tell, left)


def _records(ports: Ports, layout: Layout, batch: Sequence[Couple]) -> dict[str, Record]:
    """What is known of each couple: by key, or by the id of a row parked under another key.

    The rows of a couple may belong to two records. The one that waits for a person comes first,
    then the one whose rows a person left as they are.
    """
    by_key = ports.store.by_keys(layout, [couple.key for couple in batch])
    records = {key: known[0] for key, known in by_key.items()}
    parked: dict[str, Record] = {}
    for side in Side:
        ids = {held.id: c.key for c in batch if (held := c.held(side)) is not None}
        for id, record in ports.store.by_ids(layout, side, list(ids)).items():
            if record.state is State.PARKED:
                parked[ids[id]] = record
            elif record.accepted and not _accepted_as_it_is(records.get(ids[id])):
                records[ids[id]] = record
    return {**records, **parked}


def _left_alone(map: CompiledMap, couple: Couple, record: Record | None) -> str | None:
    """Why the map leaves a record that both sides have alone, if it does."""
    live = as_record(map, couple, 0, record)
    if refused_by(live, map) and of_another(live, map) is None:
        return "outside the map's filter"
    accepted = live.accepted or _accepted_as_it_is(record)
    return "a person accepted the difference" if accepted else None


def _accepted_as_it_is(record: Record | None) -> bool:
    """Whether a person accepted rows whose identity is in question: twins, a renamed row."""
    return record is not None and record.accepted and record.problem is not None


def _one_sided(map: CompiledMap, couple: Couple, record: Record | None) -> Finding:
    here = Side.COMMERCE if couple.commerce is not None else Side.DATAVERSE
    held = couple.held(here)
    assert held is not None
    verdict, reason = "difference", f"only in {here}"
    if record is not None and record.state is State.PARKED and record.problem is not None:
        verdict, reason = "excused", f"{record.problem.code}: {record.problem.message}"
    else:
        action = plan(as_record(map, couple, 0, record), map)
        if _accepted_as_it_is(record) or action.ignored:
            verdict, reason = "ignored", f"only in {here}, as the map or a person wants"
        elif record is not None and record.waiting and action.waits and not action.writes:
            verdict, reason = "excused", WAITING
    return Finding(
        verdict,
        map.spelled_key(here, held.image),
        record.number if record else None,
        None,
        _columns(map, Side.COMMERCE, couple.commerce),
        _columns(map, Side.DATAVERSE, couple.dataverse),
        reason,
    )


def _judge_group(
    map: CompiledMap,
    couple: Couple,
    group: Group,
    record: Record | None,
    verdict: Verdict,
    tell: Report,
    left_alone: str | None,
) -> None:
    assert couple.commerce is not None
    assert couple.dataverse is not None
    images = {Side.COMMERCE: couple.commerce.image, Side.DATAVERSE: couple.dataverse.image}
    changed = {side: _changed(group, side, images[side], record) for side in Side}
    if left_alone is None and not any(changed.values()):
        verdict.adjusted += 1
        return
    name, reason = "difference", "the sides differ"
    two_way = group.travels_to(Side.COMMERCE) and group.travels_to(Side.DATAVERSE)
    source = Side.COMMERCE if group.travels_to(Side.DATAVERSE) else Side.DATAVERSE
    if left_alone is not None:
        name, reason = "ignored", left_alone
    elif not two_way and not changed[source]:
        name, reason = "drift", f"edited in {source.other}; this field travels from {source} only"
    elif record is not None and record.state is State.PARKED and record.problem is not None:
        name, reason = "excused", f"{record.problem.code}: {record.problem.message}"
    elif record is not None and (record.conflicts or record.waiting):
        action = plan(as_record(map, couple, record.number, record), map)
        if any(conflict.group == group.name for conflict in action.conflicts):
            name, reason = "excused", "in conflict: a person decides"
        elif any(wait.group == group.name for wait in action.waits):
            name, reason = "excused", WAITING
    elif map.document.appends_to is not None:
        name, reason = "drift", f"edited in {source.other}; this map adds rows and changes none"
    tell(
        Finding(
            name,
            map.spelled_key(Side.COMMERCE, couple.commerce.image),
            record.number if record else None,
            group.name,
            group.values(Side.COMMERCE, couple.commerce.image),
            group.values(Side.DATAVERSE, couple.dataverse.image),
            reason,
        )
    )


def _changed(group: Group, side: Side, image: Image, record: Record | None) -> bool:
    """Whether a side holds something else than its half of the agreed pair."""
    if record is None:
        return True
    agreed = record.side(side).agreed
    return agreed is None or group.changed(side, image, agreed)


def as_record(map: CompiledMap, couple: Couple, number: int, known: Record | None = None) -> Record:
    """A record holding what the sides hold now, with what was agreed before."""
    record = Record(number, map.name, couple.key, anew=dict(known.anew) if known else {})
    unchanged = True
    for side in Side:
        held = couple.held(side)
        before = known.side(side) if known is not None else SideState()
        presence = Presence.PRESENT if held is not None else Presence.ABSENT
        state = SideState(presence, id=before.id, image=before.image, agreed=before.agreed)
        if held is not None:
            state.id, state.image = held.id, held.image
        unchanged = unchanged and (presence, state.image) == (before.presence, before.image)
        if side is Side.COMMERCE:
            record.commerce = state
        else:
            record.dataverse = state
    record.accepted = unchanged and known is not None and known.accepted
    return record


def _columns(map: CompiledMap, side: Side, held: Held | None) -> dict[str, Value] | None:
    if held is None:
        return None
    return dict(zip(map.column_names(side), held.image, strict=True))


def repair(run: MapRun, findings: Sequence[Finding]) -> None:
    """Observe what differs anew on both sides and let the ordinary cycle settle it."""
    differing = [finding for finding in findings if finding.verdict == "difference"]
    if run.map.document.appends_to is not None:
        for chunk in chunks(differing, run.limits.page):
            append_keys(run, [run.map.first_part(finding.key) for finding in chunk])
        settle_due(run)
        return
    for chunk in chunks(differing, run.limits.page):
        for side in Side:
            run.hold()
            columns = run.map.column_names(side)
            tick = run.numbers("tick")
            found = run.endpoint(side).read(
                run.map.entity(side),
                columns,
                by=columns[run.map.keys[side][0]],
                values=list(dict.fromkeys(run.map.first_part(finding.key) for finding in chunk)),
            )
            rows = [row for rows in found.rows.values() for row in rows]
            run.commit(absorb(run, side, tick, Page(rows)).seal(run))
        _doubt(run, [finding.record for finding in chunk if finding.record is not None])
    settle_due(run)


def _doubt(run: MapRun, numbers: Sequence[int]) -> None:
    """Let the cycle read these records by id, whatever is believed of them: no feed may tell."""
    doubted = Absorbed(run.work())
    for record in run.store.by_numbers(run.layout, numbers).values():
        for side in Side:
            if record.side(side).presence is Presence.PRESENT:
                record.side(side).presence = Presence.UNKNOWN
        record.due = run.now()
        doubted.touch(record)
    run.commit(doubted.seal(run))
