"""Rounds, one after the other, until enough processes were killed.

Owns: how many rounds, their stores, and keeping the folder of one that failed.
Never does: anything within a round.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from tests.chaos.report import Report
from tests.chaos.round import Round
from tests.postgresql import running

MOST_FAILURES = 5
"""After so many failing rounds there is enough to look at."""
NewStore: TypeAlias = Callable[[int], str | None]
"""Gives the URL of an empty store for a round; None is a SQLite file in its folder."""


def campaign(
    seed: int,
    kills: int,
    *,
    store: str = "sqlite",
    first: int = 1,
    kills_per_round: int = 12,
    cards: int = 400,
    tell: Callable[[str], None] = lambda _text: None,
) -> Report:
    """Rounds from `first` on until so many kills hit; one round fails without ending the rest."""
    report = Report(store, seed)
    began = time.monotonic()
    number = first
    with stores(store) as new_store:
        while report.tally.kills < kills and len(report.failing) < MOST_FAILURES:
            wanted = min(kills_per_round, kills - report.tally.kills)
            folder = Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-{number}-"))
            one = Round(
                seed, number, folder,
                store_url=new_store(number), cards=cards, kills=wanted, tell=tell,
            )  # fmt: skip
            try:
                one.play()
            except Exception:  # noqa: BLE001 - it is reported with all that is needed to replay it
                report.failing.append(
                    {
                        "round": number,
                        "error": traceback.format_exc(),
                        "log": one.log,
                        "folder": str(folder),
                        "replay": f"python -m tests.chaos --seed {seed} --round {number} "
                        f"--kills {wanted} --store {store} --cards {cards}",
                    }
                )
            else:
                shutil.rmtree(folder)
            report.tally.add(one.tally)
            report.rounds += 1
            number += 1
    report.seconds = time.monotonic() - began
    return report


@contextmanager
def stores(kind: str) -> Iterator[NewStore]:
    """Empty stores of one kind, as many as are asked for; skips where there is no server."""
    if kind == "sqlite":
        yield lambda _number: None
        return
    with running() as server:
        yield lambda _number: server.url(server.database())
