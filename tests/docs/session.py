"""One session in which every command is typed, and has a bit of everything to print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.docs.ledger_session import sell, spend_points

if TYPE_CHECKING:
    from tests.docs.conftest import Person


Samples: TypeAlias = dict[str, list[dict[str, Any]]]
"""What each command printed, by its name."""


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
