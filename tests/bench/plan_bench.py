"""Figures of the planner on one core: `python -m tests.bench.plan_bench [--records N]`.

Plans the shipped card map over decoded images: (a) nothing changed, (b) one field edited on one
side, (c) a row to be created. Each time includes reading a record's two images and, for writes,
making the write; it does not include the store, the wire, or making the records. Asserts no
times.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

from connector.engine.plan import plan
from connector.engine.settle import intend_create, note
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side, ValueType
from connector.store.record import Presence, Record, SideState
from tests.unit.mapping.live import TENDER, shipped_cards

ROUNDS = 5
START = date(2012, 1, 1)


def commerce_image(number: int) -> Image:
    """A card as the embedded ledger holds it."""
    day = START + timedelta(days=number % 4000)
    tender = tuple(TENDER)[number % 4]
    return (f"{480_000 + number}", tender, f"{number:09d}", None, f"{number % 90:03d}", day, day)


def dataverse_image(map: CompiledMap, commerce: Image) -> Image:
    """The row that agrees with it."""
    return tuple(field.forward(commerce[field.commerce_index]) for field in map.fields)


def record(map: CompiledMap, number: int) -> Record:
    """A card both sides agree on."""
    made = Record(number, map.name, str(480_000 + number), due=0.0)
    commerce = commerce_image(number)
    for side, image in (
        (Side.COMMERCE, commerce),
        (Side.DATAVERSE, dataverse_image(map, commerce)),
    ):
        state = made.side(side)
        state.presence, state.id, state.version = Presence.PRESENT, f"{side}-{number}", "1"
        # Equal, but never the same objects: that is how a store hands them out.
        state.image, state.agreed = image, image[:1] + image[1:]
    return made


def unchanged(map: CompiledMap, number: int) -> Record:
    """(a) Both sides hold the agreed pair."""
    return record(map, number)


def edited(map: CompiledMap, number: int) -> Record:
    """(b) One field of one side was edited; every fourth time the one with a value map."""
    made = record(map, number)
    image = made.commerce.image
    assert image is not None
    if number % 4:
        made.commerce.image = (*image[:2], "P-NEW", *image[3:])
    else:
        made.commerce.image = (image[0], tuple(TENDER)[(number // 4 + 1) % 4], *image[2:])
    return made


def new(map: CompiledMap, number: int) -> Record:
    """(c) Only commerce holds the card, and nothing was ever agreed."""
    made = record(map, number)
    made.commerce.agreed = None
    made.dataverse = SideState()
    return made


def planned(map: CompiledMap, records: list[Record]) -> int:
    """Plan all; how many writes came out."""
    return sum(len(plan(record, map).writes) for record in records)


def planned_and_noted(map: CompiledMap, records: list[Record]) -> int:
    """What the engine does besides, up to handing the write over: note it, intend it."""
    writes = 0
    for made in records:
        action = plan(made, map)
        note(made, action, map)
        for write in action.writes:
            intend_create(made, write, "0190", map)
            writes += 1
    return writes


def best(work: Callable[[], int], make: Callable[[], None]) -> tuple[float, int]:
    """The least processor time of some rounds in seconds, and what the work returned."""
    shortest, result = float("inf"), 0
    for _ in range(ROUNDS):
        make()
        gc.collect()
        gc.disable()
        begun = time.process_time()
        result = work()
        shortest = min(shortest, time.process_time() - begun)
        gc.enable()
    return shortest, result


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    count: int = parser.parse_args(arguments).records
    map = shipped_cards(ValueType.DATE)
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{count:,} records of {map.name}, {len(map.fields)} fields; best of {ROUNDS} rounds\n")
    print(f"{'case':32}{'records/s':>12}{'us each':>10}{'writes':>10}")
    records: list[Record] = []
    for title, make, work in (
        ("(a) unchanged", unchanged, planned),
        ("(b) one field edited", edited, planned),
        ("(c) create", new, planned),
        ("(c) create, noted and intended", new, planned_and_noted),
    ):

        def fill(make: Callable[[CompiledMap, int], Record] = make) -> None:
            records[:] = [make(map, number) for number in range(count)]

        seconds, writes = best(lambda work=work: work(map, records), fill)  # type: ignore[misc]
        print(f"{title:32}{count / seconds:12,.0f}{seconds / count * 1e6:10.2f}{writes:10,}")


if __name__ == "__main__":
    main(sys.argv[1:])
