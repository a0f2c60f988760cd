"""News of one row: echo, edit, late, doubtful, delete, rename."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.engine.news.observe import (
    begin,
    bind,
    observe,
    observe_deleted,
    observe_missing,
    twin_problem,
)
from connector.engine.news.witness import Edit
from connector.engine.plan import plan
from connector.errors import Problem
from connector.store.record import Presence
from tests.unit.engine.building import (
    COMMERCE,
    DATAVERSE,
    image,
    unknown,
)
from tests.unit.engine.sighting import (
    MAP,
    NOW,
    SOMEBODY,
    US,
    XX,
    ordered,
    presence,
    row,
    settled,
    unordered,
    witness,
)

# ------------------------------------------------------------------ echo and news


@pytest.mark.parametrize("version", ["5", "6"])
def test_an_echo_is_no_news(version: str) -> None:
    made = settled()
    assert observe(made, row(version), witness()) is None
    assert made.due is None
    assert made.dataverse.version == version
    assert made.dataverse.tick == 10


def test_an_edit_is_told_with_both_values_and_makes_the_record_due() -> None:
    made = settled()
    made.attempts = 3
    edit = observe(made, row(a="y"), witness())
    assert edit == Edit({"a": "x"}, {"a": "y"})
    assert (made.due, made.attempts) == (NOW, 0)
    assert made.dataverse.image == image(MAP, DATAVERSE, {"a": "y", "b": "x"})
    assert made.dataverse.agreed == image(MAP, DATAVERSE, XX[1])
    assert made.dataverse.modifier == SOMEBODY


def test_the_modified_time_is_kept_by_our_clock() -> None:
    made = settled()
    at = datetime(2024, 1, 1, tzinfo=UTC)
    seen = row(a="y")._replace(modified_at=at)
    observe(made, seen, witness(clock_offset=30.0))
    assert made.dataverse.modified_at == at.timestamp() - 30.0


# ------------------------------------------------------------------ late and doubtful


def test_an_older_version_asked_for_early_is_late() -> None:
    made = settled()
    assert observe(made, row("4", a="y"), witness(tick=1)) is None
    assert made == settled()


def test_an_older_version_asked_for_later_is_read_and_then_believed() -> None:
    """The side was restored from a backup, or the feed comes from a copy that lags behind."""
    made = settled()
    assert observe(made, row("4", a="y"), witness()) is None
    assert (made.dataverse.presence, made.due) == (Presence.UNKNOWN, NOW)
    assert observe(made, row("4", a="y"), witness(tick=11, asked=True)) is not None
    assert (made.dataverse.presence, made.dataverse.version) == (Presence.PRESENT, "4")


def test_a_newer_version_is_news_even_if_asked_for_early() -> None:
    made = settled()
    assert observe(made, row("6", a="y"), witness(tick=1)) is not None
    assert made.dataverse.tick == 5


def test_the_same_version_asked_for_earlier_is_late() -> None:
    made = settled()
    unknown(made.dataverse)
    observe(made, row("5"), witness(tick=4))
    assert presence(made) is Presence.UNKNOWN


@pytest.mark.parametrize("newer", [unordered, ordered])
@pytest.mark.parametrize("version", [None, "9"])
def test_without_order_an_early_sight_that_differs_is_doubted(
    newer: object, version: str | None
) -> None:
    made = settled()
    made.dataverse.version = None if newer is ordered else "5"
    assert observe(made, row(version, a="y"), witness(tick=4, newer=newer)) is None
    assert presence(made) is Presence.UNKNOWN
    assert made.dataverse.image == image(MAP, DATAVERSE, XX[1])
    assert made.due == NOW


def test_without_order_an_early_sight_that_is_the_same_is_late() -> None:
    made = settled()
    observe(made, row("9"), witness(tick=4, newer=unordered))
    assert made == settled()


def test_versions_of_another_epoch_do_not_compare() -> None:
    made = settled()
    edit = observe(made, row("2", a="y"), witness(epoch=2))
    assert edit is not None
    assert (made.dataverse.version, made.dataverse.epoch) == ("2", 2)


def test_a_row_that_comes_back_after_a_delete_is_news() -> None:
    made = settled()
    observe_deleted(made, witness(tick=7))
    observe(made, row("8"), witness(tick=9))
    assert presence(made) is Presence.PRESENT
    assert made.due == NOW


def test_an_old_upsert_after_a_delete_is_doubted_unless_it_is_what_was_there() -> None:
    made = settled()
    observe_deleted(made, witness(tick=7))
    observe(made, row("4"), witness(tick=6))
    assert presence(made) is Presence.ABSENT
    observe(made, row("4", a="y"), witness(tick=6))
    assert presence(made) is Presence.UNKNOWN


# ------------------------------------------------------------------ reading what was in doubt


def test_reading_back_the_same_counts_attempts_on() -> None:
    made = settled()
    unknown(made.dataverse)
    made.attempts = 3
    assert observe(made, row("5"), witness()) is None
    assert (made.dataverse.presence, made.due, made.attempts) == (Presence.PRESENT, NOW, 3)


def test_reading_back_an_edit_of_somebody_begins_anew() -> None:
    made = settled()
    unknown(made.dataverse)
    made.attempts = 3
    assert observe(made, row("6", a="y"), witness()) == Edit({"a": "x"}, {"a": "y"})
    assert made.attempts == 0


def test_reading_back_our_own_write_is_no_edit() -> None:
    made = settled()
    made.commerce.image = image(MAP, COMMERCE, {"A": "longer", "B": "x"})
    unknown(made.dataverse)
    made.attempts = 1
    assert observe(made, row("6", modifier=US, a="lon"), witness()) is None
    assert made.dataverse.agreed == image(MAP, DATAVERSE, {"a": "lon", "b": "x"})
    # The source agreed on what came out, so that taking its edit back is an edit too.
    assert made.commerce.agreed == image(MAP, COMMERCE, {"A": "lon", "B": "x"})


# ------------------------------------------------------------------ deletes


def test_a_delete_is_news_once() -> None:
    made = settled()
    assert observe_deleted(made, witness())
    assert (made.dataverse.presence, made.dataverse.version) == (Presence.ABSENT, None)
    assert made.dataverse.id == "dataverse-1"
    assert made.due == NOW
    assert not observe_deleted(made, witness(tick=11))


def test_a_late_delete_is_doubted() -> None:
    made = settled()
    assert not observe_deleted(made, witness(tick=4))
    assert presence(made) is Presence.UNKNOWN
    assert made.due == NOW


def test_a_row_that_is_not_found_is_gone_unless_we_know_better() -> None:
    made = settled()
    assert not observe_missing(made, witness(tick=4))
    assert presence(made) is Presence.PRESENT
    assert observe_missing(made, witness())
    assert presence(made) is Presence.ABSENT
    assert not observe_missing(made, witness(tick=11))


def test_a_row_in_doubt_that_is_not_found_counts_attempts_on() -> None:
    made = settled()
    made.attempts = 3
    unknown(made.dataverse)
    assert observe_missing(made, witness(tick=4))
    assert made.attempts == 3


@pytest.mark.parametrize("known", [Presence.ABSENT, Presence.UNKNOWN])
def test_a_row_that_a_refused_create_did_not_make_is_no_news(known: Presence) -> None:
    made = settled()
    made.unconfirmed, made.due = True, None
    made.dataverse.image, made.dataverse.presence = None, known
    made.problem = Problem("dataverse-refused", "no", "correct it")
    assert not observe_deleted(made, witness(ids="key"))
    assert (presence(made), made.due) == (known, None)
    assert made.problem is not None


# ------------------------------------------------------------------ keys


def test_a_changed_key_parks_the_record_until_it_is_put_back() -> None:
    made = settled()
    observe(made, row("6", id="OTHER"), witness())
    assert made.problem is not None
    assert made.problem.code == "key-changed"
    assert made.problem.subject.side == "dataverse"
    assert "OTHER" in made.problem.message
    observe(made, row("7"), witness(tick=11))
    assert made.problem is None
    assert plan(made, MAP).writes == []


def test_another_spelling_of_the_key_is_the_same_key() -> None:
    made = settled()
    observe(made, row("6", id="k  "), witness())
    assert made.problem is None
    assert made.dataverse.key == "k  "


def test_a_key_that_was_emptied_is_missing() -> None:
    made = settled()
    observe(made, row("6", id=None), witness())
    assert made.problem is not None
    assert made.problem.code == "key-missing"
    assert "dataverse-1" in made.problem.message


def test_a_renamed_row_that_is_deleted_lifts_the_problem() -> None:
    made = settled()
    observe(made, row("6", id="OTHER"), witness())
    observe_deleted(made, witness(tick=11))
    assert made.problem is None


def test_twins_are_not_parted_by_an_edit() -> None:
    made = settled()
    made.problem = twin_problem(made, DATAVERSE, ("dataverse-1", "dataverse-2"))
    observe(made, row("6", a="y"), witness())
    assert made.problem is not None
    assert made.problem.code == "duplicate-key"
    assert "dataverse-2" in made.problem.message


def test_news_lifts_a_problem_that_is_not_of_identity() -> None:
    made = settled()
    made.problem = Problem("dataverse-refused", "m", "r")
    observe(made, row("6"), witness())
    assert made.problem is not None
    observe(made, row("7", a="y"), witness(tick=11))
    assert made.problem is None


# ------------------------------------------------------------------ beginnings


def test_a_row_nobody_has_seen_begins_a_record() -> None:
    made = begin(3, "k", 0, row("6", modifier=US, a="y"), witness())
    assert (made.number, made.key, made.due) == (3, "k", NOW)
    assert presence(made) is Presence.PRESENT
    assert (made.dataverse.id, made.dataverse.tick) == ("dataverse-1", 10)
    assert made.commerce.presence is Presence.ABSENT
    assert made.dataverse.agreed is None


def test_the_counterpart_is_tied_before_it_is_observed() -> None:
    made = begin(3, "k", 0, row(), witness())
    found = row("2", COMMERCE, A="y")
    bind(made, found, witness(COMMERCE, tick=3))
    assert observe(made, found, witness(COMMERCE, tick=3)) is None
    assert made.commerce.presence is Presence.PRESENT
    assert made.commerce.id == "commerce-1"
