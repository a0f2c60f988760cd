"""Balances and transactions of cards in Dataverse: equal to the ledger's, and cheap to keep."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connector.ledger.journal.balances import balances
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posted, Posting, Redeem
from connector.ledger.ledger import Ledger
from connector.sandbox.run import running
from tests.acceptance.conftest import Project, make_project, members
from tests.acceptance.living import living, until

if TYPE_CHECKING:
    from tests.conftest import SignIn

POINT_MAPS = ("point-balances", "card-tiers", "point-transactions", "card-segments")
BALANCES, TRANSACTIONS = "dwrite_pointbalances", "dwrite_pointtransactions"
STATUSES = "dwrite_syncstatuses"
TERMS = {
    "Redeemable": "Yes",
    "ExpirationTimeUnit": "Month",
    "ExpirationTimeValue": 1,
    "VestingTimeUnit": "Day",
    "VestingTimeValue": 0,
}
KINDS = [
    {
        "RewardPointId": "bonus",
        "RewardPointType": "Amount",
        "RewardPointCurrency": "EUR",
        **TERMS,
    },
    {
        "RewardPointId": "status",
        "RewardPointType": "Quantity",
        "RewardPointCurrency": "",
        **TERMS,
    },
]
FIGURES = ("available", "unvested", "expiring", "redeemed", "expired", "lifetime", "adjusted")
MANY = 1100
"""More than the engine works at once, of each table; they are written in several requests."""


@pytest.fixture
def crm(
    tmp_path: Path, sign_in: SignIn, capsys: pytest.CaptureFixture[str], one_day: None
) -> Iterator[Project]:
    """A project whose point maps are on, beside an organization with the loyalty tables alone."""
    with running(tmp_path / "organization") as ready:
        project = make_project(tmp_path / "project", ready, sign_in)
        project.environment["DUALWRITE__FRESHNESS__ENABLED"] = "true"
        project.environment["DUALWRITE__DATAVERSE__BATCH_SIZE"] = "500"
        capsys.readouterr()
        for name in POINT_MAPS:
            file = project.folder / "mappings" / f"{name}.yaml"
            text = file.read_text("utf-8")
            assert "\nenabled: false\n" in text, "a ready map is off"
            file.write_text(text.replace("\nenabled: false\n", "\nenabled: true\n"), "utf-8")
        yield project
        project.end()


def ledger_of(project: Project) -> Ledger:
    return Ledger.open(f"sqlite:///{project.folder / 'var' / 'ledger.db'}")


def post(project: Project, *wanted: Posting) -> None:
    with ledger_of(project) as ledger:
        results = Journal(ledger).post_all(wanted, by="till")
    assert [one for one in results if not isinstance(one, Posted)] == []


def number(n: int) -> str:
    return f"M{100_000 + n}"


def earned_by_everybody(project: Project) -> None:
    """Every card earned of one kind, every third of the other, every seventh paid with some."""
    project.import_points(KINDS)
    project.import_cards([{**one, "CardTenderType": "AsCardTender"} for one in members(MANY)])
    postings: list[Posting] = []
    for n in range(MANY):
        lines: list[Any] = [Earn(number(n), "bonus", Decimal(n % 97 + 1) + Decimal(n % 4) / 4)]
        if n % 3 == 0:
            lines.append(Earn(number(n), "status", Decimal(n % 11 + 1)))
        postings.append(Posting(f"sale-{n}", tuple(lines)))
        if n % 7 == 0:
            postings.append(Posting(f"pay-{n}", (Redeem(number(n), "bonus", Decimal(1)),)))
    post(project, *postings)


def shown(project: Project) -> dict[str, dict[str, Any]]:
    """The balances agents see, by card and kind."""
    rows = project.rows(BALANCES)
    found = {row["dwrite_balanceid"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def assert_shown(project: Project) -> int:
    """Every balance of every card is in Dataverse as the ledger works it out, and no other."""
    rows, compared = shown(project), 0
    today = datetime.now(UTC).date()
    cards = {row["msdyn_loyaltycardid"]: row["msdyn_cardnumber"] for row in project.rows()}
    with ledger_of(project) as ledger:
        for n in range(MANY):
            for balance in balances(ledger, number(n), today):
                row = rows.pop(f"{number(n)}/{balance.kind}")
                assert cards[row["_dwrite_card_value"]] == number(n)
                for figure in FIGURES:
                    there = Decimal(str(row[f"dwrite_{figure}"]))
                    assert there == getattr(balance, figure), (number(n), figure)
                expiry = row["dwrite_nextexpiry"]
                assert expiry == (balance.next_expiry and balance.next_expiry.isoformat())
                compared += 1
    assert rows == {}
    return compared


def entries(project: Project) -> int:
    with sqlite3.connect(project.folder / "var" / "ledger.db") as connection:
        (count,) = connection.execute("SELECT count(*) FROM point_entries").fetchone()
        return int(count)


def records_kept(project: Project, map: str) -> int:
    """Rows of the state about single records of a map."""
    with sqlite3.connect(project.folder / "var" / "state.db") as connection:
        tables = ("records", "changes")
        counts = [
            connection.execute(f"SELECT count(*) FROM {name} WHERE map = ?", (map,)).fetchone()[0]
            for name in tables
        ]
    return sum(counts)


def written(counts: Mapping[str, int]) -> dict[str, int]:
    """What a run wrote, by its counts."""
    verbs = ("created", "updated", "deleted")
    return {name: n for name, n in counts.items() if name.startswith(verbs)}


def edited(project: Project, table: str, id: str, **values: object) -> None:
    """A person changes a row in Dataverse."""
    answer = project.agent.patch(f"{table}({id})", json=values, headers={"If-Match": "*"})
    assert answer.status_code == 204, answer.text


def assert_fresh(project: Project, began: datetime) -> None:
    """Agents see of each map that it is up to date, and since when: not before `began`."""
    rows = {row["dwrite_map"]: row for row in project.rows(STATUSES)}
    assert set(rows) == {"loyalty-card", "loyalty-reward-points", *POINT_MAPS}
    for row in rows.values():
        assert row["dwrite_state"] == "up to date"
        assert (row["dwrite_failures"], row["dwrite_conflicts"]) == (0, 0)
        now = datetime.now(UTC)
        assert began <= datetime.fromisoformat(row["dwrite_lastsuccess"]) <= now
        assert 0 <= row["dwrite_lag"] <= (now - began).total_seconds() + 1  # whole seconds


def this_second() -> datetime:
    """Now, as precisely as Dataverse keeps times."""
    return datetime.now(UTC).replace(microsecond=0)


def test_points_are_provisioned_loaded_and_kept(crm: Project) -> None:
    crm.json("check", code=2)
    made = crm.json("provision")
    assert made["problems"] == []
    assert str(made["steps"][0]["text"]).startswith("create publisher dualwritedwrite")
    assert crm.json("check")["problems"] == []

    earned_by_everybody(crm)
    began = this_second()
    crm.json("load")
    assert_fresh(crm, began)
    assert assert_shown(crm) == MANY + len(range(0, MANY, 3))
    assert len(crm.rows(TRANSACTIONS)) == entries(crm)
    verdict = crm.verified()
    assert verdict["drift"] == 0
    assert records_kept(crm, "point-transactions") == 0

    # A sale: one balance, one transaction, and nothing else.
    crm.forget_requests()
    post(crm, Posting("one-more", (Earn(number(7), "bonus", Decimal("2.5")),)))
    began = this_second()
    done = {one["map"]: one["counts"] for one in crm.json("sync")["maps"]}
    assert written(done["point-balances"]) == {"updated_dataverse": 1}
    assert written(done["point-transactions"]) == {"created_dataverse": 1}
    assert [name for name, counts in done.items() if written(counts)] == [
        "point-balances",
        "point-transactions",
    ]
    assert sum(crm.written().values()) == 3, "one of them says how fresh all maps are"
    assert_shown(crm)
    assert_fresh(crm, began)

    # What an agent does to rows that only show something is told, and put back where it was lost.
    balance = shown(crm)[f"{number(7)}/bonus"]
    transactions = crm.rows(TRANSACTIONS)
    edited(crm, BALANCES, balance["dwrite_pointbalanceid"], dwrite_available=1_000_000)
    edited(crm, TRANSACTIONS, transactions[0]["dwrite_pointtransactionid"], dwrite_points=123_456)
    gone = crm.agent.delete(f"{TRANSACTIONS}({transactions[1]['dwrite_pointtransactionid']})")
    assert gone.status_code == 204
    crm.json("sync")
    told = crm.json("verify", code=3)
    assert (told["differences"], told["drift"]) == (1, 2)
    assert crm.json("verify", "--map", "point-transactions", "--repair")["equal"] is True
    assert len(crm.rows(TRANSACTIONS)) == entries(crm)


def test_a_table_that_is_not_there_fails_no_run(crm: Project) -> None:
    one = ("--map", "loyalty-card")
    crm.import_cards(members(3))
    (missing,) = [one for one in crm.json("check", code=2)["problems"] if "freshness" in str(one)]
    assert (missing["code"], missing["severity"]) == ("entity-unknown", "warning")
    loaded = crm.call("load", *one, "--json")
    assert [one["finished"] for one in loaded.json["maps"]] == [True]
    assert "how fresh the maps are is not shown in Dataverse" in loaded.stderr
    assert "dualwrite provision" in loaded.stderr
    crm.json("provision", *one)
    assert "not shown" not in crm.call("sync", *one, "--json").stderr
    (row,) = crm.rows(STATUSES)
    assert (row["dwrite_map"], row["dwrite_title"]) == ("loyalty-card", "Loyalty card")
    crm.json("maps", "pause", "loyalty-card", "--by", "anna", "--reason", "stocktaking")
    crm.call("sync", *one, "--json", code=3)
    (row,) = crm.rows(STATUSES)
    assert row["dwrite_state"].startswith("paused by anna at ")


def test_transactions_that_cannot_travel_are_told_and_stop_nobody(crm: Project) -> None:
    one = ("--map", "point-transactions")
    crm.json("provision")
    crm.import_points(KINDS)
    crm.import_cards([{**one, "CardTenderType": "AsCardTender"} for one in members(3)])
    map = crm.folder / "mappings" / "point-transactions.yaml"
    whole = map.read_text("utf-8")
    map.write_text(whole.replace("      Redeem: 100000001\n", ""), "utf-8")
    crm.json("load")
    bonus = Decimal(10)
    post(crm, *(Posting(f"s{n}", (Earn(number(n), "bonus", bonus),)) for n in range(3)))
    post(crm, *(Posting(f"p{n}", (Redeem(number(n), "bonus", Decimal(1)),)) for n in range(2)))
    crm.import_cards([{**members(4)[3], "CardTenderType": "AsCardTender"}])
    planned, began = crm.json("plan", *one), this_second()
    assert planned["maps"][0]["writes"] == 3
    crm.call("sync", code=3)
    assert len(crm.rows(TRANSACTIONS)) == 3
    failures = crm.json("failures", "list", *one)["failures"]
    assert {failure["problem"]["code"] for failure in failures} == {"choice-unknown"}
    assert len(failures) == 2
    (status,) = crm.json("status", *one, code=3)["maps"]
    assert (status["state"], status["parked"], status["settled"]) == ("running", 2, 0)
    assert 0 <= status["lag_seconds"] <= (datetime.now(UTC) - began).total_seconds() + 1

    map.write_text(whole, "utf-8")
    first, second = (failure["key"] for failure in failures)
    shown = crm.json("failures", "show", "point-transactions", first)
    assert shown["records"][0]["commerce"]["values"]["EntryType"] == "Redeem"
    retried = crm.json("failures", "retry", "point-transactions", first, code=3)
    assert (retried["freed"], retried["parked"]) == (1, 1)
    crm.json("failures", "discard", "point-transactions", second, "--by", "anna")
    crm.json("sync")
    assert len(crm.rows(TRANSACTIONS)) == 4
    verdict = crm.json("verify", *one)
    assert (verdict["equal"], verdict["ignored"]) == (True, 1)
    runs = crm.json("runs", "list", *one)["runs"]
    refused = crm.json("runs", "undo", str(runs[-1]["run"]), "--by", "anna", code=2)
    assert refused["error"]["code"] == "append-not-undone"


RIGHTS = {
    "msdyn_loyaltycard": "Create Write Delete AppendTo",
    "msdyn_loyaltyrewardpoint": "Create Write Delete Append AppendTo",
    "TransactionCurrency": "AppendTo",
    "dwrite_pointbalance": "Create Write Delete Append",
    "dwrite_cardtier": "Create Write Delete Append",
    "dwrite_cardsegment": "Create Write Delete Append",
    "dwrite_pointtransaction": "Create Append",
    "dwrite_syncstatus": "Create Write",
}
"""What docs/security.md asks for where points are shown in CRM; everything may be read."""


def limit(project: Project, *without: str) -> None:
    """From now on the connector may do just that, without some of it; the agent anything."""
    needed = {f"prv{right}{table}" for table, rights in RIGHTS.items() for right in rights.split()}
    assert needed.issuperset(without)
    switch = project.connector.switch
    switch("roles", {"user": "agent", "roles": ["System Administrator"]})
    switch("roles", {"role": "Points", "privileges": ["prvRead*", *sorted(needed - {*without})]})
    switch("roles", {"user": "connector", "roles": ["Points"]})


def test_the_least_role_is_enough_and_nothing_of_it_too_much(crm: Project) -> None:
    crm.json("provision")
    limit(crm)
    assert crm.json("check")["problems"] == []
    crm.import_points(KINDS)
    plain = {"CardTenderType": "AsCardTender", "ReplacementCardNumber": ""}
    crm.import_cards([{**one, **plain} for one in members(3)])
    bonus = Decimal(10)
    post(crm, *(Posting(f"s{n}", (Earn(number(n), "bonus", bonus),)) for n in range(2)))
    crm.json("load")
    post(crm, Posting("s3", (Earn(number(0), "bonus", bonus), Earn(number(2), "bonus", bonus))))
    began = this_second()
    assert "not shown" not in crm.call("sync", "--json").stderr
    assert (len(shown(crm)), len(crm.rows(TRANSACTIONS))) == (3, 4)
    assert_fresh(crm, began)
    crm.verified()
    for table, rights in RIGHTS.items():
        for right in rights.split():
            limit(crm, f"prv{right}{table}")
            told = [
                one["message"] for one in crm.call("check", "--json", code=None).json["problems"]
            ]
            assert told, f"{right} on {table} is not missed"
            assert all(table.lower() in one and right in one for one in told), told


@pytest.mark.slow
def test_points_are_kept_by_live_mode(crm: Project, tmp_path: Path) -> None:
    crm.json("provision")
    crm.import_points(KINDS)
    crm.import_cards([{**one, "CardTenderType": "AsCardTender"} for one in members(2)])
    crm.json("load")
    with living(crm, tmp_path):
        post(crm, Posting("sale", (Earn(number(0), "bonus", Decimal("12.50")),)))
        until("the transaction is there", lambda: len(crm.rows(TRANSACTIONS)) == 1)
        until("the balance is there", lambda: len(shown(crm)) == 1)
        until("agents see how fresh it is", lambda: len(crm.rows(STATUSES)) == 6)
