"""Recurring integrations: queues of files."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.integration.sandbox.finops.conftest import CARDS, Act, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

ELEMENT = "RETAILLOYALTYCARDENTITY"
ACTIVITY = "C03BB937-09ED-46DE-86EE-4520D7D7E373"


class Queue:
    """One job's queue."""

    def __init__(self, finops: FinopsSession) -> None:
        self._finops = finops
        self._root = f"{finops.host}/api/connector"
        finops.switch("projects", {"name": "loyalty", "entities": [CARDS]})
        finops.switch("tracking", {"entity": CARDS, "mode": "primary"})
        finops.switch("jobs", {"activity": ACTIVITY, "project": "loyalty"})

    def run(self) -> None:
        self._finops.switch("jobs", {"run": ACTIVITY})

    def take(self) -> Any:
        return self._finops.get(f"{self._root}/dequeue/%7B{ACTIVITY}%7D")

    def acknowledge(self, body: Any) -> int:
        return int(self._finops.post(f"{self._root}/ack/{ACTIVITY}", json=body).status_code)

    def give(self, content: str, query: str = "entity=Loyalty card") -> requests.Response:
        answer: requests.Response = self._finops.post(
            f"{self._root}/enqueue/{ACTIVITY}?{query}", data=content.encode()
        )
        return answer


@pytest.fixture
def queue(finops: FinopsSession) -> Queue:
    return Queue(finops)


def test_a_message_is_taken_downloaded_and_acknowledged(
    finops: FinopsSession, add: Add, queue: Queue, anonymous: requests.Session
) -> None:
    add("1")
    empty = queue.take()
    assert (empty.status_code, empty.content) == (204, b"")
    queue.run()
    taken = queue.take().json()
    content = finops.get(taken["DownloadLocation"]).content
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert b"1,AsCardTender" in package.read("Loyalty card.csv")
    assert anonymous.get(taken["DownloadLocation"], timeout=10).status_code == 401
    assert queue.acknowledge(taken) == 200
    assert queue.take().status_code == 204
    finops.switch("clock", {"days": 1})
    assert queue.take().status_code == 204


def test_what_is_not_acknowledged_comes_again(finops: FinopsSession, queue: Queue) -> None:
    queue.run()
    first = queue.take().json()
    assert queue.take().status_code == 204
    finops.switch("clock", {"seconds": 1801})
    second = queue.take().json()
    assert second["CorrelationId"] == first["CorrelationId"]
    assert queue.acknowledge(first) == 400
    assert queue.acknowledge(second) == 200


def test_messages_come_in_order_and_live_a_week(finops: FinopsSession, queue: Queue) -> None:
    queue.run()
    queue.run()
    first, second = queue.take().json(), queue.take().json()
    assert first["CorrelationId"] != second["CorrelationId"]
    finops.switch("clock", {"days": 8})
    assert queue.take().status_code == 204
    assert finops.get(first["DownloadLocation"]).status_code == 404


def test_addresses_may_come_with_http(finops: FinopsSession, queue: Queue) -> None:
    finops.switch("runs", {"plain_http": True})
    queue.run()
    assert queue.take().json()["DownloadLocation"].startswith("http://")


@pytest.mark.parametrize(
    ("content", "state", "rows"),
    [
        ("CARDNUMBER\r\n1\r\n2\r\n", "Processed", "2"),
        ("CARDNUMBER,PARTYNUMBER\r\n1,\r\n2,nobody\r\n", "ProcessedWithErrors", "1"),
        ("NOTHING\r\n1\r\n", "PreProcessingError", "0"),
        (
            f"<Document><{ELEMENT}><CARDNUMBER>1</CARDNUMBER></{ELEMENT}></Document>",
            "Processed",
            "1",
        ),
    ],
)
def test_a_file_goes_in(
    finops: FinopsSession, act: Act, queue: Queue, content: str, state: str, rows: str
) -> None:
    answer = queue.give(content)
    assert answer.status_code == 200
    assert act("GetMessageStatus", messageId=answer.json()) == state
    assert finops.get(f"{CARDS}/$count").text == rows


@pytest.mark.parametrize("query", ["entity=Nothing", "entity=Loyalty card&company=xx"])
def test_what_a_queue_refuses(queue: Queue, query: str) -> None:
    assert queue.give("CARDNUMBER\r\n", query).status_code == 400


def test_unknown_jobs_and_messages(finops: FinopsSession, queue: Queue) -> None:
    root = f"{finops.host}/api/connector"
    assert finops.get(f"{root}/dequeue/nobody").status_code == 400
    assert finops.get(f"{root}/nothing/{ACTIVITY}").status_code == 404
    assert finops.get(f"{root}/download/{ACTIVITY}?correlation-id=x").status_code == 404
    assert queue.acknowledge({"CorrelationId": "x"}) == 400
    status = "DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetMessageStatus"
    assert finops.post(status, json={"messageId": "x"}).status_code == 400
    run = finops.post(f"{finops.host}/sandbox/jobs", json={"run": "nobody"})
    assert run.status_code == 400
