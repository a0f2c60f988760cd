"""A module or a page that names a file of the project names one that is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "connector").rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_TESTED = re.compile(r"^Tested in:(.*?)(?:\n\n|\Z)", re.DOTALL | re.MULTILINE)
_PLACE = re.compile(r"tests/[\w/{},*]*[\w/}](?:\.py)?(?:::\w+)?")
_BESIDE = re.compile(r"(?<![\w/])(test_\w+\.py)")
_NAMED = re.compile(r"(?<![\w/{},*.])(?!tests/|test_)(?:\w+/)*\w+\.py\b")


def spelled_out(place: str) -> Iterator[str]:
    """`a/{b,c}.py` as `a/b.py` and `a/c.py`."""
    choice = re.search(r"\{([^}]*)\}", place)
    if choice is None:
        yield place
        return
    for one in choice[1].split(","):
        yield from spelled_out(place[: choice.start()] + one.strip() + place[choice.end() :])


def missing(place: str) -> bool:
    file, _, name = place.partition("::")
    found = list(ROOT.glob(file))
    if name:
        return not any(re.search(rf"def {name}\b", one.read_text()) for one in found)
    return not found


def told_by(text: str) -> list[str]:
    places = [one for place in _PLACE.findall(text) for one in spelled_out(place)]
    folders = {place.rpartition("/")[0] for place in places if place.endswith(".py")}
    for name in _BESIDE.findall(text):
        beside = [f"{folder}/{name}" for folder in folders]
        places += [one for one in beside if not missing(one)][:1] or beside[:1]
    return places


def test_every_module_says_what_it_owns_never_does_and_where_it_is_tested() -> None:
    opening = ("Owns:", "Never does:", "Tested in:")
    told = [one for one in MODULES if one.name[0] != "_" and one.parent.name != "versions"]
    lacking = [
        (str(module.relative_to(ROOT)), word)
        for module in told
        for word in opening
        if word not in (ast.get_docstring(ast.parse(module.read_text())) or "")
    ]
    assert lacking == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_tested_where_it_says(module: Path) -> None:
    said = ast.get_docstring(ast.parse(module.read_text())) or ""
    for told in _TESTED.findall(said):
        places = told_by(told.replace("/\n", "/"))
        assert places, f"no test is named in {told!r}"
        assert [place for place in places if missing(place)] == []


def test_modules_name_files_that_are_there() -> None:
    """As seen from the module's folder or from one above it: `plan.py`, `news/observe.py`."""
    wrong = []
    for module in MODULES:
        above = [folder for folder in module.parents if folder.is_relative_to(ROOT)]
        for name in _NAMED.findall(module.read_text()):
            if not any((folder / name).is_file() for folder in above):
                wrong.append((str(module.relative_to(ROOT)), name))
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_names_tests_that_are_there(page: Path) -> None:
    assert [place for place in told_by(page.read_text()) if missing(place)] == []


def test_every_room_has_its_row() -> None:
    """Under its whole name, as seen from `connector/`, or, in their own table, from the ledger."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = [module.parent.relative_to(ROOT).as_posix() for module in MODULES if is_room(module)]
    seen_from = ("", "connector/", "connector/ledger/")
    untold = [
        room
        for room in rooms
        if not any(f"`{room.removeprefix(above)}/`" in page for above in seen_from)
    ]
    assert untold == []
    alone = [one.name for one in (ROOT / "connector").glob("*.py") if one.name != "__init__.py"]
    assert [name for name in alone if f"`connector/{name}`" not in page] == []


def is_room(module: Path) -> bool:
    return module.name == "__init__.py" and module.parent.name != "connector"
