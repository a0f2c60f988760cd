"""Export jobs of Data management, as the service lets us start and follow them.

Owns: the three actions and what their answers mean.
Never does: waiting, keeping anything (`runs.py`); HTTP, which is handed in as `Ask`.
Tested in: tests/unit/endpoints/finops/exports/test_jobs.py.

Facts: "Data management: data management package REST API" (bodies, statuses, values in two shapes;
an execution id is given by the caller only for a rerun). A job whose summary is not there yet is
answered with 400 and "were not found", as public clients of the service report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from connector.endpoints.finops.exports.faults import refused
from connector.errors import Subject, UnreachableError

ACTIONS = "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."
_NOT_THERE_YET = "not found"


class Told(NamedTuple):
    """The action was carried out; `value` of its answer."""

    value: Any


class Denied(NamedTuple):
    """The service refuses; nothing happened."""

    status: int
    text: str


class Unheard(NamedTuple):
    """No answer came; the action may have been carried out."""

    text: str


class Unsent(NamedTuple):
    """The request never left, or the service had no time for it; nothing happened."""

    text: str


Answer: TypeAlias = Told | Denied | Unheard | Unsent
Ask: TypeAlias = Callable[[str, Mapping[str, object]], Answer]
"""Posts a body to an action; raises `UnreachableError` and `AccessError` for trust and tokens."""


class Status(StrEnum):
    """How far a job is."""

    UNKNOWN = "Unknown"
    NOT_RUN = "NotRun"
    EXECUTING = "Executing"
    SUCCEEDED = "Succeeded"
    PARTIALLY_SUCCEEDED = "PartiallySucceeded"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def ended(self) -> bool:
        """Whether nothing comes after it."""
        return self not in (Status.UNKNOWN, Status.NOT_RUN, Status.EXECUTING)


class ReplyLost(Exception):
    """A job may have been started, of which nobody knows the name."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one export project."""

    ask: Ask
    project: str
    entity: str
    """Whose changes it tells of."""
    company: str | None

    def start(self) -> str:
        """Start a job; its execution id.

        Raises `ReplyLost` where it may have begun unknown to us, `MapError` (`export-refused`),
        and `UnreachableError` where it certainly has not begun.
        """
        body = {
            "definitionGroupId": self.project,
            "packageName": f"dualwrite-{self.entity}",
            "executionId": "",
            "reExecute": False,
            "legalEntityId": self.company or "",
        }
        match self.ask(ACTIONS + "ExportToPackage", body):
            case Told(value):
                execution = _plain(value)
                if not execution:
                    raise ReplyLost("the service named no execution")
                return execution
            case Denied(_, text):
                raise refused(self.project, self.entity, text)
            case Unsent(text):
                raise self._unreachable("ExportToPackage", text)
            case Unheard(text):
                raise ReplyLost(text)

    def status(self, execution: str) -> Status:
        """How far a job is; `UNKNOWN` also for one the service does not know (yet).

        Raises `UnreachableError`.
        """
        action = "GetExecutionSummaryStatus"
        answer = self.ask(ACTIONS + action, {"executionId": execution})
        match answer:
            case Told(value) if _plain(value) in set(Status):
                return Status(_plain(value))
            case Denied(_, text) if _NOT_THERE_YET in text.lower():
                return Status.UNKNOWN
        raise self._unreachable(action, _said(answer))

    def url(self, execution: str) -> str:
        """Where the package lies; it is as good as a password. Raises `UnreachableError`."""
        action = "GetExportedPackageUrl"
        answer = self.ask(ACTIONS + action, {"executionId": execution})
        if isinstance(answer, Told) and (url := _plain(answer.value)):
            return url
        raise self._unreachable(action, _said(answer))

    def _unreachable(self, action: str, cause: str) -> UnreachableError:
        return UnreachableError(
            "export-unreachable",
            f"Finance and Operations does not tell how the export project {self.project} is doing",
            remedy="run the command again: it goes on with the same job and loses nothing",
            subject=Subject(side="commerce", entity=self.entity),
            tried=action,
            cause=cause,
        )


def _plain(value: object) -> str:
    """A text, also where it comes inside another object."""
    if isinstance(value, Mapping):
        value = value.get("value")
    return value.strip() if isinstance(value, str) else ""


def _said(answer: Answer) -> str:
    match answer:
        case Told(value):
            return f"an answer of the type {type(value).__name__} that was not expected"
        case Denied(status, text):
            return f"{status}: {text}"
        case Unheard(text) | Unsent(text):
            return text
