"""What the answers of Data management mean."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connector.endpoints.finops.exports.jobs import (
    ACTIONS,
    Answer,
    Denied,
    Jobs,
    ReplyLost,
    Status,
    Told,
    Unheard,
    Unsent,
)
from connector.errors import DualWriteError, MapError, UnreachableError


def jobs(answer: Answer, asked: list[tuple[str, Mapping[str, object]]] | None = None) -> Jobs:
    def ask(action: str, body: Mapping[str, object]) -> Answer:
        if asked is not None:
            asked.append((action, body))
        return answer

    return Jobs(ask, "Cards out", "RetailLoyaltyCards", "usrt")


@pytest.mark.parametrize("value", ["job-1", {"value": "job-1"}, " job-1 "])
def test_a_job_is_started_with_the_documented_body(value: object) -> None:
    asked: list[tuple[str, Mapping[str, object]]] = []
    assert jobs(Told(value), asked).start() == "job-1"
    assert asked == [
        (
            f"{ACTIONS}ExportToPackage",
            {
                "definitionGroupId": "Cards out",
                "packageName": "dualwrite-RetailLoyaltyCards",
                "executionId": "",
                "reExecute": False,
                "legalEntityId": "usrt",
            },
        )
    ]


@pytest.mark.parametrize("answer", [Unheard("timed out"), Told(""), Told(None), Told(7)])
def test_a_job_without_a_name_may_have_begun(answer: Answer) -> None:
    with pytest.raises(ReplyLost):
        jobs(answer).start()


def test_a_refusal_names_project_and_cause() -> None:
    with pytest.raises(MapError) as caught:
        jobs(Denied(400, "Data project 'Cards out' does not exist.")).start()
    assert caught.value.code == "export-refused"
    assert "Cards out" in caught.value.message
    assert "does not exist" in str(caught.value.cause)


def test_what_never_left_is_unreachable() -> None:
    with pytest.raises(UnreachableError):
        jobs(Unsent("connection refused")).start()


def test_a_job_that_has_no_summary_yet_is_unknown() -> None:
    answer = Denied(400, "The execution records for job-1 were not found")
    assert jobs(answer).status("job-1") is Status.UNKNOWN
    assert not Status.UNKNOWN.ended


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_understood(status: Status) -> None:
    assert jobs(Told(status.value)).status("job-1") is status


@pytest.mark.parametrize(
    "answer",
    [Told("Sleeping"), Told(None), Denied(500, "Write failed"), Unheard("x"), Unsent("x")],
)
def test_an_answer_that_says_nothing_ends_no_job(answer: Answer) -> None:
    with pytest.raises(DualWriteError) as caught:
        jobs(answer).status("job-1")
    assert caught.value.code == "export-unreachable"


def test_the_address_comes_in_two_shapes() -> None:
    url = "https://blob/x?sig=1"
    assert jobs(Told(url)).url("job-1") == url
    assert jobs(Told({"value": url})).url("job-1") == url
    with pytest.raises(UnreachableError):
        jobs(Told("")).url("job-1")
