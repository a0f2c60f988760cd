"""Changes by export: what is told, what is compared, and that nothing is lost, whoever dies."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from connector.endpoints.finops.exports import detection
from connector.endpoints.finops.exports.jobs import Denied, Status, Unheard
from connector.endpoints.manner import Manner
from connector.errors import (
    AccessError,
    DualWriteError,
    MapError,
    PositionExpiredError,
    UnreachableError,
)
from tests.unit.endpoints.finops.exports.management import (
    SWEEP,
    Killed,
    Management,
    Station,
    held,
)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed loses nothing that was written; only a machine would."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)


@pytest.fixture
def service() -> Management:
    """A table with some rows."""
    made = Management()
    made.edit(*"abcdefg")
    return made


@pytest.fixture
def station(service: Management, tmp_path: Path) -> Station:
    """A command that has read the table and set the start of the exports."""
    made = Station(service, tmp_path)
    made.scan()
    made.look()
    service.asked.clear()
    return made


def test_an_edit_is_told_by_the_next_export_and_read_by_its_key(
    service: Management, station: Station
) -> None:
    service.edit("c", "new")
    service.shelf.read_ids.clear()
    pages = service.shelf.pages
    station.look()
    assert station.known == held(service)
    assert service.shelf.read_ids == ["c", "new"]
    assert service.shelf.pages == pages, "the table is not read"
    assert service.exports == 1


def test_without_edits_nothing_is_read(service: Management, station: Station) -> None:
    service.shelf.read_ids.clear()
    pages = station.look()
    assert [len(page.rows) for page in pages] == [0]
    assert service.shelf.read_ids == []


def test_the_first_export_is_not_fetched_but_compared(service: Management, tmp_path: Path) -> None:
    station = Station(service, tmp_path)
    station.scan()
    service.edit("a")
    station.look()
    assert station.known == held(service)
    assert "fetch" not in service.asked


def test_a_delete_is_found_by_the_next_compare(service: Management, station: Station) -> None:
    service.remove("b")
    station.look()
    assert "b" in station.known
    service.now += SWEEP
    station.look()
    assert station.known == held(service)


def test_what_an_export_told_and_was_deleted_before_the_next_compare(
    service: Management, station: Station
) -> None:
    """It stands in neither snapshot."""
    service.edit("short")
    station.look()
    assert "short" in station.known
    service.remove("short")
    service.now += SWEEP
    station.look()
    assert station.known == held(service)


def test_the_same_of_a_row_that_a_data_file_spells_otherwise(
    service: Management, station: Station
) -> None:
    service.shelf.folds = True
    service.edit("short")
    service.respelled = str.upper
    station.look()
    assert "short" in station.known
    service.remove("short")
    service.now += SWEEP
    station.look()
    assert station.known == held(service)


def test_a_clock_that_was_set_back_brings_a_compare(service: Management, station: Station) -> None:
    """Or deletes would not be found before it has caught up."""
    service.remove("b")
    service.now -= 10 * SWEEP
    station.look()
    assert station.known == held(service)


def test_a_row_told_and_gone_when_it_is_read_is_told_as_deleted(
    service: Management, station: Station
) -> None:
    service.edit("c")
    service.shelf.remove("c")  # between the export and the read
    assert ["c"] in [list(page.deleted) for page in station.look()]


def test_a_dry_run_begins_no_export_and_takes_no_news(
    service: Management, station: Station, tmp_path: Path
) -> None:
    service.edit("a")
    service.remove("b")
    dry = Station(service, tmp_path, Manner.REHEARSAL).after(station)
    dry.look()
    assert dry.known == held(service), "it tells what the next run will find, deletes as well"
    assert service.exports == 0
    station.look()
    assert station.known["a"] == held(service)["a"]


def test_live_mode_does_not_wait_for_a_job(
    service: Management, station: Station, tmp_path: Path
) -> None:
    live = Station(service, tmp_path, Manner.LIVE).after(station)
    service.edit("a")
    service.statuses = [Status.NOT_RUN, Status.EXECUTING]
    began = service.now
    live.look()
    live.look()
    assert live.known != held(service)
    live.look()
    assert live.known == held(service)
    assert service.now == began
    assert service.exports == 2, "the next one is under way"


def test_a_command_waits_with_growing_pauses_and_goes_on_next_time(
    service: Management, station: Station
) -> None:
    service.edit("a")
    service.statuses = [Status.EXECUTING] * 50
    began = service.now
    station.look()
    assert station.known == held(service)
    assert 600 < service.now - began < 1800
    service.edit("b")
    service.statuses = [Status.EXECUTING] * 70
    with pytest.raises(UnreachableError) as caught:
        station.look()
    assert caught.value.code == "export-late"
    assert "job-3" in str(caught.value.tried)
    service.statuses = []
    station.look()
    assert station.known == held(service)


def test_a_signal_ends_the_wait(service: Management, station: Station) -> None:
    service.edit("a")
    service.statuses = [Status.EXECUTING] * 50
    station.stopping = True
    pages = station.look()
    assert pages[-1].position == station.position
    station.stopping = False
    station.look()
    assert station.known == held(service)


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED, Status.PARTIALLY_SUCCEEDED])
def test_what_a_job_did_not_tell_is_compared(
    service: Management, station: Station, status: Status, caplog: pytest.LogCaptureFixture
) -> None:
    service.edit("a")
    service.remove("b")
    service.statuses = [status]
    station.look()
    assert station.known == held(service)
    assert str(status) in caplog.text
    service.edit("c")
    station.look()
    assert station.known == held(service)


def test_a_torn_package_is_compared(
    service: Management, station: Station, caplog: pytest.LogCaptureFixture
) -> None:
    service.edit("a")
    service.cut = 30
    station.look()
    assert station.known == held(service)
    assert "cannot be read" in caplog.text
    assert "secret" not in caplog.text


def test_a_lost_answer_is_compared(service: Management, station: Station) -> None:
    service.edit("a")
    service.answers["ExportToPackage"] = Unheard("timed out")
    station.look()
    assert station.known == held(service)


def test_a_job_nobody_knows_that_is_still_at_work_holds_up_nothing(
    service: Management, station: Station
) -> None:
    """The service refuses a second job of a project meanwhile."""
    service.edit("a")
    service.answers["ExportToPackage"] = Unheard("timed out")
    station.look()
    service.edit("b")
    service.answers["ExportToPackage"] = Denied(400, "The project is executing already.")
    station.look()
    assert station.known == held(service)
    service.now += 3600
    station.look()  # compares, as it is time
    service.edit("c")
    with pytest.raises(MapError) as caught:
        station.look()
    assert caught.value.code == "export-refused"
    del service.answers["ExportToPackage"]
    station.look()
    assert station.known == held(service), "a refusal told nothing and lost nothing"


@pytest.mark.parametrize(
    "error",
    [
        AccessError("token-refused", "no", remedy="sign in"),
        UnreachableError("certificate-untrusted", "no", remedy="trust it"),
    ],
    ids=lambda error: error.code,
)
def test_a_request_that_never_was_leaves_nothing_behind(
    service: Management, station: Station, error: DualWriteError
) -> None:
    service.edit("a")
    service.fails = error
    with pytest.raises(type(error)):
        station.look()
    service.fails = None
    station.look()
    assert station.known == held(service)
    assert service.shelf.read_ids[-1:] == ["a"], "by an export, not by a compare"


def test_a_lost_folder_asks_for_the_table(
    service: Management, station: Station, tmp_path: Path
) -> None:
    service.edit("a")
    elsewhere = Station(service, tmp_path / "elsewhere").after(station)
    with pytest.raises(PositionExpiredError):
        elsewhere.look()
    elsewhere.scan()
    elsewhere.look()
    assert elsewhere.known == held(service)
    with pytest.raises(PositionExpiredError):
        station.after(elsewhere).look()


@pytest.mark.parametrize("position", ["", "{}", "[]", "null", '{"journal": 1}', "snapshot.a.b"])
def test_a_position_that_cannot_be_read_asks_for_the_table(station: Station, position: str) -> None:
    station.position = position
    with pytest.raises(PositionExpiredError):
        station.look()


@pytest.mark.parametrize("suffix", [".begun", ".job", ".done"])
@pytest.mark.parametrize("left", [0, 20, 105])
def test_a_damaged_folder_costs_a_compare(
    service: Management, station: Station, tmp_path: Path, suffix: str, left: int
) -> None:
    service.edit("a", "c")
    assert station.runs.advance(0.0), "its keys are on disk, and told to nobody"
    (file,) = (tmp_path / "exports").glob(f"00000002{suffix}")
    file.write_bytes(file.read_bytes()[:left])
    service.edit("d")
    for _ in range(2):
        station.look()
    assert station.known == held(service)


def test_two_maps_of_one_entity_each_hear_of_everything(
    service: Management, station: Station, tmp_path: Path
) -> None:
    other = Station(service, tmp_path, name="host/2").after(station)
    service.edit("a")
    station.look()
    service.edit("b")
    station.look()
    other.look()
    assert station.known["b"] == other.known["b"] == held(service)["b"]
    assert other.known == held(service)


def test_a_living_process_is_left_to_its_request(
    service: Management, station: Station, tmp_path: Path
) -> None:
    """Its run has no job yet; nobody gives it up before it can have ended."""
    service.edit("a")
    assert station.runs.journal.begin("host/1", service.now) is not None
    other = Station(service, tmp_path, Manner.LIVE, name="host/2", gone=lambda _name: False).after(
        station
    )
    assert [len(page.rows) for page in other.look()] == [0]
    service.now += 601
    other.look()
    assert other.known == held(service)


@pytest.mark.parametrize("effects", range(14))
def test_killed_anywhere_nothing_is_lost(
    service: Management, station: Station, tmp_path: Path, effects: int
) -> None:
    service.edit("a", "new")
    service.dies_at = effects
    try:
        station.look()
    except Killed:
        pass
    else:
        assert effects >= 8, "there are eight places to die at"
    service.dies_at = None
    service.edit("c")
    again = Station(service, tmp_path, name="host/2").after(station)
    again.look()
    assert again.known == held(service)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_the_table_is_known_in_the_end(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edits, deletes, deaths, slow and failing jobs, in three manners and two processes."""
    monkeypatch.setattr(detection, "TOGETHER", 2)
    chance = random.Random(seed)
    service = Management()
    service.edit(*(f"r{number}" for number in range(9)))
    state = Station(service, tmp_path)
    state.scan()
    for _step in range(20):
        for _ in range(chance.randrange(3)):
            service.edit(f"r{chance.randrange(15)}")
        if chance.random() < 0.3 and service.shelf.rows_by_id:
            service.remove(chance.choice(sorted(service.shelf.rows_by_id)))
        service.statuses = chance.choices(list(Status), k=chance.randrange(3))
        service.dies_at = chance.choice([None, None, chance.randrange(10)])
        service.now += chance.choice([1.0, 60.0, SWEEP])
        manner = chance.choice(list(Manner))
        runner = Station(service, tmp_path, manner, name=f"host/{chance.randrange(2)}").after(state)
        try:
            runner.look()
        except (Killed, UnreachableError):
            pass
        except PositionExpiredError:
            service.dies_at = None
            runner.scan()
        if manner is not Manner.REHEARSAL:
            state = runner
    service.dies_at, service.statuses = None, []
    last = Station(service, tmp_path).after(state)
    last.look()
    present = held(service)
    assert {id: last.known.get(id) for id in present} == present, "no edit waits for a compare"
    service.now += SWEEP
    last.look()
    assert last.known == present
