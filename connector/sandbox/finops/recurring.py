"""Recurring integrations: queues of files, one for each data job.

Owns: jobs, messages, who has one in hand and until when.
Never does: the content of a file (`exports.py`, `imports.py`).
Tested in: tests/integration/sandbox/finops/test_recurring.py.

Facts: "Finance and Operations: recurring-integrations": what was dequeued comes again after half an
hour unless it is acknowledged with the body of the dequeue as it came; files live seven days. An
empty queue answers nothing; the names of the members are those of public clients.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import orjson

from connector.sandbox.finops import errors
from connector.sandbox.finops.data_management import DataManagement, refused
from connector.sandbox.finops.executions import Outcome
from connector.sandbox.finops.messages import Request, json_response
from connector.sandbox.finops.packages import wrapped
from connector.sandbox.finops.people import COMPANIES
from connector.sandbox.finops.projects import entity_named
from connector.sandbox.finops.storage import Storage
from connector.sandbox.messages import Response

ROOT = "/api/connector"
IN_HAND_SECONDS = 30 * 60
LIFE_SECONDS = 7 * 86_400
ENQUEUED, DEQUEUED, ACKED = "Enqueued", "Dequeued", "Acked"
_STATES = {
    Outcome.SUCCEEDED: "Processed",
    Outcome.PARTIALLY: "ProcessedWithErrors",
    Outcome.FAILED: "PreProcessingError",
    Outcome.CANCELED: "PostProcessingFailed",
}


@dataclass(slots=True)
class Letter:
    """One message of a queue. Times are seconds of the environment's clock."""

    id: str
    activity: str
    state: str
    made: float
    blob: str = ""
    receipt: str = ""
    hidden_until: float = 0.0


class Recurring:
    """The jobs of one environment: data projects by activity id."""

    def __init__(self, storage: Storage, management: DataManagement) -> None:
        self._storage = storage
        self._management = management
        self._jobs: dict[str, str] = {}
        management.add("GetMessageStatus", self._status)

    def add_job(self, activity: str, project: str) -> None:
        """Make a job that exports a project, or takes files for it."""
        self._jobs[_plain(activity)] = project

    def run_job(self, activity: str) -> None:
        """Export the project of a job now, into its queue. Raises `KeyError`."""
        name = _plain(activity)
        project = self._management.projects.find(self._jobs[name])
        if project is None:
            raise KeyError(self._jobs[name])
        with self._storage.transaction():
            execution = self._management.export_now(project)
            letter = Letter(str(uuid.uuid4()), name, ENQUEUED, self._now, execution.blob or "")
            self._put(letter)

    def clear(self) -> None:
        """Without jobs."""
        self._jobs.clear()

    @property
    def _now(self) -> float:
        return self._storage.clock.now()

    # ------------------------------------------------------------------------ requests

    def handle(self, request: Request) -> Response:
        """A request below `/api/connector`. Raises `AxError`."""
        verb, _, rest = request.path.partition("/")
        activity = _plain(unquote(rest))
        acts = {
            ("POST", "enqueue"): self._enqueue,
            ("GET", "dequeue"): self._dequeue,
            ("POST", "ack"): self._acknowledge,
            ("GET", "download"): self._download,
        }
        act = acts.get((request.method, verb))
        if act is None:
            raise errors.no_such_resource(request.url)
        if activity not in self._jobs:
            raise refused(f"There is no data job with the activity '{activity}'.")
        return act(activity, request)

    def _status(self, _request: Request, given: dict[str, Any]) -> str:
        """`GetMessageStatus`."""
        letter = self._find(given["messageId"])
        if letter is None:
            raise refused(f"The message '{given['messageId']}' was not found.")
        return letter.state

    def _enqueue(self, activity: str, request: Request) -> Response:
        """A file for an import: a package, or the data file of the entity the URL names."""
        asked = {name: values[0] for name, values in parse_qs(request.query).items()}
        company = asked.get("company", request.user.company).lower()
        if company not in COMPANIES:
            raise refused(f"The legal entity '{company}' was not found.")
        content = request.body
        if "entity" in asked:
            try:
                entity = entity_named(asked["entity"])
            except KeyError:
                text = f"The entity '{asked['entity']}' was not found."
                raise refused(text) from None
            content = wrapped(self._jobs[activity], entity, content)
        execution = self._management.import_now(
            self._jobs[activity], content, request.user, company
        )
        state = _STATES[execution.outcome]
        letter = Letter(str(uuid.uuid4()), activity, state, self._now)
        self._put(letter)
        return json_response(letter.id)

    def _dequeue(self, activity: str, request: Request) -> Response:
        """The oldest message nobody has in hand; an empty answer where there is none."""
        now = self._now
        for letter in self._of(activity):
            if letter.made + LIFE_SECONDS < now or letter.hidden_until > now:
                continue
            letter.state, letter.receipt = DEQUEUED, str(uuid.uuid4())
            letter.hidden_until = now + IN_HAND_SECONDS
            self._put(letter)
            return json_response(self._shown(letter, request))
        return Response(204)

    def _shown(self, letter: Letter, request: Request) -> dict[str, Any]:
        split = urlsplit(request.base)
        scheme = "http" if self._management.plain_http else split.scheme
        place = f"{scheme}://{split.netloc}{ROOT}/download/{quote(letter.activity)}"
        moment = datetime.fromtimestamp(self._now, UTC)
        return {
            "CorrelationId": letter.id,
            "PopReceipt": letter.receipt,
            "DownloadLocation": f"{place}?correlation-id={letter.id}",
            "IsDownLoadFileExist": bool(letter.blob),
            "FileDownLoadErrorMessage": None,
            "LastDequeueDateTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        }

    def _acknowledge(self, activity: str, request: Request) -> Response:
        """Done with a message, if it is still in the hand of who says so."""
        body = request.json_object()
        letter = self._find(str(body.get("CorrelationId", "")))
        held = letter is not None and letter.state == DEQUEUED and letter.activity == activity
        if letter is None or not held or body.get("PopReceipt") != letter.receipt:
            raise refused("The message is not in the hand of the caller.")
        letter.state = ACKED
        self._put(letter)
        return Response(200)

    def _download(self, activity: str, request: Request) -> Response:
        name = parse_qs(request.query).get("correlation-id", [""])[0]
        letter = self._find(name)
        if letter is None or letter.activity != activity:
            raise errors.no_such_row()
        old = letter.made + LIFE_SECONDS < self._now
        content = None if old else self._management.blobs.read(letter.blob)
        if content is None:
            raise errors.no_such_row()
        return Response(200, {"Content-Type": "application/octet-stream"}, content)

    # ------------------------------------------------------------------------ messages

    def _put(self, letter: Letter) -> None:
        self._storage.connection.execute(
            "INSERT INTO messages (id, activity, body) VALUES (?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (letter.id, letter.activity, orjson.dumps(asdict(letter)).decode()),
        )

    def _find(self, message: str) -> Letter | None:
        found = self._storage.connection.execute(
            "SELECT body FROM messages WHERE id = ?", (message,)
        ).fetchone()
        return None if found is None else Letter(**orjson.loads(found[0]))

    def _of(self, activity: str) -> list[Letter]:
        """The messages of a queue that are not done with, the oldest first."""
        rows = self._storage.connection.execute(
            "SELECT body FROM messages WHERE activity = ? ORDER BY place", (activity,)
        )
        letters = (Letter(**orjson.loads(body)) for (body,) in rows)
        return [one for one in letters if one.blob and one.state != ACKED]


def parse_job(value: Mapping[str, Any]) -> tuple[str, str]:
    """Activity and project of a new job. Raises `KeyError`."""
    return str(value["activity"]), str(value["project"])


def _plain(activity: str) -> str:
    """Activity ids come with and without braces, in any case."""
    return activity.strip("{}").lower()
