"""`python -m connector.sandbox`: the sandbox without the command line around it.

Owns: its options, the JSON line on stdout, the exit code after a signal.
Never does: serving (`run.py`).
Tested in: tests/integration/sandbox/test_restart.py.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from connector.errors import DualWriteError
from connector.sandbox.dataverse.limits import PROFILES, limits_of
from connector.sandbox.run import Ready, run


def main() -> int:
    """The exit code: 0 never, because it serves until a signal; 2 where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m connector.sandbox", description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path("var/sandbox"))
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--finops-port", type=int)
    parser.add_argument("--profile", choices=list(PROFILES), default="fast")
    parser.add_argument("--limits", type=json.loads, default={}, metavar="JSON")
    parser.add_argument("--webhook-ca", type=Path)
    parser.add_argument("--empty", action="store_true")
    chosen = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        run(
            chosen.dir,
            chosen.port,
            _say,
            finops_port=chosen.finops_port,
            limits=limits_of(chosen.profile, chosen.limits),
            webhook_ca=chosen.webhook_ca,
            empty=chosen.empty,
        )
    except DualWriteError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _say(where: Ready) -> None:
    sys.stdout.write(json.dumps(where) + "\n")
    sys.stdout.flush()


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
