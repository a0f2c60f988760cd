"""`$metadata` is asked for seldom, kept for other processes, not believed when it is broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from requests import PreparedRequest

from connector.endpoints.odata_v4 import metadata as module
from connector.endpoints.odata_v4.metadata import LIFE, Metadata
from connector.endpoints.web.transport import Transport
from connector.errors import MapError, StateError, UnreachableError
from tests.odata_v4_service import METADATA, Answer, MemoryService, path_of
from tests.unit.endpoints.odata_v4.conftest import Clock

Make = Callable[[], Metadata]


@pytest.fixture
def process(transport: Transport, clock: Clock, tmp_path: Path) -> Make:
    """Another process with the same folder."""
    return lambda: Metadata(transport, tmp_path / "kept", clock)


def documents(service: MemoryService) -> list[PreparedRequest]:
    return [one for one in service.asked if path_of(one) == "$metadata"]


def answering(service: MemoryService, status: int, body: bytes, **headers: str) -> None:
    def instead(request: PreparedRequest) -> Answer | None:
        return (status, headers, body) if path_of(request) == "$metadata" else None

    service.instead = instead


def test_a_set_has_what_its_type_inherits(process: Make, service: MemoryService) -> None:
    told = process().describe("Cards")
    assert told.key == ("Number",)
    assert {"Number", "Changed", "Serial"} <= told.properties.keys()
    assert [*told.enums] == ["Shop.Kind", "Shop.Marks"]
    assert told.versioned


def test_processes_share_one_document(process: Make, service: MemoryService, clock: Clock) -> None:
    first = process()
    first.describe("Cards")
    first.describe("Lines")
    process().describe("Cards")
    assert len(documents(service)) == 1
    clock.now += LIFE
    assert process().describe("Cards") == first.describe("Cards")
    assert len(documents(service)) == 2


def test_a_folder_that_cannot_be_used_is_named(
    process: Make, tmp_path: Path, service: MemoryService
) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(StateError, match="kept") as caught:
        process().describe("Cards")
    assert caught.value.code == "snapshot-unwritable"
    assert documents(service)


def test_nothing_is_kept_without_a_folder(
    transport: Transport, clock: Clock, service: MemoryService
) -> None:
    for number in (1, 2):
        one = Metadata(transport, None, clock)
        one.describe("Cards")
        one.describe("Lines")
        one.close()
        assert len(documents(service)) == number


def test_an_etag_is_asked_with(process: Make, service: MemoryService, clock: Clock) -> None:
    answering(service, 200, METADATA.encode(), ETag='"m1"')
    process().describe("Cards")
    clock.now += LIFE
    answering(service, 304, b"")
    assert process().describe("Cards").key == ("Number",)
    assert documents(service)[-1].headers["If-None-Match"] == '"m1"'
    assert len(documents(service)) == 2
    process().describe("Cards")
    assert len(documents(service)) == 2


def test_the_same_document_is_not_read_twice(
    process: Make, service: MemoryService, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process().describe("Cards")
    clock.now += LIFE

    def never(_: object) -> None:
        raise AssertionError("it is known")

    monkeypatch.setattr(module, "stream_csdl", never)
    assert process().describe("Cards").key == ("Number",)


def test_a_changed_document_is_read_anew(
    process: Make, service: MemoryService, clock: Clock
) -> None:
    process().describe("Cards")
    clock.now += LIFE
    answering(service, 200, METADATA.replace('Name="Text"', 'Name="Words"').encode())
    assert "Words" in process().describe("Cards").properties


def test_a_set_published_since_is_found(process: Make, service: MemoryService) -> None:
    old = METADATA.replace('EntitySet Name="Lines"', 'EntitySet Name="Rows"')
    answering(service, 200, old.encode())
    process().describe("Cards")
    service.instead = lambda _: None
    assert process().describe("Lines").key == ("Order", "No")


def test_an_unknown_set_gets_the_nearest_names(process: Make, service: MemoryService) -> None:
    one = process()
    with pytest.raises(MapError):
        one.describe("cards")
    with pytest.raises(MapError) as caught:
        one.describe("cards")
    assert caught.value.code == "entity-unknown"
    assert "did you mean Cards" in caught.value.remedy
    assert len(documents(service)) == 1, "asked anew at most once in a process"


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>Sign in</body></html>", METADATA[:-40].encode(), b'{"value":[]}']
)
def test_what_is_no_description_is_no_description(
    process: Make, service: MemoryService, body: bytes
) -> None:
    answering(service, 200, body)
    with pytest.raises(UnreachableError) as caught:
        process().describe("Cards")
    assert caught.value.code == "answer-unreadable"
    service.instead = lambda _: None
    assert process().describe("Cards").key == ("Number",)


@pytest.mark.parametrize("name", ["state.json", "index-*.json", "types-*.jsonl"])
@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_damaged_digest_is_made_anew(
    process: Make, service: MemoryService, tmp_path: Path, name: str, content: bytes | None
) -> None:
    process().describe("Cards")
    (path,) = (tmp_path / "kept").glob(name)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert process().describe("Cards").key == ("Number",)
