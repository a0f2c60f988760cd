"""`dualwrite ledger rewards import|list|show|check|archive|settings`: rewards of web shops.

Owns: the group, these commands, and what they show.
Never does: deciding anything; connector/ledger/rewards does.
Tested in: tests/unit/cli/test_ledger_rewards.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.ledger import carts
from connector.cli.ledger.access import LedgerOption, malformed, modifier, opened
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption

if TYPE_CHECKING:
    from connector.errors import Problem
    from connector.ledger.rewards.evaluator import Settings
    from connector.ledger.rewards.store import Kept, Stored

FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="One reward each, in YAML.")
]
NameArgument = Annotated[str, typer.Argument(metavar="REWARD", help="Its name in the ledger.")]

rewards = typer.Typer(help="Rewards in the manner of web shops, and prices in points.")
carts.register(rewards)


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(rewards, name="rewards")


@rewards.command("import")
@with_options
def import_(
    options: Options, files: FilesArgument, by: ByOption = None, ledger: LedgerOption = None
) -> None:
    """Take over rewards from files: all of them or, where one is wrong, none."""
    from connector.ledger.programs.reading import read_file
    from connector.ledger.rewards.shop import Shop

    with opened(options, ledger, create=False) as target:
        kept = Shop(target).take_over([read_file(one) for one in files], by=modifier(by))
    if options.json:
        output.emit({"rewards": [one._asdict() for one in kept]})
        return
    for one in kept:
        output.line(f"{one.reward}: version {one.version}, {one.effect}")


@rewards.command()
@with_options
def check(options: Options, files: FilesArgument, ledger: LedgerOption = None) -> None:
    """Check files of rewards against the ledger; nothing is taken over."""
    from connector.ledger.programs.reading import read_file
    from connector.ledger.rewards.shop import Shop

    with opened(options, ledger, create=False) as target:
        problems = Shop(target).examined([read_file(one) for one in files])
    errors = [one for one in problems if one.severity == "error"]
    if options.json:
        output.emit({"ok": not errors, "problems": [one.as_dict() for one in problems]})
    else:
        _tell(problems)
        found = f"{len(errors)} errors, {len(problems) - len(errors)} warnings"
        many = "1 file" if len(files) == 1 else f"{len(files)} files"
        output.line(f"checked {many}: {found if problems else 'all well'}")
    if errors:
        raise typer.Exit(2)


@rewards.command("list")
@with_options
def list_(
    options: Options,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones as well.")] = False,
    ledger: LedgerOption = None,
) -> None:
    """List the rewards of the ledger."""
    from connector.ledger.rewards import store

    with opened(options, ledger, create=False) as target, target.reading() as connection:
        found = store.latest(connection)
    shown = [_row(one) for one in found if archived or not one.document.archived]
    if options.json:
        output.emit({"rewards": shown})
    else:
        names = tuple(shown[0]) if shown else ("reward",)
        rows = [
            [
                _WORDS.get(value, value) if isinstance(value, bool) else value
                for value in one.values()
            ]
            for one in shown
        ]
        output.table(f"Rewards: {len(shown)}", names, rows)


@rewards.command()
@with_options
def show(
    options: Options,
    name: NameArgument,
    number: Annotated[
        int | None, typer.Option("--number", min=1, help="This version of it, not the newest.")
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Show a reward as it could be imported again."""
    from connector.ledger.rewards import store

    with opened(options, ledger, create=False) as target, target.reading() as connection:
        one = store.stored(connection, name, number)
        last = store.history(connection, name)[0].version
    if options.json:
        head = {"reward": one.document.reward, "version": one.version, "versions": last}
        output.emit({**head, "at": one.at, "by": one.by, "document": one.document.told()})
        return
    import yaml

    output.line(f"# version {one.version} of {last}, {one.at:%Y-%m-%d %H:%M} UTC by {one.by}")
    text = yaml.safe_dump(one.document.told(), sort_keys=False, allow_unicode=True)
    for line in text.splitlines():
        output.line(line)


@rewards.command()
@with_options
def archive(
    options: Options,
    name: NameArgument,
    restore: Annotated[
        bool, typer.Option("--restore", help="Bring it back from the archive.")
    ] = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Archive a reward: it never pays again; what it paid stays explained."""
    from connector.ledger.rewards import store

    with (
        opened(options, ledger, create=False) as target,
        target.writing(modifier(by)) as transaction,
    ):
        kept: Kept = store.archive(transaction, name, archived=not restore)
    if options.json:
        output.emit(kept._asdict())
    else:
        output.line(f"{kept.reward}: version {kept.version}, {kept.effect}")


@rewards.command()
@with_options
def settings(
    options: Options,
    earn_on_points: Annotated[
        str | None,
        typer.Option(
            "--earn-on-points", metavar="yes|no", help="Whether what points paid earns points."
        ),
    ] = None,
    months: Annotated[
        str | None,
        typer.Option(
            "--months",
            metavar="N|kind",
            help="How long points live, 0 for ever; or as the kind says.",
        ),
    ] = None,
    several: Annotated[
        str | None,
        typer.Option(
            "--several", metavar="all|largest", help="What counts of several for the same."
        ),
    ] = None,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Show or change what holds for all rewards."""
    from connector.ledger.rewards import store

    with opened(options, ledger, create=False) as target:
        with target.reading() as connection:
            now = store.settings(connection)
        wanted = _changed(now, earn_on_points, months, several)
        if wanted != now:
            with target.writing(modifier(by)) as transaction:
                store.keep_settings(transaction, wanted)
    if options.json:
        output.emit(
            {
                "earn_on_points": wanted.on_points,
                "months": wanted.months,
                "several": wanted.several.value,
            }
        )
        return
    life = "as the kind says" if wanted.months is None else f"{wanted.months} months"
    rows = [
        ("earn on points", "yes" if wanted.on_points else "no"),
        ("points live", "for ever" if wanted.months == 0 else life),
        ("several rewards", wanted.several.value),
    ]
    output.table("Settings of all rewards", ("setting", "value"), rows)


def _changed(
    now: Settings, on_points: str | None, months: str | None, several: str | None
) -> Settings:
    from connector.ledger.rewards.evaluator import Several

    if on_points is not None:
        if on_points not in {"yes", "no"}:
            raise malformed("--earn-on-points", on_points, "yes or no")
        now = now._replace(on_points=on_points == "yes")
    if months is not None:
        if months != "kind" and not (months.isdecimal() and int(months) <= _MOST_MONTHS):
            raise malformed("--months", months, f"kind, or a number from 0 to {_MOST_MONTHS}")
        now = now._replace(months=None if months == "kind" else int(months))
    if several is not None:
        if several not in {one.value for one in Several}:
            raise malformed("--several", several, "all or largest")
        now = now._replace(several=Several(several))
    return now


_MOST_MONTHS = 1200
_WORDS = {True: "yes", False: "no"}


def _row(one: Stored) -> dict[str, Any]:
    document = one.document
    return {
        "reward": document.reward,
        "name": document.name,
        "type": document.type.value,
        "points": document.points,
        "percentage": document.percentage,
        "kind": document.kind,
        "rules": len(document.rules),
        "active": document.active,
        "archived": document.archived,
        "version": one.version,
    }


def _tell(problems: Sequence[Problem]) -> None:
    for one in problems:
        output.line(f"{one.severity} {one.code}: {one.subject}: {one.message}")
        output.line(f"  remedy: {one.remedy}")
