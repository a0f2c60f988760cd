"""Export runs from their beginning to the keys on disk.

Owns: the order of the steps of a run, and going on with one that somebody else began.
Never does: reading a row; moving a position (`detection.py`).
Tested in: tests/unit/endpoints/finops/exports/test_detection.py,
tests/acceptance/test_finops_exports.py.

The order is what makes a crash harmless: the run stands in the journal before the service is asked,
its job as soon as it is known, its keys before anybody counts it. Where the answer to the first
request is lost, so is what that run told: then it ends as lost, and whoever comes to it compares
the whole table.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.endpoints.finops.exports.download import Downloads
from connector.endpoints.finops.exports.faults import late
from connector.endpoints.finops.exports.jobs import Jobs, ReplyLost, Status
from connector.endpoints.finops.exports.journal import Begun, Journal
from connector.endpoints.finops.exports.package import Wanted, keys_of
from connector.errors import DualWriteError, MapError, UnreachableError
from connector.mapping.values import Value

FIRST_WAIT, LONGEST_WAIT, GROWTH = 1.0, 30.0, 1.5
"""Seconds between two questions how far a job is."""
PATIENCE = 1800.0
"""Seconds a command waits for a job."""
UNKNOWN_FOR = 600.0
"""Seconds after which a job the service does not know never was, and a request without an answer
is not under way any more."""
KEPT = 86_400.0
"""Seconds for which the keys of a run stay: maps that share it come at their own times."""

START = "the first export only sets the start"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Time, and what else of this process a run needs."""

    clock: Callable[[], float]
    """Seconds since the epoch."""
    sleep: Callable[[float], None]
    holder: str
    """This process, as leases name it."""
    gone: Callable[[str], bool]
    """Whether another one has died."""
    stopping: Callable[[], bool]


class Runs:
    """The runs of one export project for one entity."""

    def __init__(
        self,
        journal: Journal,
        jobs: Jobs,
        downloads: Downloads,
        wanted: Wanted,
        id_for: Callable[[Mapping[str, Value]], str],
        folder: Path,
        clockwork: Clockwork,
    ) -> None:
        self.journal = journal
        self._jobs = jobs
        self._downloads = downloads
        self.wanted = wanted
        self._id_for = id_for
        self._folder = folder
        self._time = clockwork

    def advance(self, patience: float) -> bool:
        """Bring what is under way to its end, then a new run; False where it takes longer.

        Without patience each is looked at once. After a run that was lost none is begun: the
        table is compared anyway, and the job nobody knows may still be at work. Raises `MapError`
        (`export-refused`, `export-project-misfit`) and `UnreachableError`; a run under way is gone
        on with next time.
        """
        until = self._time.clock() + patience
        pending = self.journal.pending()
        if pending is not None:
            if not self._finished(pending, until):
                return False
            if self._lost_since(pending.at):
                return True
        begun = self.journal.begin(self._time.holder, self._time.clock())
        begun = self.journal.pending() if begun is None else self._started(begun)
        self.journal.forget(self._time.clock() - KEPT)
        return self._finished(begun, until)

    def _lost_since(self, time: float) -> bool:
        """Whether the last run was lost since; its job may be at work unknown to us."""
        last = self.journal.last()
        return last is not None and last.lost not in (None, START) and last.at >= time

    def _finished(self, begun: Begun | None, until: float) -> bool:
        wait = FIRST_WAIT
        while begun is not None and not self._ended(begun):
            left = until - self._time.clock()
            if left <= 0 or self._time.stopping():
                return False
            self._time.sleep(min(wait, left))
            wait = min(wait * GROWTH, LONGEST_WAIT)
            begun = self.journal.pending()
        return True

    @property
    def interrupted(self) -> bool:
        """Whether a wait ended because this process is to end."""
        return self._time.stopping()

    def late(self, patience: float) -> UnreachableError:
        """What a command says that has waited so long in vain."""
        begun = self.journal.pending()
        execution = begun.execution if begun is not None else None
        return late(self.wanted.project, self.wanted.entity, execution or "unnamed", patience)

    # ------------------------------------------------------------------------ steps

    def _started(self, begun: Begun) -> Begun | None:
        """The run with its job; None where it has ended already."""
        try:
            execution = self._jobs.start()
        except ReplyLost as lost:
            self._lose(begun, f"the answer to ExportToPackage was lost: {lost}")
            return None
        except DualWriteError as error:
            if isinstance(error, MapError) and self._lost_since(begun.at - UNKNOWN_FOR):
                self._lose(begun, f"a job nobody knows may still be at work: {error.cause}")
                return None
            self.journal.end(begun.number, (), self._time.clock())  # nothing was exported
            raise
        self.journal.note(begun.number, execution)
        return self.journal.pending()

    def _ended(self, begun: Begun) -> bool:
        """Take the next step of a run; whether it was the last one."""
        age = self._time.clock() - begun.at
        if begun.execution is None:
            if not begun.holder or self._time.gone(begun.holder) or age > UNKNOWN_FOR:
                self._lose(begun, "whoever asked for it ended before the answer came")
                return True
            return False
        status = self._jobs.status(begun.execution)
        if status is Status.UNKNOWN and age > UNKNOWN_FOR:
            self._lose(begun, f"the service does not know job {begun.execution}")
        elif status is Status.SUCCEEDED:
            self._keep(begun, begun.execution)
        elif status.ended:
            self._lose(begun, f"job {begun.execution} ended as {status}; its errors stand there")
        else:
            return False
        return True

    def _keep(self, begun: Begun, execution: str) -> None:
        """Fetch the package; its keys end the run."""
        if begun.number == 1:
            # The whole table: from here on the service counts, what is there is compared.
            self.journal.lose(1, START, self._time.clock())
            return
        spill = self._folder / f"{begun.number:08d}.{uuid.uuid4().hex}.zip"
        url = self._jobs.url(execution)
        try:
            self._downloads.fetch(url, spill)
            self.journal.end(begun.number, self._ids(spill), self._time.clock())
        except MapError as error:
            self._lose(begun, error.message)
            raise
        except UnreachableError as error:
            if error.code != "package-broken":
                raise
            self._lose(begun, f"{error.message} ({error.cause})" if error.cause else error.message)
        finally:
            spill.unlink(missing_ok=True)

    def _ids(self, spill: Path) -> Iterator[str]:
        for key in keys_of(spill, self.wanted):
            yield self._id_for(key)

    def _lose(self, begun: Begun, why: str) -> None:
        project, entity = self.wanted.project, self.wanted.entity
        _LOG.warning(
            "export %s of %s: %s; %s is compared in full", begun.number, project, why, entity
        )
        self.journal.lose(begun.number, why, self._time.clock())
