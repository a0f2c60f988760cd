"""`python -m tests.chaos --kills 1000 --store sqlite --seed 1 --json`."""

from __future__ import annotations

import argparse
import json
import sys

from tests.chaos.campaign import campaign
from tests.chaos.report import spelled
from tests.chaos.round import say_on_stderr


def main() -> int:
    """Kill, judge, report; 1 when a round failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="kills that hit a living process")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, help="play this round only")
    parser.add_argument("--cards", type=int, default=400)
    parser.add_argument("--kills-per-round", type=int, default=12)
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    report = campaign(
        options.seed,
        options.kills,
        store=options.store,
        first=options.round or 1,
        kills_per_round=options.kills if options.round else options.kills_per_round,
        cards=options.cards,
        tell=(lambda _text: None) if options.json else say_on_stderr,
    )
    lines = [json.dumps(report.as_dict())] if options.json else spelled(report)
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if report.failing else 0


if __name__ == "__main__":
    sys.exit(main())
