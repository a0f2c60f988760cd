"""`dualwrite ledger group|household|join|leave|member`: who the holders of cards are.

Owns: these commands, and what they show.
Never does: deciding anything; connector/ledger/members does.
Tested in: tests/unit/cli/test_ledger_members.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import output
from connector.cli.ledger.access import LedgerOption, modifier, opened
from connector.cli.ledger.points import day, show_balances
from connector.cli.options import Options, with_options
from connector.cli.people import ByOption
from connector.errors import UsageError

if TYPE_CHECKING:
    from connector.ledger.members.groups import GroupKind, Membership
    from connector.ledger.members.households import Dweller
    from connector.ledger.members.portrait import Portrait

CardArgument = Annotated[str, typer.Argument(metavar="CARD", help="The card's number.")]
PartyArgument = Annotated[
    str, typer.Argument(metavar="PARTY", help="The customer, by PartyNumber.")
]
GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="Its name, in any case.")]
ProgramArgument = Annotated[str, typer.Argument(metavar="PROGRAM", help="Its name, in any case.")]
KindOption = Annotated[
    str, typer.Option("--kind", metavar="group|affiliation", help="Which of the two it is.")
]
CreateReferencesOption = Annotated[
    bool, typer.Option("--create-references", help="Add a customer the ledger does not know.")
]
NEEDS_PERSON = 3
"""Exit code: done, but a person is needed."""

group = typer.Typer(help="Customer groups and affiliations.")
household = typer.Typer(help="Customers who pay with each other's points.")


def register(app: typer.Typer) -> None:
    """Add these commands to the group."""
    app.add_typer(group, name="group")
    app.add_typer(household, name="household")
    for command in (join, leave, member):
        app.command()(command)


# ---------------------------------------------------------------------------- groups


@group.command("add")
@with_options
def group_add(
    options: Options,
    party: PartyArgument,
    name: GroupArgument,
    kind: KindOption = "group",
    create_references: CreateReferencesOption = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Make a customer a member of a group."""
    from connector.ledger.members.groups import Groups

    with opened(options, ledger) as target:
        changed = Groups(target).add(
            party, name, _kind(kind), by=modifier(by), create=create_references
        )
    _changed(options, changed, {"party": party, "group": name}, "is a member", "was one already")


@group.command("remove")
@with_options
def group_remove(
    options: Options,
    party: PartyArgument,
    name: GroupArgument,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Take a customer out of a group."""
    from connector.ledger.members.groups import Groups

    with opened(options, ledger, create=False) as target:
        changed = Groups(target).remove(party, name, by=modifier(by))
    _changed(options, changed, {"party": party, "group": name}, "is no member", "was none")


@group.command("list")
@with_options
def group_list(
    options: Options,
    name: Annotated[
        str | None, typer.Argument(metavar="[GROUP]", help="Show the members of this one.")
    ] = None,
    party: Annotated[
        str | None, typer.Option("--party", metavar="NUMBER", help="Show those of this customer.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Members at most.")] = 100,
    ledger: LedgerOption = None,
) -> None:
    """List the groups and how many are in each; or the members of one; or those of a customer."""
    from connector.ledger.members.groups import Groups

    with opened(options, ledger, create=False) as target:
        groups = Groups(target)
        named = name is not None or party is not None
        members = groups.members(name, party, limit) if named else []
        sizes = [] if named else groups.sizes()
    if options.json:
        shown = [{"group": title, "kind": kind, "members": size} for title, kind, size in sizes]
        output.emit({"groups": shown, "members": [_membership(one) for one in members]})
    elif named:
        rows = [
            (one.group, one.kind, one.party, f"{one.since:%Y-%m-%d}", one.by) for one in members
        ]
        output.table("Members of groups", ("group", "kind", "party", "since", "by"), rows)
    else:
        output.table("Groups", ("group", "kind", "members"), sizes)


@group.command("import")
@with_options
def group_import(
    options: Options,
    file: Annotated[Path, typer.Argument(help="A CSV file with a header.")],
    party: Annotated[
        str, typer.Option("--party", metavar="COLUMN", help="The customer's number.")
    ] = "PartyNumber",
    name: Annotated[
        str, typer.Option("--group", metavar="COLUMN", help="The name of the group.")
    ] = "Group",
    kind: KindOption = "group",
    create_references: CreateReferencesOption = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Add members of groups from a CSV file; nobody is taken out."""
    from connector.ledger.members.group_import import import_groups

    with opened(options, ledger) as target:
        report = import_groups(
            target,
            file,
            (party, name),
            _kind(kind),
            by=modifier(by),
            create=create_references,
        )
    if options.json:
        output.emit(report.as_dict())
    else:
        counts = ("read", "added", "unchanged", "refused")
        output.table(str(file), counts, [[getattr(report, one) for one in counts]])
        if report.problems:
            bad = [(one.subject.line, one.message, one.remedy) for one in report.problems]
            output.table("Bad lines", ("line", "problem", "what to do"), bad)
    if report.refused:
        raise typer.Exit(NEEDS_PERSON)


# ---------------------------------------------------------------------------- households


@household.command("set")
@with_options
def household_set(
    options: Options,
    party: PartyArgument,
    name: Annotated[str, typer.Argument(metavar="HOUSEHOLD", help="Its name, in any case.")],
    create_references: CreateReferencesOption = False,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Put a customer into a household, and out of the one they were in."""
    from connector.ledger.members.households import Households

    with opened(options, ledger) as target:
        changed = Households(target).set(party, name, by=modifier(by), create=create_references)
    what = {"party": party, "household": name}
    _changed(options, changed, what, "lives there", "lived there already")


@household.command("leave")
@with_options
def household_leave(
    options: Options, party: PartyArgument, by: ByOption = None, ledger: LedgerOption = None
) -> None:
    """Take a customer out of their household."""
    from connector.ledger.members.households import Households

    with opened(options, ledger, create=False) as target:
        changed = Households(target).leave(party, by=modifier(by))
    _changed(options, changed, {"party": party}, "lives alone now", "lived alone before")


@household.command("show")
@with_options
def household_show(
    options: Options,
    name: Annotated[
        str | None, typer.Argument(metavar="[HOUSEHOLD]", help="Its name, in any case.")
    ] = None,
    party: Annotated[
        str | None, typer.Option("--party", metavar="NUMBER", help="That of this customer.")
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Show who lives in a household."""
    from connector.ledger.members.households import Households

    if (name is None) == (party is None):
        raise UsageError(
            "usage", "which household?", remedy="name it, or one who lives there with --party"
        )
    with opened(options, ledger, create=False) as target:
        households = Households(target)
        if name is not None:
            members = households.members(name)
        else:
            assert party is not None
            members = households.of(party)
    if options.json:
        output.emit({"members": [_dweller(one) for one in members]})
    else:
        rows = [(one.party, one.household, f"{one.since:%Y-%m-%d}", one.by) for one in members]
        output.table("Household", ("party", "household", "since", "by"), rows)


# ---------------------------------------------------------------------------- programs


@with_options
def join(
    options: Options,
    card: CardArgument,
    program: ProgramArgument,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Let a card join a program."""
    from connector.ledger.members.joining import Joining

    with opened(options, ledger, create=False) as target:
        changed = Joining(target).join(card, program, by=modifier(by))
    _changed(options, changed, {"card": card, "program": program}, "joined", "was in it already")


@with_options
def leave(
    options: Options,
    card: CardArgument,
    program: ProgramArgument,
    by: ByOption = None,
    ledger: LedgerOption = None,
) -> None:
    """Take a card out of a program; what it earned stays."""
    from connector.ledger.members.joining import Joining

    with opened(options, ledger, create=False) as target:
        changed = Joining(target).leave(card, program, by=modifier(by))
    _changed(options, changed, {"card": card, "program": program}, "left", "was not in it")


# ---------------------------------------------------------------------------- one customer


@with_options
def member(
    options: Options,
    card: Annotated[
        str | None, typer.Argument(metavar="[CARD]", help="One of the customer's cards.")
    ] = None,
    party: Annotated[
        str | None, typer.Option("--party", metavar="NUMBER", help="The customer, by PartyNumber.")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="As of this day; today.")
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Show all there is about a customer: cards, groups, household, programs, points."""
    from connector.ledger.members import portrait

    if (card is None) == (party is None):
        raise UsageError("usage", "which customer?", remedy="name a card, or --party NUMBER")
    with opened(options, ledger, create=False) as target:
        when = target.today() if on is None else day(on)
        if card is not None:
            shown = portrait.of_card(target, card, when)
        else:
            assert party is not None
            shown = portrait.of_customer(target, party, when)
    if options.json:
        output.emit({"on": when, **_portrait(shown)})
    else:
        _show_portrait(shown)


def _show_portrait(shown: Portrait) -> None:
    facts: list[tuple[str, object]] = [("party", shown.party)]
    if shown.blocked is not None:
        blocked = shown.blocked
        facts.append(("gets no card", f"{blocked.why} ({blocked.by}, {blocked.at:%Y-%m-%d})"))
    facts += [(one.kind, one.group) for one in shown.groups]
    facts += [("household", f"{one.household}: {one.party}") for one in shown.household]
    output.table("Customer", ("what", "is"), facts)
    rows = [
        (
            one.card,
            one.tender,
            one.replaced_by,
            ", ".join(joined.program for joined in shown.programs[one.card]),
        )
        for one in shown.cards
    ]
    output.table("Cards", ("card", "tender type", "replaced by", "joined"), rows)
    tiers = [(card, *tier) for card, held in shown.tiers.items() for tier in held]
    if tiers:
        names = ("card", "program", "tier", "until", "points", "next tier", "missing")
        output.table("Tiers", names, tiers)
    for one in shown.cards:
        if one.balances and len(shown.cards) > 1:
            show_balances(f"Points of {one.card}", one.balances)
    show_balances("Points of all cards that are not blocked", shown.together)


def _portrait(shown: Portrait) -> dict[str, Any]:
    """The documented JSON form (docs/json.md)."""
    return {
        "party": shown.party,
        "blocked": None if shown.blocked is None else shown.blocked._asdict(),
        "groups": [_membership(one) for one in shown.groups],
        "household": [_dweller(one) for one in shown.household],
        "cards": [
            {
                "card": one.card,
                "tender": one.tender,
                "replaced_by": one.replaced_by,
                "programs": [joined._asdict() for joined in shown.programs[one.card]],
                "tiers": [held._asdict() for held in shown.tiers[one.card]],
                "balances": [balance._asdict() for balance in one.balances],
            }
            for one in shown.cards
        ],
        "balances": [one._asdict() for one in shown.together],
    }


def _kind(text: str) -> GroupKind:
    from connector.ledger.members.groups import GroupKind

    try:
        return GroupKind(text)
    except ValueError:
        raise UsageError(
            "usage", f"--kind cannot be '{text}'", remedy="write group or affiliation"
        ) from None


def _membership(one: Membership) -> dict[str, Any]:
    return {**one._asdict(), "kind": one.kind.value}


def _dweller(one: Dweller) -> dict[str, Any]:
    return one._asdict()


def _changed(options: Options, changed: bool, what: dict[str, str], yes: str, no: str) -> None:
    """What was asked for, and whether anything was to be done."""
    if options.json:
        output.emit({**what, "changed": changed})
    else:
        output.say(f"{', '.join(what.values())}: {yes if changed else no}.")
