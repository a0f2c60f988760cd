"""What the commands of `dualwrite ledger` share: which ledger, which entity, who writes.

Owns: these options, opening the ledger they mean, finding and showing a record,
`NAME=TEXT` words.
Never does: a command.
Tested in: tests/unit/cli/test_ledger_commands.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.options import Options
from connector.cli.people import person
from connector.errors import DualWriteError, RecordError, Subject, UsageError

if TYPE_CHECKING:
    from connector.ledger.entity_store import EntityStore
    from connector.ledger.ledger import Ledger
    from connector.ledger.operations import Record

LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="URL",
        help="Such as sqlite:///var/ledger.db; the config's commerce.url when not given.",
    ),
]
EntityOption = Annotated[
    str,
    typer.Option(
        "--entity",
        metavar="cards|reward-points|…",
        help="Which records; also what is shown of points: point-balances, card-tiers, …",
    ),
]


@contextmanager
def opened(options: Options, url: str | None, *, create: bool = True) -> Iterator[Ledger]:
    """The ledger the person means, closed at the end."""
    from connector.ledger.ledger import Ledger
    from connector.sides.ledger import limits_of, zone_of

    limits, zone = None, None
    if url is None:
        settings = options.settings()
        commerce, limits = settings.commerce, limits_of(settings.corrections)
        if commerce.kind != "ledger":
            raise UsageError(
                "ledger-other",
                f"the commerce side of this config is {commerce.kind}, not the embedded ledger",
                remedy="name a ledger with --ledger URL",
            )
        url, zone = commerce.url, zone_of(commerce)
    with Ledger.open(url, create=create, corrections=limits, zone=zone or UTC) as ledger:
        yield ledger


def modifier(by: str | None) -> str:
    """Who makes a change; the prefix keeps people apart from the sync's own writes."""
    return f"cli:{person(by)}"


def pairs(option: str, form: str, texts: Sequence[str] | None) -> dict[str, str]:
    """`NAME=TEXT` words as a dict; UsageError for one without `=` and for a name given twice."""
    found: dict[str, str] = {}
    for word in texts or ():
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise malformed(option, word, form)
        if name in found:
            raise UsageError("field-twice", f"{option} gives '{name}' twice", remedy="give it once")
        found[name] = text
    return found


def malformed(option: str, word: str, form: str) -> UsageError:
    """A word that is not in the form its option asks for."""
    return UsageError("usage", f"{option} cannot read '{word}'", remedy=f"write it as {form}")


def found(store: EntityStore, key: str) -> Record:
    """The record with this natural key or id; raises as `missing` says."""
    record = store.find(key)
    if record is None:
        raise missing(store, key)
    return record


def missing(store: EntityStore, key: str, also: str = "") -> DualWriteError:
    """There is no record with this key; `also` goes on with the remedy.

    UsageError `record-missing`; of a card RecordError `card-unknown`, as the till says it.
    """
    if store.entity.alias == "cards":
        return RecordError(
            "card-unknown",
            "the ledger has no card with this number",
            remedy=f"check it; `dualwrite ledger list` shows all cards{also}",
            subject=Subject(entity=store.entity.name, record=f"…{key[-4:]}"),
        )
    return UsageError(
        "record-missing",
        f"there is no {store.entity.title.lower()} with this key",
        remedy=f"`dualwrite ledger list --entity {store.entity.alias}` shows what there is{also}",
        subject=Subject(entity=store.entity.name, record=key[-4:]),
    )


def as_dict(store: EntityStore, record: Record, effect: str | None = None) -> dict[str, Any]:
    """The documented JSON form of a record (docs/json.md)."""
    return {
        "entity": store.entity.name,
        "id": record.id,
        "key": record.values[0],
        "version": record.version,
        "modified_at": record.modified_at,
        "modified_by": record.modified_by,
        **({"effect": effect} if effect else {}),
        "values": dict(zip(store.entity.names, record.values, strict=True)),
    }


def show_record(
    options: Options, store: EntityStore, record: Record, effect: str | None = None
) -> None:
    """A record as JSON or as a table, with what was done to it."""
    if options.json:
        output.emit(as_dict(store, record, effect))
        return
    rows: list[tuple[str, object]] = list(zip(store.entity.names, record.values, strict=True))
    rows += [
        ("id", record.id),
        ("version", record.version),
        ("modified", f"{record.modified_at:%Y-%m-%d %H:%M:%S} UTC by {record.modified_by}"),
    ]
    output.table(f"{store.entity.title} {effect or ''}".strip(), ("field", "value"), rows)


def say_unfinished(target: Ledger, store: EntityStore, card: str | None = None) -> None:
    """Tell of cards that name a replacement and still hold points; of the one with this id."""
    from connector.ledger.replacing import unfinished
    from connector.ledger.schema import CARDS

    if store.entity is not CARDS:
        return
    with target.reading() as connection:
        found = unfinished(connection, target.today(), card)
    if found:
        more = f" (and {len(found) - 1} cards more: `dualwrite check`)" if len(found) > 1 else ""
        output.say(
            f"{found[0].card} names a replacement and still holds points or programs; "
            f"`{found[0].command}` hands them over{more}"
        )
