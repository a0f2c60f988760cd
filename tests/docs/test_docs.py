"""What the documents show on a terminal is typed, and has to come out as shown.

In a block marked `console` a line with `$ ` is typed; the lines below it have to appear in what it
prints, in this order, other lines may stand between them (`...` says so to the reader). Times and
durations may differ, blanks too. `# exit N` gives the exit code, else 0. The blocks of a page are
one session in one folder, which begins empty; comments between them prepare it:

    <!-- docs: project -->              a new project, as by `dualwrite init .`
    <!-- docs: ledger -->               four cards and one kind of points in its ledger
    <!-- docs: agent KEY COLUMN=VALUE -->   somebody edits a card in Dataverse
    <!-- docs: env NAME=VALUE -->       an environment variable; without `=` it goes away again
    <!-- docs: run -->                  nothing; says that the block below stands alone
    <!-- docs: run-number COMMAND -->   RUN stands for the newest run of this command from here on

A sandbox is running already, so `dualwrite sandbox &` is only looked at, and its ready line is
written where `> ready.json` says. `cat FILE` makes a file that is not there yet: the reader is
asked to have one like it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.docs.conftest import Person, SitDown

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_PART = re.compile(
    r"^<!-- docs: (?P<prepare>.+?) -->$|^```console\n(?P<block>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_VARYING = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\b\d+(?:\.\d+)? s\b")


class Step(NamedTuple):
    """One typed line, what is shown below it, and its exit code."""

    command: str
    shown: list[str]
    code: int


def parts(page: Path) -> list[tuple[str, str]]:
    """(preparation, "") and ("", block), in the order of the page."""
    return [
        (found["prepare"] or "", found["block"] or "")
        for found in _PART.finditer(page.read_text("utf-8"))
    ]


def steps(block: str) -> Iterator[Step]:
    """The lines of a block, taken apart."""
    head, *typed = re.split(r"^\$ ", block, flags=re.MULTILINE)
    assert not head, "a block begins with a typed line"
    for text in typed:
        command, *lines = text.splitlines()
        code = [int(line.split()[2]) for line in lines if line.startswith("# exit ")]
        shown = [line for line in lines if not line.startswith("# exit ") and line != "..."]
        yield Step(command, shown, code[0] if code else 0)


def plain(line: str) -> str:
    """A line without what may differ."""
    return " ".join(_VARYING.sub("#", line).split())


def prepare(person: Person, text: str) -> None:
    """One comment of a page."""
    match text.split():
        case ["run"]:
            pass
        case ["run-number", command]:
            listed = person.json(f"dualwrite runs list --command {command} --limit 1")
            person.words["RUN"] = str(listed["runs"][0]["run"])
        case ["project"]:
            person.makes_project()
        case ["ledger"]:
            person.fills_ledger()
        case ["agent", number, edit]:
            column, _, value = edit.partition("=")
            person.edits_crm(number, **{column: int(value) if value.isdecimal() else value})
        case ["env", setting]:
            name, equals, value = setting.partition("=")
            if equals:
                person.environment[name] = value
            else:
                del person.environment[name]
        case _:
            pytest.fail(f"no such preparation: {text}")


def take(person: Person, step: Step) -> None:
    """Type one line and compare."""
    if step.command.startswith("cd "):
        person.folder /= step.command[3:]
        assert person.folder.is_dir()
        return
    if step.command.startswith("cat "):
        file = person.folder / step.command[4:]
        assert not file.exists()
        file.write_text("\n".join(step.shown) + "\n", encoding="utf-8")
        return
    if step.command.endswith(" &"):
        assert step.command in ("dualwrite sandbox &", "dualwrite sandbox > ready.json &")
        if "> ready.json" in step.command:
            (person.folder / "ready.json").write_text(json.dumps(person.ready), encoding="utf-8")
        return
    command = person.said(step.command)
    printed = person.types(command)
    assert printed.code == step.code, f"{step.command}\n{printed.text}"
    lines = iter(plain(line) for line in printed.text.splitlines())
    for shown in step.shown:
        assert any(plain(person.said(shown)) in line for line in lines), (
            f"{step.command}\ndoes not print, or not in this order:\n{shown}\nbut:\n{printed.text}"
        )


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(block for _, block in parts(page))], ids=lambda p: p.name
)
def test_a_session_goes_as_the_page_shows(page: Path, sit_down: SitDown) -> None:
    person = sit_down()
    for text, block in parts(page):
        if text:
            prepare(person, text)
        for step in steps(block):
            take(person, step)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_a_typed_line_stands_only_where_it_is_run(page: Path) -> None:
    outside = _PART.sub("", page.read_text("utf-8"))
    assert not re.search(r"^\$ ", outside, re.MULTILINE)


def test_the_harness_notices_what_is_not_printed(sit_down: SitDown) -> None:
    person = sit_down()
    with pytest.raises(AssertionError, match="does not print"):
        take(person, Step("dualwrite --version", ["dualwrite 0.0.1"], 0))
    with pytest.raises(AssertionError):
        take(person, Step("dualwrite --version", [], 3))
