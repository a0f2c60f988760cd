"""`python -m tests.simulation`: run many seeds, or tell the story of one.

Owns: arguments, output and exit code: 0 when every invariant held, 1 when a seed failed.
Never does: living a seed (`runner.py`).
"""

# ruff: noqa: T201 - what it prints is what it is for

from __future__ import annotations

import argparse
import json
import os
import sys

from tests.simulation.runner import Outcome, many, one
from tests.simulation.stores import KINDS
from tests.simulation.story import story


def main() -> int:
    """Run as asked for."""
    given = _arguments()
    if given.trace is not None:
        world, invariant = one(given.trace, given.store)
        print(story(world, invariant))
        return 0 if invariant is None else 1
    outcome = many(given.start, given.seeds, given.jobs, given.store)
    _tell(outcome, as_json=given.json)
    return 1 if outcome.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.simulation", description=__doc__)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument("--seeds", type=_positive, default=200, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=_positive, default=cores, help="processes; all cores")
    parser.add_argument("--store", choices=KINDS, default="real", help="where the state is kept")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--trace", type=int, metavar="SEED", help="tell the story of this seed")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    figures = outcome.as_dict()
    told = next((f.story for f in outcome.failures if f.story is not None), None)
    if told is not None:
        print(told, file=sys.stderr)
    if as_json:
        print(json.dumps(figures))
        return
    for failure in outcome.failures:
        print(f"seed {failure.seed}: {failure.invariant}")
        print(f"  replay: {failure.replay(outcome.store)}")
    print(
        f"{outcome.seeds} seeds from {outcome.start} on, {len(outcome.failures)} failing, "
        f"{figures['seconds']} s, {figures['seeds_per_second']} seeds/s on {outcome.jobs} cores, "
        f"{outcome.store} store"
    )


if __name__ == "__main__":
    sys.exit(main())
