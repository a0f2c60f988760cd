"""A project as a person has it: made by `init`, worked by typed commands, next to a sandbox."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest import mock

import pytest

from connector.cli.app import run

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

DUALWRITE = Path(sys.executable).with_name("dualwrite")
SECONDS = 120
CARDS = "msdyn_loyaltycards"
POINTS = "msdyn_loyaltyrewardpoints"


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object a command with --json prints."""
        (line,) = self.stdout.splitlines()
        value = json.loads(line)
        assert isinstance(value, dict)
        return value

    @property
    def error(self) -> dict[str, Any]:
        """The error in that object; complete, and without a traceback around it."""
        assert "Traceback" not in self.stdout + self.stderr
        error: dict[str, Any] = self.json["error"]
        assert error["code"]
        assert error["message"]
        assert error["remedy"]
        assert error["code"] != "unexpected", self.stderr
        return error


@dataclass
class Project:
    """A project folder, and the two users of its organization."""

    folder: Path
    environment: dict[str, str]
    agent: DataverseSession
    """A person at the help desk."""
    connector: DataverseSession
    """The connector's own application user."""
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    # ------------------------------------------------------------------ commands

    def run(self, *args: str, code: int = 0) -> Result:
        """One command as a process of its own, as typed."""
        done = subprocess.run(
            [DUALWRITE, *args],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert result.code == code, f"{args} ended with {result}"
        return result

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """The same, not waited for."""
        process = subprocess.Popen(
            [DUALWRITE, *args],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._started.append(process)
        return process

    def call(self, *args: str, code: int | None = 0, **environment: str) -> Result:
        """The same command line inside this process, which is much faster; no `code`: any."""
        out, err = io.StringIO(), io.StringIO()
        there = {**self.environment, **environment}
        with (
            chdir(self.folder),
            mock.patch.dict(os.environ, there),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            result = Result(run(list(args)), out.getvalue(), err.getvalue())
        assert code in (None, result.code), f"{args} ended with {result}"
        return result

    def json(self, *args: str, code: int = 0) -> dict[str, Any]:
        """What a command prints with --json."""
        return self.call(*args, "--json", code=code).json

    def end(self) -> None:
        """Nothing that was started outlives the test."""
        for process in self._started:
            process.kill()
            process.communicate()

    # ------------------------------------------------------------------ both sides

    def import_cards(self, rows: Iterable[Mapping[str, object]], *options: str) -> dict[str, Any]:
        """Cards into the ledger, by a CSV file whose columns are named like fields."""
        return self._import("cards", rows, options)

    def import_points(self, rows: Iterable[Mapping[str, object]]) -> dict[str, Any]:
        """Reward points into the ledger."""
        return self._import("reward-points", rows, ())

    def _import(
        self, entity: str, rows: Iterable[Mapping[str, object]], options: tuple[str, ...]
    ) -> dict[str, Any]:
        rows = list(rows)
        path = self.folder / f"{entity}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return self.json("ledger", "import", str(path), "--entity", entity, *options)

    def ledger(self, key: str, entity: str = "cards") -> dict[str, Any]:
        """The values of one record of the ledger."""
        values: dict[str, Any] = self.json("ledger", "show", key, "--entity", entity)["values"]
        return values

    def ledger_keys(self) -> list[str]:
        """The numbers of all cards in the ledger."""
        found: list[str] = []
        while True:
            after = ("--after", found[-1]) if found else ()
            page = self.json("ledger", "list", "--limit", "10000", *after)
            found += [record["values"]["CardNumber"] for record in page["records"]]
            if len(found) >= page["total"]:
                return found

    def rows(self, table: str = CARDS) -> list[dict[str, Any]]:
        """Every row of a Dataverse table."""
        found: list[dict[str, Any]] = []
        url: str | None = table
        while url is not None:
            answer = self.agent.get(url).json()
            found += answer["value"]
            url = answer.get("@odata.nextLink")
        return found

    def cards(self) -> dict[str, dict[str, Any]]:
        """The cards in Dataverse by number; no number twice."""
        rows = self.rows()
        by_number = {row["msdyn_cardnumber"]: row for row in rows}
        assert len(by_number) == len(rows)
        return by_number

    def edit(self, number: str, **values: object) -> None:
        """A person changes a card in Dataverse."""
        id = self.cards_id(number)
        answer = self.agent.patch(f"{CARDS}({id})", json=values, headers={"If-Match": "*"})
        assert answer.status_code == 204, answer.text

    def edit_all(self, values: Mapping[str, Mapping[str, object]]) -> None:
        """A person's tool changes many cards, by number, in one request."""
        ids = {row["msdyn_cardnumber"]: row["msdyn_loyaltycardid"] for row in self.rows()}
        targets = [
            {
                "@odata.type": "Microsoft.Dynamics.CRM.msdyn_loyaltycard",
                "msdyn_loyaltycardid": ids[number],
                **change,
            }
            for number, change in values.items()
        ]
        url = f"{CARDS}/Microsoft.Dynamics.CRM.UpdateMultiple"
        answer = self.agent.post(url, json={"Targets": targets})
        assert answer.status_code == 204, answer.text

    def cards_id(self, number: str) -> str:
        """The id of the card with this number in Dataverse."""
        quoted = number.replace("'", "''")
        answer = self.agent.get(CARDS, params={"$filter": f"msdyn_cardnumber eq '{quoted}'"})
        (row,) = answer.json()["value"]
        return str(row["msdyn_loyaltycardid"])

    def fault(self, **fault: object) -> None:
        """Arm a fault of the sandbox."""
        self.connector.switch("faults", dict(fault))

    def written(self) -> dict[str, int]:
        """Requests since the last reset that write, by kind."""
        counts = self.connector.counts()
        reading = ("GET ", "token", "discovery")
        return {kind: n for kind, n in counts.items() if not kind.startswith(reading)}

    def forget_requests(self) -> None:
        """Start counting requests anew; faults are disarmed."""
        self.connector.switch("reset", {"data": False})

    def verified(self) -> dict[str, Any]:
        """What verify says; both sides must be equal."""
        verdict = self.json("verify")
        assert verdict["equal"] is True
        assert verdict["differences"] == 0
        return verdict


MakeProject: TypeAlias = Callable[..., Project]


def make_project(folder: Path, where: Mapping[str, Any], sign_in: SignIn) -> Project:
    """A project in `folder` whose config points to a sandbox, by environment variables."""
    environment = {
        "DUALWRITE__DATAVERSE__URL": str(where["dataverse"]),
        "DUALWRITE__DATAVERSE__AUTHORITY": str(where["authority"]),
        "DUALWRITE__DATAVERSE__CLIENT_ID": str(where["client_id"]),
        "DUALWRITE__DATAVERSE__CLIENT_SECRET": "env:TEST_CLIENT_SECRET",
        "TEST_CLIENT_SECRET": str(where["client_secret"]),
        "DUALWRITE__DATAVERSE__CA": str(where["ca"]),
        "DUALWRITE__RETRY__FIRST_WAIT": "0.2",
    }
    project = Project(folder, environment, sign_in("agent_", where), sign_in("", where))
    assert run(["init", str(folder), "--json"]) == 0
    return project


@pytest.fixture
def project(
    tmp_path: Path,
    sandbox: dict[str, Any],
    sign_in: SignIn,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Project]:
    """A new project beside an emptied organization."""
    made = make_project(tmp_path / "project", sandbox, sign_in)
    capsys.readouterr()
    made.connector.switch("reset")
    yield made
    made.end()


def members(count: int, start: int = 100_000) -> list[dict[str, object]]:
    """Cards of generated members: every third is blocked, every fifth has a replacement."""
    return [
        {
            "CardNumber": f"M{start + n}",
            "CardTenderType": "Blocked" if n % 3 == 0 else "AsCardTender",
            "ReplacementCardNumber": f"R{start + n}" if n % 5 == 0 else "",
            "LoyaltyEnrollmentDate": f"{2012 + n % 7}-{1 + n % 12:02}-01",
            "LoyaltyEnrollmentDateLocal": f"{2012 + n % 7}-{1 + n % 12:02}-01",
        }
        for n in range(count)
    ]
