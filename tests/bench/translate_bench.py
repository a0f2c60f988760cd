"""Figures of translation on one core: `python -m tests.bench.translate_bench [--records N]`.

Translates whole records of the shipped card map towards each side, as a create does: one call per
record from an image to the values of the new row. Beside it the same map with a transform on
every text. It does not include planning, the store or the wire. Asserts no times.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import time

from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.values import Image, Side, ValueType
from tests.bench.plan_bench import commerce_image, dataverse_image
from tests.unit.mapping.live import (
    MAPPINGS,
    commerce_cards,
    dataverse_cards,
    lookup_columns,
    shipped_cards,
)

ROUNDS = 7
STEPS = "transform: [trim, {case: upper}, {truncate: 30}]"


def with_steps() -> CompiledMap:
    """The card map with three steps on each of its texts that travel both ways."""
    text = (MAPPINGS / "loyalty-card.yaml").read_text("utf-8")
    for name in ("partynumber", "operatingunitnumber"):
        text = text.replace(
            f'sync: "=", dataverse: msdyn_{name}', f'sync: "><", dataverse: msdyn_{name}, {STEPS}'
        )
    return compile_map(
        parse_document(text), commerce_cards(ValueType.DATE), dataverse_cards(), lookup_columns
    )


def best(map: CompiledMap, target: Side, images: list[Image]) -> float:
    """The least processor time of some rounds, in seconds."""
    translate = map.creations[target].values
    least = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        started = time.process_time()
        for image in images:
            translate(image)
        least = min(least, time.process_time() - started)
    return least


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    records = parser.parse_args().records
    print(f"{platform.python_implementation()} {sys.version.split()[0]}, {os.cpu_count()} cores")
    maps = {
        "card map": shipped_cards(ValueType.DATE),
        "card map, dates as instants": shipped_cards(),
        "card map, 3 steps on 2 texts": with_steps(),
    }
    for name, map in maps.items():
        commerce = [commerce_image(number) for number in range(records)]
        for target in Side:
            images = commerce
            if target is Side.COMMERCE:
                images = [dataverse_image(map, image) for image in commerce]
            seconds = best(map, target, images)
            print(f"{name}, to {target}: {records / seconds:,.0f} records/s")


if __name__ == "__main__":
    main()
