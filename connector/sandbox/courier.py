"""Sends webhooks: in parallel, in no promised order, and without a promise to arrive.

Owns: the threads that send, time limits, retries, what the switches lose, double or hold back.
Never does: knowing what is told (`dataverse/webhooks/`, `finops/events.py`).
Tested in: tests/integration/sandbox/test_webhooks.py, test_courier.py.

Facts: "Dataverse: use-webhooks". Any 2xx is success and its body is ignored; a receiver has
60 seconds; 502, 503 and 504 are tried once more, nothing else is.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit

PARALLEL = 8
TIMEOUT_SECONDS = 60
RETRY_STATUSES = frozenset({502, 503, 504})
RETRY_AFTER_SECONDS = 1.0
WAITING_LIMIT = 100_000
"""Notifications; beyond it they are lost, so that a receiver that hangs cannot fill memory."""
REMEMBERED_PROBLEMS = 20
REMEMBERED_LETTERS = 10_000
"""Failed ones that can be sent again by hand."""
READ_BYTES = 65_536
"""Of an answer's body, which is ignored; behind a longer one the connection is not used again."""

Message: TypeAlias = tuple[dict[str, str], bytes]
"""Headers and body."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One notification on its way; `write` makes it when its turn comes."""

    url: str
    write: Callable[[], Message]


@dataclass(slots=True)
class Line:
    """A connection to a receiver, and whether an answer ever came over it."""

    connection: HTTPConnection
    used: bool = False


Lines: TypeAlias = dict[tuple[str, str, Path | None], Line]
"""By scheme, host and port, and the CA trusted."""


@dataclass(slots=True)
class Disorder:
    """What the switches do, to every so manieth letter; `late` ones come `seconds` later."""

    lose: int = 0
    late: int = 0
    twice: int = 0
    seconds: float = 1.0
    _sent: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if min(self.lose, self.late, self.twice) < 0 or self.seconds < 0:
            raise ValueError("numbers from 0 on")

    def falls_on(self) -> tuple[int, float]:
        """How often the next notification is sent, and for how long it is held back."""
        self._sent += 1
        lost, late, twice = (
            bool(every) and self._sent % every == 0 for every in (self.lose, self.late, self.twice)
        )
        return (0 if lost else 1 + twice), (self.seconds if late else 0.0)


@dataclass(frozen=True, slots=True)
class Persistence:
    """How often a letter that failed is sent again, after how many seconds.

    `statuses` are those behind which it is; None is any failure, also when there was no answer.
    """

    retries: int = 1
    seconds: float = RETRY_AFTER_SECONDS
    statuses: frozenset[int] | None = RETRY_STATUSES

    def wants(self, problem: int | str | None) -> bool:
        """Whether a letter that met `problem` is sent again."""
        return bool(problem) and (self.statuses is None or problem in self.statuses)


class Courier:
    """Takes letters from the event loop's thread and sends them from threads of its own.

    `ca` is a PEM file with the CAs of https receivers, None for the usual ones.
    """

    def __init__(self, ca: Path | None = None, persistence: Persistence = Persistence()) -> None:
        self.ca = ca
        self.persistence = persistence
        self._disorder = Disorder()
        self._queue: SimpleQueue[tuple[int, Letter]] = SimpleQueue()
        self._lock = threading.Lock()
        self._started = False
        self._round = 0
        self._waiting = 0
        self._counts: Counter[str] = Counter()
        self._problems: deque[dict[str, str]] = deque(maxlen=REMEMBERED_PROBLEMS)
        self._failed: deque[Letter] = deque(maxlen=REMEMBERED_LETTERS)

    def send(self, letter: Letter) -> None:
        """Take a letter; returns at once."""
        with self._lock:
            times, seconds = self._disorder.falls_on()
            if not times or self._waiting >= WAITING_LIMIT:
                self._counts["lost"] += 1
                return
            self._waiting += times
            item = (self._round, letter)
            if not self._started:
                self._start()
        for _ in range(times):
            if seconds:
                timer = threading.Timer(seconds, self._queue.put, (item,))
                timer.daemon = True
                timer.start()
            else:
                self._queue.put(item)

    def resend(self) -> int:
        """Send those that failed for good once more; how many there are."""
        with self._lock:
            again = list(self._failed)
            self._failed.clear()
        for letter in again:
            self.send(letter)
        return len(again)

    def disturb(self, disorder: Disorder) -> None:
        """From now on lose and hold back as it says."""
        with self._lock:
            self._disorder = disorder

    def clear(self) -> None:
        """Drop what waits, and forget the counts and the disorder."""
        with self._lock:
            self._round += 1
            self._waiting = 0
            self._counts.clear()
            self._problems.clear()
            self._failed.clear()
            self._disorder = Disorder()

    def counts(self) -> dict[str, Any]:
        """`waiting`, `delivered`, `failed`, `retried`, `lost`, and the newest `problems`."""
        with self._lock:
            names = ("delivered", "failed", "retried", "lost")
            counts = {name: self._counts[name] for name in names}
            return {"waiting": self._waiting, **counts, "problems": list(self._problems)}

    # ------------------------------------------------------------------------ threads

    def _start(self) -> None:
        self._started = True
        for number in range(PARALLEL):
            threading.Thread(target=self._work, name=f"webhook-{number}", daemon=True).start()

    def _work(self) -> None:
        lines: Lines = {}
        while True:
            number, letter = self._queue.get()
            if number == self._round:
                self._deliver(lines, letter, number)

    def _deliver(self, lines: Lines, letter: Letter, number: int) -> None:
        headers, body = letter.write()
        retried, persistence = 0, self.persistence
        problem = self._post(lines, letter.url, headers, body)
        while retried < persistence.retries and persistence.wants(problem):
            retried += 1
            time.sleep(persistence.seconds)
            problem = self._post(lines, letter.url, headers, body)
        with self._lock:
            if number != self._round:
                return
            self._waiting -= 1
            self._counts["retried"] += retried
            self._counts["failed" if problem else "delivered"] += 1
            if problem:
                self._problems.append({"url": _shown(letter.url), "problem": str(problem)})
                self._failed.append(letter)

    def _post(
        self, lines: Lines, url: str, headers: dict[str, str], body: bytes
    ) -> int | str | None:
        """None for a 2xx, else the status or why there is none."""
        split = urlsplit(url)
        target = f"{split.path or '/'}{'?' if split.query else ''}{split.query}"
        try:
            line = self._line(lines, split)
            try:
                status = _ask(line, target, headers, body)
            except ConnectionError:
                if not line.used:
                    raise
                # The receiver closed a connection that was kept open; that is no answer yet.
                status = _ask(line, target, headers, body)
        except (HTTPException, OSError, ValueError) as error:
            # A header or port that cannot be sent is no end of this thread either. The text may
            # hold the URL with its key.
            return type(error).__name__
        return None if 200 <= status < 300 else status

    def _line(self, lines: Lines, split: SplitResult) -> Line:
        """The connection of this thread to a receiver; kept open between letters."""
        key = (split.scheme, split.netloc, self.ca)
        line = lines.get(key)
        if line is None:
            host = split.hostname or ""
            if split.scheme == "http":
                connection = HTTPConnection(host, split.port, timeout=TIMEOUT_SECONDS)
            else:
                trust = ssl.create_default_context(cafile=self.ca)
                connection = HTTPSConnection(
                    host, split.port, timeout=TIMEOUT_SECONDS, context=trust
                )
            line = lines[key] = Line(connection)
        return line


def _ask(line: Line, target: str, headers: dict[str, str], body: bytes) -> int:
    """The status of one POST; after a failure the connection is opened again next time."""
    try:
        line.connection.request("POST", target, body, headers)
        answer = line.connection.getresponse()
        answer.read(READ_BYTES)
        if not answer.isclosed():
            line.connection.close()
    except (HTTPException, OSError, ValueError):
        line.connection.close()
        raise
    line.used = True
    return answer.status


def _shown(url: str) -> str:
    """A URL without its query: the key may be in it."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}{split.path}"
