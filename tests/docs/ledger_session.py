"""The commands of the embedded ledger, each typed at least once.

`take` types one and keeps what it printed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from connector.ledger.ledger import Ledger
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.store import keep

if TYPE_CHECKING:
    from tests.docs.conftest import Person


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
