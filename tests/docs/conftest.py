"""A person who types what the documents show."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from unittest import mock

import pytest

from connector.cli.app import run

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn

MEMBERS = """Member,Joined,Cancelled
100001,2021-03-15,
100002,2021-04-01,2022-09-30
100003,2020-01-31,
100004,2019-11-02,
"""


class Printed(NamedTuple):
    """What a command printed, both streams in the order they came, and its exit code."""

    code: int
    text: str
    out: str


class _Tee(io.StringIO):
    """A stream that also writes to the common one."""

    def __init__(self, both: io.StringIO) -> None:
        super().__init__()
        self._both = both

    def write(self, text: str) -> int:
        self._both.write(text)
        return super().write(text)


@dataclass
class Person:
    """One terminal: a folder, an environment, and a colleague who works in CRM."""

    folder: Path
    agent: DataverseSession
    environment: dict[str, str] = field(default_factory=dict)
    ready: dict[str, Any] = field(default_factory=dict)
    """What the sandbox said when it was started."""
    words: dict[str, str] = field(default_factory=dict)
    """What a word of a page stands for, such as the number of a run."""

    def said(self, text: str) -> str:
        """A text of a page with its words filled in."""
        return re.sub(r"\b[A-Z]{3,}\b", lambda word: self.words.get(word[0], word[0]), text)

    def types(self, command: str) -> Printed:
        """A `dualwrite …` line, run inside this process, or a `python …` one."""
        program, *words = shlex.split(command)
        if program == "python":
            done = subprocess.run(
                [sys.executable, *words],
                cwd=self.folder,
                check=False,
                capture_output=True,
                text=True,
            )
            return Printed(done.returncode, done.stdout + done.stderr, done.stdout)
        assert program == "dualwrite", command
        both = io.StringIO()
        out, err = _Tee(both), _Tee(both)
        with (
            chdir(self.folder),
            mock.patch.dict(os.environ, self.environment),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run(words)
        return Printed(code, both.getvalue(), out.getvalue())

    def json(self, command: str, code: int = 0) -> dict[str, Any]:
        """What a command prints with --json."""
        printed = self.types(f"{command} --json")
        assert printed.code == code, printed
        value = json.loads(printed.out)
        assert isinstance(value, dict)
        return value

    def makes_project(self) -> None:
        """A new project in this folder."""
        assert self.types("dualwrite init .").code == 0

    def fills_ledger(self) -> None:
        """Four cards and one kind of reward points."""
        (self.folder / "members.csv").write_text(MEMBERS, encoding="utf-8")
        columns = "--card-number Member --enrolled Joined --blocked-if Cancelled"
        assert self.types(f"dualwrite ledger import members.csv {columns}").code == 0
        point = "RewardPointType=Quantity ExpirationTimeUnit=Year ExpirationTimeValue=2"
        add = f"dualwrite ledger set Bonus {point} --entity reward-points --create"
        assert self.types(add).code == 0

    def edits_crm(self, number: str, **values: object) -> None:
        """The colleague changes a card in Dataverse."""
        url = f"msdyn_loyaltycards(msdyn_cardnumber='{number}')"
        answer = self.agent.patch(url, json=values, headers={"If-Match": "*"})
        assert answer.status_code == 204, answer.text

    def deletes_in_crm(self, number: str) -> None:
        """The colleague deletes a card in Dataverse."""
        answer = self.agent.delete(f"msdyn_loyaltycards(msdyn_cardnumber='{number}')")
        assert answer.status_code == 204, answer.text


SitDown: TypeAlias = Callable[[], Person]


@pytest.fixture
def sit_down(tmp_path: Path, sandbox: dict[str, Any], sign_in: SignIn) -> SitDown:
    """A person in an empty folder beside an emptied organization."""

    def make() -> Person:
        sign_in("", sandbox).switch("reset")
        environment = {
            "DUALWRITE__DATAVERSE__URL": str(sandbox["dataverse"]),
            "DUALWRITE__DATAVERSE__AUTHORITY": str(sandbox["authority"]),
            "DUALWRITE__DATAVERSE__CA": str(sandbox["ca"]),
            "DUALWRITE__DATAVERSE__CLIENT_SECRET": "env:TEST_CLIENT_SECRET",
            # Which of two maps gets the first record numbers is not said otherwise.
            "DUALWRITE__MAPS__AT_ONCE": "1",
            "TEST_CLIENT_SECRET": str(sandbox["client_secret"]),
        }
        return Person(tmp_path, sign_in("agent_", sandbox), environment, sandbox)

    return make
