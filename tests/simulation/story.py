"""One world, told so that a person can follow it.

Owns: the text of a seed: the violated invariant first, then who did what and when, then what both
systems and the state hold in the end.
Never does: judging.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.mapping.values import Side
from connector.store.record import Record
from tests.simulation.findings import Found
from tests.simulation.world import World


def story(world: World, failure: str | None) -> str:
    """The whole story of a world."""
    plan = world.plan
    rates = ", ".join(f"{name} {rate:.3f}" for name, rate in plan.rates.items() if rate)
    habits = ", ".join(f"{name} {weight}" for name, weight in plan.habits.items() if weight)
    skew = ", ".join(f"{whose} by {by:.1f} s" for whose, by in plan.skew.items() if by)
    lines = [
        f"seed {world.seed}: {failure or 'every invariant holds'}",
        "",
        f"faults: {rates or 'none'}",
        f"people: {habits}",
        f"clocks ahead: {skew or 'none'}",
        *(f"{side}: {plan.traits[side]}" for side in Side),
        *plan.text.splitlines(),
        "",
        "  second      who",
        *world.trace.lines(),
        "",
        *_systems(world),
        *_state(world),
    ]
    return "\n".join(lines)


def _systems(world: World) -> Iterator[str]:
    for side, system in world.systems.items():
        yield f"{side} holds"
        for id, row in sorted(system.rows.items()):
            values = ", ".join(f"{name} {value!r}" for name, value in row.values.items())
            yield f"  {id} version {row.version} by {row.modifier}: {values}"
        if system.targets:
            yield f"  currencies {system.targets}"


def _state(world: World) -> Iterator[str]:
    found = Found.of(world)
    yield "the state holds"
    for records in found.records.values():
        for record in records:
            yield from _record(record)
    for number, group in sorted(found.conflicts):
        yield f"  open conflict: {group} of record {number}"


def _record(record: Record) -> Iterator[str]:
    about = f"  record {record.number} {record.key!r} {record.state}"
    if record.problem is not None:
        about += f", {record.problem.code}: {record.problem.message}"
    if record.due is not None:
        about += f", due, {record.attempts} attempts failed"
    yield about + (", unconfirmed" if record.unconfirmed else "")
    for side in Side:
        state = record.side(side)
        yield f"    {side} {state.presence} {state.id} version {state.version}"
        yield f"      seen   {state.image}"
        yield f"      agreed {'the same' if state.agreed == state.image else state.agreed}"
