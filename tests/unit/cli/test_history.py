"""The timeline of one record stays readable, whatever its values."""

from __future__ import annotations

from connector.cli.history import WIDTH, told
from connector.mapping.document import parse_document
from connector.mapping.values import Side
from connector.operations.history import Event, Story, Value
from connector.store.record import Presence, Record, SideState

DOCUMENT = parse_document(
    "map: card\ncommerce: {entity: Cards}\ndataverse: {entity: cards}\nfields:\n"
    '  - {commerce: Number, sync: "=", dataverse: number, key: true}\n'
    '  - {commerce: Kind, sync: "><", dataverse: kind, values: {Gold: 1, Silver: 2}}\n'
)


def story(*events: Event) -> Story:
    there = SideState(Presence.PRESENT, key="K1")
    record = Record(7, "card", "k1", commerce=there, dataverse=SideState(Presence.UNKNOWN))
    return Story(DOCUMENT, 7, "K1", record, events=list(events))


def update(before: object, after: object, **more: object) -> Event:
    value = Value(Side.DATAVERSE, "kind", before, after)
    values = {"outcome": "done", "detail": None, "run": 3, "command": "sync", **more}
    return Event(0.0, "updated", Side.DATAVERSE, "dualwrite", (value,), **values)  # type: ignore[arg-type]


def test_choices_are_spoken_and_runs_named() -> None:
    assert list(told(story(update(1, 2)))) == [
        "card K1, record 7: settled, in commerce, to be read again in Dataverse",
        "1970-01-01 00:00:00 UTC  updated in Dataverse by dualwrite (run 3, sync)",
        "    kind  Gold (1) → Silver (2)",
    ]


def test_long_values_go_on_below_and_no_line_is_wider() -> None:
    text = "word " * 60
    lines = list(told(story(update(text, "x" * 300, outcome=f"refused: {text}", detail=text))))
    assert max(map(len, lines)) <= WIDTH
    # The value, and the reason once: the outcome has it.
    assert " ".join(lines).count("word") == 120
    assert sum(line.count("x") for line in lines) == 300


def test_a_write_that_did_not_happen_is_not_told_as_one() -> None:
    told_lines = list(told(story(update(1, 2, outcome="refused: too long"))))
    assert told_lines[1].endswith("  tried to update in Dataverse by dualwrite (run 3, sync)")
    assert told_lines[-1] == "    refused: too long"


def test_a_record_nobody_touched_says_so() -> None:
    assert list(told(story()))[1] == "  nothing was seen or written since both sides were paired"


def test_what_is_not_shown_is_counted() -> None:
    one = story(update(1, 2))
    one.omitted = 4
    assert list(told(one))[1] == "… 4 earlier events are not shown; without --limit they are"
