"""Two thousand worlds for every change, over all cores, as `python -m tests.simulation` runs them.

Most of them keep their state in memory, where one takes some 30 milliseconds; the rest keep it in
the real store, whose contract the other one passes.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "tests.simulation", "--json"]


@pytest.mark.parametrize(("store", "start", "seeds"), [("memory", 0, 1850), ("real", 1850, 150)])
def test_every_world_comes_to_rest_in_agreement(store: str, start: int, seeds: int) -> None:
    asked = ["--store", store, "--start", str(start), "--seeds", str(seeds)]
    done = subprocess.run([*COMMAND, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert (told["seeds"], told["start"], told["store"]) == (seeds, start, store)
    assert told["failing"] == []
    assert told["seeds_per_second"] > 0
