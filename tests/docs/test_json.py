"""The JSON of every command is what docs/json.md says: every field of it, and no other.

A section is named after its command and has a table of paths: `maps[].error` is the key `error` of
each element of the list `maps`. A field whose type is one of the page's own objects (an error, a
problem, values by column, counts) is not followed further here. Each section's example is held to
its own table, and all tables together to what the commands print in one session that has a bit of
everything.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from connector.errors import ConfigError, Problem, Subject
from connector.ledger.ledger import Ledger
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep
from tests.docs.test_reference import commands, sections

if TYPE_CHECKING:
    from tests.docs.conftest import Person, SitDown

Samples: TypeAlias = dict[str, list[dict[str, Any]]]
FREE_FORM = {"schema", "ledger programs schema", "ledger segments schema"}
"""Commands whose output is a document of a standard's own."""


@cache
def page() -> dict[str, str]:
    """Heading to text."""
    return sections("json.md")


def table(name: str) -> dict[str, str]:
    """Path to type, of one section."""
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", page()[name], re.MULTILINE))


def leaves(value: Any, types: dict[str, str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything in a value, down to what the table does not follow."""
    if isinstance(value, list):
        for item in value:
            yield from leaves(item, types, f"{path}[]")
    elif isinstance(value, dict) and "(" not in types.get(path, ""):
        for key, item in value.items():
            yield from leaves(item, types, f"{path}.{key}" if path else key)
    else:
        yield path, value


def unknown(value: Any, types: dict[str, str]) -> set[str]:
    """Paths of a value that the table does not have; null may stand for an object."""
    return {
        path
        for path, _ in leaves(value, types)
        if path not in types and not any(known.startswith(f"{path}.") for known in types)
    }


def play_demos(take: Callable[..., None]) -> None:
    """Both stories of the demo."""
    take("demo", "--cards 20")
    take("demo", "--points --cards 20")


def play(person: Person) -> Samples:
    """One session with a bit of everything; what each command printed."""
    shown: Samples = {}

    def take(command: str, words: str = "", code: int = 0) -> None:
        printed = person.json(f"dualwrite {command} {words}".strip(), code)
        shown.setdefault(command, []).append(printed)

    take("init", ".")
    person.fills_ledger()
    members = (person.folder / "members.csv").read_text("utf-8")
    (person.folder / "members.csv").write_text(members + "100005,yesterday,\n", "utf-8")
    take(
        "ledger import",
        "members.csv --card-number Member --enrolled Joined --blocked-if Cancelled",
        3,
    )
    take("ledger list")
    take("ledger show", "100001")
    take("plan")
    take("load")
    take("check")
    with longer_column(person):
        take("provision", "--plan --webhooks https://host.example")
    look_at_maps(person, take)
    take("schema", "map")
    edit(person)
    take("ledger set", "100001 CardTenderType=Blocked")
    take("plan")
    take("maps preview", "loyalty-card --key 100001")
    take("sync", code=3)
    take("status", code=3)
    take("verify")
    take("load", "--map loyalty-card --again", 3)
    with broken_map(person):
        take("check", code=2)
        take("sync", code=2)
    spend_points(person, take)
    sell(person, take)
    decide_conflicts(take)
    take("failures list")
    take("failures show", "loyalty-card 100004")
    take("failures retry", "loyalty-card 100004", 3)
    rename(person, "100003", "100033")
    person.types("dualwrite sync")
    person.types("dualwrite ledger set 100033 CardTenderType=Blocked --create")
    person.types("dualwrite sync")
    take("failures resolve", "loyalty-card 100003 --with rename", 3)
    take("failures resolve", "loyalty-card 100003 --with old-key")
    take("failures discard", "loyalty-card 100004")
    take("ledger delete", "100001")
    for number in ("100002", "100003"):
        take("ledger delete", number)
    take("sync", code=3)
    take("status", code=3)
    take("maps resume", "loyalty-card --allow-deletes 1")
    look_back(person, take)
    play_demos(take)
    return shown


def spend_points(person: Person, take: Callable[..., None]) -> None:
    """Points are given, pay and move, and cards come and go, in a ledger of their own."""
    where = "--ledger sqlite:///var/points.db"
    for card in ("100002", "100003"):
        person.types(f"dualwrite ledger set {card} CardTenderType=AsCardTender --create {where}")
    kind = "RewardPointType=Quantity Redeemable=Yes --create --entity reward-points"
    person.types(f"dualwrite ledger set bonus {kind} {where}")
    take("ledger adjust", f"100002 bonus 50 {where}")
    take("ledger redeem", f"100002 bonus 20 {where}")
    take("ledger transfer", f"100002 100003 bonus 15 {where}")
    pay_with_points(person, take)
    reward_shoppers(person, take)
    take("ledger balance", f"100002 {where}")
    turn_the_day(person, take)
    take("ledger transactions", f"100003 {where}")
    know_members(person, take, where)
    take("ledger replace", f"100003 100004 {where}")
    take("ledger sequence", f"L-###### --next 7 {where}")
    take("ledger issue", where)
    take("ledger enrol", f"L-000007 --party P000001 --create-references {where}")
    take("ledger block", f"--party P000001 {where}")
    take("ledger unblock", f"--party P000001 {where}")
    run_programs(person, take, where)


def turn_the_day(person: Person, take: Callable[..., None]) -> None:
    """What will expire is told, and a figure that somebody changed is found."""
    where = "--ledger sqlite:///var/points.db"
    kind = "RewardPointType=Quantity ExpirationTimeValue=9 --create --entity reward-points"
    person.types(f"dualwrite ledger set summer {kind} {where}")
    person.types(f"dualwrite ledger adjust 100003 summer 5 {where}")
    take("ledger expire", f"--plan --on 2154-01-01 {where}")
    with closing(sqlite3.connect(person.folder / "var/points.db")) as ledger:
        for more in (1, -1):
            ledger.execute("UPDATE point_balances SET redeemed = redeemed + ?", (more,))
            ledger.commit()
            take("ledger expire", f"--prove {where}", 3 if more > 0 else 0)


def run_programs(person: Person, take: Callable[..., None], where: str) -> None:
    """The programs of a new project are brought in, looked at, switched off and on."""
    status = "RewardPointType=Quantity Redeemable=No --create --entity reward-points"
    take("ledger set", f"status {status} {where}")
    take("ledger programs import", f"programs/gold-club.yaml programs/points-per-euro.yaml {where}")
    (person.folder / "idle.yaml").write_text("program: idle\n", "utf-8")
    take("ledger programs import", f"idle.yaml {where}")
    line = '{"product": "tea", "amount": 9.98, "categories": ["food"]}'
    sale = f'{{"number": "T", "card": "100004", "currency": "EUR", "lines": [{line}]}}'
    (person.folder / "try.json").write_text(sale, "utf-8")
    food = "{rule: food, by: quantity, points: 1, kind: bonus, for: {categories: [food]}}"
    (person.folder / "food.yaml").write_text(f"program: food\nearn: [{food}]\n", "utf-8")
    take("ledger programs import", f"food.yaml {where}")
    take("ledger programs try", f"try.json {where}")
    take("ledger programs check", f"programs/gold-club.yaml programs/none.yaml {where}", 2)
    take("ledger programs list", where)
    take("ledger programs show", f"gold-club {where}")
    take("ledger programs disable", f"gold-club {where}")
    take("ledger programs enable", f"gold-club {where}")


def know_members(person: Person, take: Callable[..., None], where: str) -> None:
    """A customer with a card joins groups, a household and a program, and leaves them."""
    person.types(f"dualwrite ledger enrol 100002 --party P000009 --create-references {where}")
    (person.folder / "staff.csv").write_text("PartyNumber,Group\nP000009,family\nP0,staff\n")
    take("ledger group import", f"staff.csv {where}", 3)
    take("ledger group add", f"P000009 staff {where}")
    take("ledger household set", f"P000009 Elm {where}")
    tier = "{tier: gold, level: 1, points: 9, kind: bonus}"
    (person.folder / "friends.yaml").write_text(
        f"program: friends\nmembers: joined\ntiers: [{tier}]\n", "utf-8"
    )
    person.types(f"dualwrite ledger programs import friends.yaml {where}")
    take("ledger join", f"100002 friends {where}")
    take("ledger group list", where)
    take("ledger group list", f"staff {where}")
    take("ledger household show", f"Elm {where}")
    take("ledger member", f"100002 {where}")
    take("ledger balance", f"--household Elm {where}")
    choose_members(person, take, where)
    take("ledger transactions", f"--party P000009 {where}")
    person.types(f"dualwrite ledger block --party P000009 {where}")
    take("ledger member", f"--party P000009 {where}")
    person.types(f"dualwrite ledger unblock --party P000009 {where}")
    take("ledger leave", f"100002 friends {where}")
    take("ledger household leave", f"P000009 {where}")
    take("ledger group remove", f"P000009 staff {where}")


def sell(person: Person, take: Callable[..., None]) -> None:
    """A sale earns and is paid with points, part of it comes back, and somebody asks why."""
    where = "--ledger sqlite:///var/sales.db"
    person.types(f"dualwrite ledger set 100002 CardTenderType=AsCardTender --create {where}")
    kind = "RewardPointType=Quantity Redeemable=Yes --create --entity reward-points"
    person.types(f"dualwrite ledger set bonus {kind} {where}")
    base = {"rule": "base", "by": "amount", "currency": "EUR", "points": 1, "kind": "bonus"}
    survey = {"rule": "survey", "by": "activity", "points": 20, "kind": "bonus"}
    shop = {"program": "shop", "earn": [base, survey]}
    late = {"program": "late", "earn": [base, survey], "extensions": [{"use": "not-installed"}]}
    with (
        Ledger.open(f"sqlite:///{person.folder}/var/sales.db") as ledger,
        ledger.writing("test") as transaction,
    ):
        for document in (shop, late):
            keep(transaction, ProgramDocument.model_validate(document), "")
    take("ledger sale", f"100002 S-1 --line tea:2:9.98:food --currency EUR {where}")
    take("ledger return", f"S-1 R-1 --line 1:1 {where}")
    take("ledger activity", f"100002 V-1 survey {where}")
    take("ledger catch-up", f"--plan {where}")
    person.types(f"dualwrite ledger return S-1 R-2 --all {where}")
    take("ledger catch-up", where, 3)
    person.types(f"dualwrite ledger programs disable late {where}")
    orders = "Number,Card,At,Currency,Amount\nO-1,100002,2026-01-02,EUR,3\nO-2,100002,soon,EUR,3\n"
    (person.folder / "orders.csv").write_text(orders, "utf-8")
    take("ledger import-orders", f"orders.csv {where}", 3)
    person.types(f"dualwrite ledger redeem 100002 bonus 22 {where}")
    for entry in range(1, 5):
        take("ledger why", f"100002 {entry} {where}")


def pay_with_points(person: Person, take: Callable[..., None]) -> None:
    """One payment is captured in part and some of it comes back, others are called off."""
    where = "--ledger sqlite:///var/points.db"
    value_points(person)
    paying = f"100002 0.10 EUR --order A-1 --channel pos {where}"
    take("ledger pay quote", f"100002 1 EUR {where}")
    take("ledger pay authorise", paying)
    take("ledger pay authorise", paying.replace("0.10", "90"), 3)
    take("ledger pay capture", f"1 --amount 0.08 {where}")
    take("ledger pay refund", f"A-1 0.03 {where}")
    take("ledger pay authorise", paying)
    take("ledger pay void", f"2 {where}")
    take("ledger pay show", f"--order A-1 {where}")


REWARD = """reward: three-mugs
name: Three mugs
type: fixed
points: 50
kind: bonus
decimals: 2
rules: [{rule: mugs, products: [mug], quantity: {value: 3}}]
"""
CART = """order: W-1001
card: 100002
currency: EUR
lines: [{product: mug, quantity: 2, pay-with: bonus}]
"""


def reward_shoppers(person: Person, take: Callable[..., None]) -> None:
    """A reward comes and goes, and a product is sold for points."""
    where = "--ledger sqlite:///var/points.db"
    (person.folder / "three-mugs.yaml").write_text(REWARD, "utf-8")
    (person.folder / "cart.yaml").write_text(CART, "utf-8")
    take("ledger rewards check", f"three-mugs.yaml {where}")
    take("ledger rewards import", f"three-mugs.yaml {where}")
    take("ledger rewards list", where)
    take("ledger rewards show", f"three-mugs {where}")
    take("ledger rewards preview", f"mug --currency EUR --card 100002 {where}")
    take("ledger rewards archive", f"three-mugs {where}")
    take("ledger rewards settings", where)
    take("ledger rewards price", f"mug bonus 9999 {where}")
    take("ledger rewards cart", f"cart.yaml {where}", 3)
    take("ledger rewards price", f"mug bonus 2 {where}")
    (person.folder / "prices.csv").write_text("Product,Kind,Points\nmug,bonus,many\n", "utf-8")
    take("ledger rewards import-prices", f"prices.csv {where}", 3)
    take("ledger rewards checkout", f"cart.yaml {where}")


def value_points(person: Person) -> None:
    """A program says what points are worth."""
    rule = {"kind": "bonus", "currency": "EUR", "points": 100, "worth": 1}
    document = ProgramDocument.model_validate({"program": "club", "redeem": [rule]})
    with (
        Ledger.open(f"sqlite:///{person.folder}/var/points.db") as ledger,
        ledger.writing("test") as transaction,
    ):
        keep(transaction, document, "")


def choose_members(person: Person, take: Callable[..., None], where: str) -> None:
    """A segment is imported, looked at, exported, marked and deleted."""
    (person.folder / "staff.yaml").write_text("segment: staff\nwho: {groups: [staff]}\n")
    take("ledger segments import", f"staff.yaml {where}")
    take("ledger segments list", where)
    take("ledger segments show", f"staff {where}")
    take("ledger segments count", f"staff {where}")
    take("ledger segments members", f"staff {where}")
    take("ledger segments export", f"staff staff.csv {where}")
    take("ledger segments mark", f"staff {where}")
    take("ledger segments unmark", f"staff {where}")
    take("ledger segments delete", f"staff {where}")


def decide_conflicts(take: Callable[..., None]) -> None:
    """A conflict is looked at, and decided by the state it was shown in."""
    take("conflicts list")
    take("conflicts show", "loyalty-card 100002")
    take("conflicts resolve", "loyalty-card 100002 --with commerce --as-shown 9", 3)
    take("conflicts resolve", "loyalty-card 100002 --with commerce --as-shown 1")


def serve(person: Person) -> dict[str, Any]:
    """The line of the first cycle of a live mode that met an edit."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("dualwrite"), "serve", "--json"],
        cwd=person.folder,
        env={**os.environ, **person.environment, "DUALWRITE__SERVE__LISTEN": "127.0.0.1:0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        person.types("dualwrite maps resume loyalty-card")
        person.types("dualwrite ledger set 100099 CardTenderType=AsContactTender --create")
        assert process.stdout is not None
        line: dict[str, Any] = json.loads(process.stdout.readline())
        return line
    finally:
        process.terminate()
        process.communicate(timeout=60)


def look_at_maps(person: Person, take: Callable[..., None]) -> None:
    """One has an overlay; it goes to dual-write and comes back with a row that says nothing."""
    take("maps list")
    take("maps show", "loyalty-card")
    overlay = person.folder / "mappings/overlays/test/loyalty-card.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text('commerce: {filter: "CardNumber eq null"}\n', "utf-8")
    person.environment["DUALWRITE__MAPS__ENVIRONMENT"] = "test"
    take("maps show", "loyalty-card")
    take("maps diff", "loyalty-card")
    del person.environment["DUALWRITE__MAPS__ENVIRONMENT"]
    take("maps export", "loyalty-card --out moved.json")
    file = person.folder / "moved.json"
    data = json.loads(file.read_text("utf-8"))
    data["legs"][0]["fieldMappings"][2]["syncDirection"] = None
    file.write_text(json.dumps(data), "utf-8")
    take("maps import", "moved.json moved.json", 3)
    (person.folder / "page.md").write_text("# A (b)\n\nX|M|Y\n-|-|-\nA|=|a\n", "utf-8")
    take("maps import", "page.md --key A --out elsewhere")


def look_back(person: Person, take: Callable[..., None]) -> None:
    """What happened is told, taken back, moved elsewhere and forgotten."""
    undo(person, take)
    for number in ("100001", "100002", "100004"):
        take("history", number)
    move(person, take)
    take("forget", "100001 --yes")
    take("history", "100001")
    person.types("dualwrite ledger enrol 100005 --party P-5 --create-references")
    person.types("dualwrite sync")
    take("maps pause", "loyalty-card --by anna --reason holiday")
    take("maps pause", "loyalty-card")
    take("forget", "--party P-5 --yes", 3)


def move(person: Person, take: Callable[..., None]) -> None:
    """The state goes to another file; there a ledger that was set up anew is accepted."""
    take("state export", "state.gz")
    elsewhere = {
        "DUALWRITE__STORE__URL": "sqlite:///var/elsewhere.db",
        "DUALWRITE__COMMERCE__URL": "sqlite:///var/another.db",
    }
    person.environment.update(elsewhere)
    take("state import", "state.gz")
    take("state rebind", "commerce --yes")
    for name in elsewhere:
        del person.environment[name]


def undo(person: Person, take: Callable[..., None]) -> None:
    """A run is taken back in part: somebody works on with one of its records."""
    person.types("dualwrite sync")
    for number in ("100002", "100003"):
        person.types(f"dualwrite ledger set {number} CardTenderType=NoTender --create")
    person.types("dualwrite sync --map loyalty-card")
    person.edits_crm("100002", msdyn_cardtendertype=806380001)
    (run,) = person.json("dualwrite runs list --command sync --limit 1")["runs"]
    take("runs list")
    take("runs show", str(run["run"]))
    take("runs undo", f"{run['run']} --dry-run", 3)
    take("runs undo", f"{run['run']} --allow-deletes 9", 3)
    person.types("dualwrite maps resume loyalty-card")


def edit(person: Person) -> None:
    """Two edits of one value, drift, and an edit that commerce refuses."""
    person.edits_crm("100002", msdyn_cardtendertype=806380001)
    person.types("dualwrite ledger set 100002 CardTenderType=NoTender")
    person.edits_crm("100003", msdyn_replacementcardnumber="100009")
    person.edits_crm("100004", msdyn_partynumber="P-77")


def rename(person: Person, old: str, new: str) -> None:
    """The colleague changes the number of a card."""
    table = "msdyn_loyaltycards"
    rows = person.agent.get(table, params={"$filter": f"msdyn_cardnumber eq '{old}'"}).json()
    url = f"{table}({rows['value'][0]['msdyn_loyaltycardid']})"
    answer = person.agent.patch(url, json={"msdyn_cardnumber": new}, headers={"If-Match": "*"})
    assert answer.status_code == 204, answer.text


@contextmanager
def broken_map(person: Person) -> Iterator[None]:
    """A map that names a column nobody has, for a while."""
    file = person.folder / "mappings/loyalty-reward-points.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("RedeemRanking", "RedeemRank"), "utf-8")
    yield
    file.write_text(text, "utf-8")


@contextmanager
def longer_column(person: Person) -> Iterator[None]:
    """A table that is to have a column more, and a longer one than it has, for a while.

    And a key for webhooks.
    """
    file = person.folder / "mappings/tables/msdyn_loyaltycards.yaml"
    text = file.read_text("utf-8")
    more = "  - {column: msdyn_Note, title: Note, type: text}\n"
    file.write_text(text.replace("length: 100", "length: 200") + more, "utf-8")
    person.environment.update(DUALWRITE__SERVE__WEBHOOK_KEY="env:THE_KEY", THE_KEY="a key")
    yield
    del person.environment["DUALWRITE__SERVE__WEBHOOK_KEY"]
    file.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def samples_of() -> dict[str, Samples]:
    """Filled by the first test that asks; a session takes some seconds, also one that fails."""
    return {}


@pytest.fixture
def samples(samples_of: dict[str, Samples], sit_down: SitDown, sandbox: dict[str, Any]) -> Samples:
    """What every command printed."""
    if not samples_of:
        samples_of["all"] = {}
        person = sit_down()
        samples_of["all"] = {**play(person), "serve": [serve(person)], "sandbox": [sandbox]}
    assert samples_of["all"], "the session failed: the first of these tests says where"
    return samples_of["all"]


def names() -> list[str]:
    """The commands whose output the page describes field by field."""
    return [name for name, _ in commands() if name not in FREE_FORM]


def example(name: str) -> dict[str, Any]:
    """The example of a section."""
    (text,) = re.findall(r"^```json\n(.*?)^```$", page()[name], re.MULTILINE | re.DOTALL)
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def test_every_command_has_a_section() -> None:
    objects = {"Errors", "Problems", "Needs", "Health"}
    assert set(page()) == {name for name, _ in commands()} | objects


@pytest.mark.parametrize("name", names())
def test_every_printed_field_is_described(name: str, samples: Samples) -> None:
    for printed in samples[name]:
        assert unknown(printed, table(name)) == set()


@pytest.mark.parametrize("name", names())
def test_every_described_field_is_printed(name: str, samples: Samples) -> None:
    types = table(name)
    seen = {path for printed in samples[name] for path, _ in leaves(printed, types)}
    assert set(types) - seen == set()


@pytest.mark.parametrize("name", names())
def test_every_value_is_of_its_type(name: str, samples: Samples) -> None:
    types = table(name)
    for printed in samples[name]:
        for path, value in leaves(printed, types):
            allowed = types.get(path, "null").split(" or ")
            assert any(is_a(value, kind) for kind in allowed), (path, value)


@pytest.mark.parametrize("name", names())
def test_the_example_has_the_described_fields(name: str) -> None:
    assert unknown(example(name), table(name)) == set()
    heads = {re.split(r"[.\[]", path)[0] for path in table(name)}
    assert set(example(name)) == heads


def is_a(value: Any, kind: str) -> bool:
    """Whether a value is of a type as the page names it."""
    word, _, of = kind.partition(" ")
    match word:
        case "object":
            own = {"(error)": ERROR, "(problem)": PROBLEM, "(need)": NEED}.get(of)
            return isinstance(value, dict) and (own is None or set(value) == own)
        case "time":
            return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
        case "integer" | "number":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole or (isinstance(value, float) and word != "integer")
    kinds: dict[str, type] = {"text": str, "boolean": bool, "null": type(None), "value": object}
    return isinstance(value, kinds[word])


ERROR = set(ConfigError("a", "b", remedy="c").as_dict())
PROBLEM = set(Problem("a", "b", "c").as_dict())
NEED = {"map", "kind", "count"}


def test_the_pages_own_objects_are_complete() -> None:
    assert set(table("Errors")) == ERROR == set(example("Errors")["error"])
    assert set(table("Problems")) == PROBLEM
    assert set(table("Needs")) == NEED
    line = next(row for row in page()["Errors"].splitlines() if row.startswith("| `subject`"))
    assert set(re.findall(r"`(\w+)`", line)) - {"subject"} == {f.name for f in fields(Subject)}


def test_an_error_that_ends_a_command_stands_alone(sit_down: SitDown) -> None:
    printed = sit_down().json("dualwrite status", code=2)
    assert list(printed) == ["error"]
    assert set(printed["error"]) == ERROR
