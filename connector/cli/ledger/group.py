"""`dualwrite ledger …`: the embedded ledger, record by record and from files.

Owns: the group, the commands for one record, and how a record looks.
Never does: checking a value; connector/ledger does.
Tested in: tests/unit/cli/test_ledger_commands.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import output
from connector.cli.ledger import (
    days,
    desk,
    members,
    owed,
    pay,
    points,
    programs,
    rewards,
    sales,
    segments,
)
from connector.cli.ledger.access import (
    EntityOption,
    LedgerOption,
    as_dict,
    found,
    missing,
    modifier,
    opened,
    pairs,
    say_unfinished,
    show_record,
)
from connector.cli.ledger.importing import import_file_command
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption

if TYPE_CHECKING:
    from connector.ledger.entity_store import EntityStore
    from connector.ledger.ledger import Ledger

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="markdown",
    help="Work with the embedded commerce ledger.",
)
app.command("import")(import_file_command)
points.register(app)
pay.register(app)
programs.register(app)
desk.register(app)
days.register(app)
members.register(app)
segments.register(app)
sales.register(app)
owed.register(app)
rewards.register(app)

KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="Card number, reward point id, or record id.")
]


@app.command()
@with_options
def show(
    options: Options, key: KeyArgument, entity: EntityOption = "cards", ledger: LedgerOption = None
) -> None:
    """Show one record."""
    with opened(options, ledger, create=False) as target:
        store = _of_today(target, entity)
        record = found(store, key)
    show_record(options, store, record)


@app.command("set")
@with_options
def set_(
    options: Options,
    key: KeyArgument,
    values: Annotated[
        list[str], typer.Argument(metavar="FIELD=VALUE...", help="`FIELD=` makes it empty.")
    ],
    entity: EntityOption = "cards",
    create: Annotated[
        bool, typer.Option("--create", help="Make the record when there is none.")
    ] = False,
    create_references: Annotated[
        bool,
        typer.Option(
            "--create-references", help="Add a party or operating unit the ledger does not know."
        ),
    ] = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Change fields of one record."""
    from connector.ledger.operations import Change, Operation, Upsert

    with opened(options, ledger, create=create) as target:
        store = target.store(entity)
        given: dict[str, object] = {}
        for name, text in pairs("set", "FIELD=VALUE", values).items():
            field = store.entity.field(name)
            given[field.name] = field.parse(text)
        record = store.find(key)
        if record is None and not create:
            raise missing(store, key, "; --create makes it")
        operation: Operation = (
            Upsert({store.entity.key.name: key, **given})
            if record is None
            else Change(record.id, None, given)
        )
        done = store.carry_out(operation, by=modifier(by), create_references=create_references)
        assert done.record is not None, "only a delete leaves no record"
        show_record(options, store, done.record, done.effect)
        if "ReplacementCardNumber" in given:
            say_unfinished(target, store, done.record.id)


@app.command()
@with_options
def delete(
    options: Options,
    key: KeyArgument,
    entity: EntityOption = "cards",
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Delete one record."""
    with opened(options, ledger, create=False) as target:
        store = target.store(entity)
        record = found(store, key)
        store.delete(record.id, by=modifier(by), version=record.version)
    if options.json:
        output.emit(as_dict(store, record, "deleted"))
    else:
        output.say(f"Deleted {store.entity.title.lower()}, record {record.id}.")


@app.command("list")
@with_options
def list_(
    options: Options,
    entity: EntityOption = "cards",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Records at most.")] = 20,
    after: Annotated[str | None, typer.Option(metavar="KEY", help="Go on after this key.")] = None,
    ledger: LedgerOption = None,
) -> None:
    """List records in the order of their keys."""
    with opened(options, ledger, create=False) as target:
        store = _of_today(target, entity)
        records, total = store.listed(limit, after), store.count()
    if options.json:
        output.emit(
            {
                "entity": store.entity.name,
                "total": total,
                "records": [as_dict(store, record) for record in records],
            }
        )
        return
    title = f"{store.entity.title}: {len(records)} of {total}"
    output.table(title, store.entity.names, [record.values for record in records])


def _of_today(target: Ledger, entity: str) -> EntityStore:
    """The records of an entity; points vest and expire without anybody writing."""
    from connector.ledger.shown.days import keep_up

    store = target.store(entity)
    keep_up(target, store.entity)
    return store
