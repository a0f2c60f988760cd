"""The reference pages are complete, and say nothing that is not so.

Each list in the documents is compared, both ways, with what it describes: commands and options,
config keys, keys of the map language, error codes, files.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin
from unittest import mock

import pytest
import typer
from pydantic import BaseModel

from connector import errors
from connector.cli.app import COMMANDS
from connector.cli.options import PANEL
from connector.mapping import document
from connector.mapping.document import MapDocument, parse_document, read_document
from connector.mapping.overlay import laid_over
from connector.mapping.values import ValueType
from connector.mapping.yaml_file import parse_yaml
from connector.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")]


def sections(page: str, level: int = 2) -> dict[str, str]:
    """Heading to text, of the headings of one level."""
    text = (DOCS / page).read_text("utf-8")
    parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)
    return {name.strip("` "): body for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def first_cells(text: str) -> list[str]:
    """The code in the first cell of each table row."""
    return re.findall(r"^\| `([^`]+)`", text, flags=re.MULTILINE)


# ---------------------------------------------------------------------------- commands


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its full name."""
    for row in COMMANDS:
        module = importlib.import_module(row.module)
        yield from _within(row.name, typer.main.get_command(module.app))


def _within(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command, or all of a group and of the groups in it."""
    group = getattr(command, "commands", None)
    if group is None:
        yield name, command
        return
    for part, one in group.items():
        yield from _within(f"{name} {part}", one)


def options(command: Any) -> set[str]:
    """The options a command has beside the shared ones."""
    own = [p for p in command.params if getattr(p, "rich_help_panel", None) != PANEL]
    names = {name for p in own if p.param_type_name == "option" for name in p.opts}
    return names - {"--help", "-h"}


def test_every_command_has_a_section() -> None:
    assert list(sections("commands.md")) == sorted(
        sections("commands.md"), key=list(sections("commands.md")).index
    )
    assert set(sections("commands.md")) == {name for name, _ in commands()}


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=str)
def test_every_option_is_in_its_section(name: str, command: Any) -> None:
    text = sections("commands.md")[name]
    shown = {cell.split()[0] for cell in first_cells(text)}
    # A second name of an option stands in the text of the first.
    named = set(re.findall(r"`(--[a-z-]+)` is another name", text))
    assert shown | named == options(command)


def test_the_shared_options_are_listed_once() -> None:
    head = (DOCS / "commands.md").read_text("utf-8").partition("\n## ")[0]
    command = dict(commands())["check"]
    shared = {p.opts[0] for p in command.params if getattr(p, "rich_help_panel", None) == PANEL}
    assert {cell.split()[0] for cell in first_cells(head)} - {"--help"} >= shared
    for option in ("--install-completion", "--show-completion"):
        assert f"dualwrite {option}" in head


def test_every_switch_of_the_sandbox_is_listed() -> None:
    from connector.sandbox.dataverse.limits import Limits
    from connector.sandbox.dataverse.switches import Switches
    from connector.sandbox.faults import FaultKind

    text = sections("sandbox.md")["Switches for tests"]
    switches = Switches(*[mock.Mock()] * 4).acts
    assert set(first_cells(text)) == {*switches, *FaultKind}
    (row,) = re.findall(r"^\| `limits` \| `(.+?)`", text, flags=re.MULTILINE)
    assert set(json.loads(row)) == {"profile", *(one.name for one in fields(Limits))}


def test_every_switch_of_finance_and_operations_is_listed() -> None:
    from connector.sandbox.finops.catalog import ENTITIES
    from connector.sandbox.finops.switches import Switches as FinopsSwitches

    page = sections("sandbox-finops.md")
    text = page["Switches of this side"]
    assert set(first_cells(text)) == {*FinopsSwitches(mock.Mock(), mock.Mock()).acts}
    rows = re.findall(r"^\| `(\w+)` \| `(\{[^`]*\})`", text, flags=re.MULTILINE)
    assert len(rows) > 12
    for _, row in rows:
        json.loads(row)
    assert set(first_cells(page["Entities"])) == {one.set_name for one in ENTITIES}


# ---------------------------------------------------------------------------- config and maps


def models_of(annotation: Any) -> list[type[BaseModel]]:
    """The models a key may hold: one for a table, several where its `kind` tells which."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is dict:
        return []
    return [model for one in get_args(annotation) for model in models_of(one)]


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key of the config; a further side has the keys of `commerce`."""
    for name, field in model.model_fields.items():
        tables = models_of(field.annotation)
        if get_origin(field.annotation) is dict:
            yield f"{prefix}{name}.NAME"
        elif tables:
            yield from dict.fromkeys(key for one in tables for key in keys(one, f"{prefix}{name}."))
        else:
            yield prefix + name


def defaults(key: str) -> set[str]:
    """The defaults of a key as they are written, in each of the kinds that have it."""
    models: list[type[BaseModel]] = [Settings]
    *tables, name = key.split(".")
    for table in tables:
        having = [one for one in models if table in one.model_fields]
        models = [m for one in having for m in models_of(one.model_fields[table].annotation)]
    found = [one.model_fields[name].default for one in models if name in one.model_fields]
    return {str(one).lower() if isinstance(one, bool) else str(one) for one in found}


def test_every_config_key_is_in_the_table() -> None:
    shown = first_cells(sections("operations.md")["Config"])
    assert sorted(shown) == sorted(keys(Settings))


def test_the_defaults_in_the_table_are_the_defaults() -> None:
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| `([^`]+)` \|", sections("operations.md")["Config"], re.MULTILINE
    )
    assert len(rows) > 10
    for key, shown in rows:
        assert shown.strip('"') in defaults(key), key


def test_every_key_of_the_map_language_is_in_its_table() -> None:
    text = sections("maps.md")["Keys of the file"]
    shown = set(first_cells(text))
    models = (MapDocument, document.DataverseEnd, document.FieldRow)
    assert shown == {name for model in models for name in model.model_fields}
    for model in (document.Inactive, document.Deletes, document.Default, document.Join):
        assert all(name in text for name in model.model_fields)


def test_every_symbol_policy_and_type_is_described() -> None:
    parts = sections("maps.md")
    assert set(first_cells(parts["Symbols"])) == set(get_args(document.Symbol))
    assert set(first_cells(parts["Deletes"])) == {p.value for p in document.DeletePolicy}
    for policy in document.Policy:
        assert f"`{policy}`" in parts["Conflicts"]
    for value_type in ValueType:
        assert value_type.value in parts["Types"]


HEAD = """
map: example
commerce: {entity: RetailLoyaltyCards}
dataverse: {entity: msdyn_loyaltycards}
fields:
  - {commerce: Key, sync: "=", dataverse: msdyn_key, key: true}
"""


def test_the_examples_of_the_map_language_are_maps() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (DOCS / "maps.md").read_text("utf-8"), re.M | re.S)
    assert len(blocks) >= 4
    for block in blocks:
        if overlay := re.match(r"# mappings/overlays/\w+/([\w-]+)\.yaml\n", block):
            document = read_document(ROOT / "mappings" / f"{overlay[1]}.yaml")
            assert laid_over(document, parse_yaml(block, "overlay.yaml"), "test").overlaid
            continue
        text = block if re.search(r"^map:", block, re.M) else HEAD + block
        assert parse_document(text).fields


# ---------------------------------------------------------------------------- errors

_RAISING = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, (errors.DualWriteError, errors.Problem))
} | {"Untranslatable", "Rejected", "BadFilter"}
_HELPERS = {"problem": 2, "_problem": 1, "why_not": 1, "_error": 0, "error": 0, "_finding": 0}
"""Functions that make an error, by the place of the code among their arguments."""
_CODE = re.compile(r"^[a-z]+(?:-[a-z]+)*$")
NO_CODES = {"client-secret", "managed-identity", "old-key", "new-card"} | {
    *("least-amount", "least-quantity", "not-for")
}
"""Words of other vocabularies that stand where codes do."""


def error_codes() -> dict[str, set[str]]:
    """Every code in the source, with the files it stands in."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "connector").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            for code in _codes_of(call, tree):
                found.setdefault(code, set()).add(path.name)
    return found


def _codes_of(call: ast.Call, tree: ast.Module) -> Iterator[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name == "Contradiction":
        values = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
        yield from (str(value.value) for value in values if isinstance(value, ast.Constant))
    place = 0 if name in _RAISING else _HELPERS.get(name)
    if place is None or len(call.args) <= place:
        return
    match call.args[place]:
        case ast.Constant(value=str(code)) if _CODE.match(code):
            yield code
        case ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))):
            yield from (one, other)
        case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str(ending))]):
            if _CODE.match(f"side{ending}"):
                yield from (f"{side}{ending}" for side in ("commerce", "dataverse"))
        case ast.Name() if name != "Rejected":  # out of a table or a tuple of the same file
            constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            yield from (c for c in constants if isinstance(c, str) and "-" in c and _CODE.match(c))


def test_every_error_code_is_in_the_table() -> None:
    documented = first_cells((DOCS / "errors.md").read_text("utf-8"))
    assert documented == sorted(set(documented)), "sorted, each code once"
    codes = set(error_codes()) - NO_CODES
    assert codes - set(documented) == set(), "codes without a row"
    assert set(documented) - codes == set(), "rows without a code"


def test_every_error_row_has_an_exit_code_and_a_remedy() -> None:
    rows = re.findall(r"^\| `[^`]+` \|(.*)$", (DOCS / "errors.md").read_text("utf-8"), re.M)
    for row in rows:
        exit_code, meaning, remedy = (cell.strip() for cell in row.strip("|").split(" | "))
        assert exit_code in {"1", "2", "3", "4", "5", "–"}, row
        assert meaning, row
        assert remedy.rstrip(" |"), row


# ---------------------------------------------------------------------------- the pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


def slug(heading: str) -> str:
    """The anchor a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def test_every_page_is_among_the_documents_of_the_readme() -> None:
    documents = (ROOT / "README.md").read_text("utf-8").partition("\n## Documents\n")[2]
    rows = documents.partition("\n## ")[0]
    pages = [page.relative_to(ROOT).as_posix() for page in PAGES if page.name != "README.md"]
    assert [name for name in pages if f"]({name})" not in rows] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_long_page_begins_with_its_contents(page: Path) -> None:
    """Each section is linked above the first one; those named like a command need no link."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    named = {name for name, _ in commands()} if page.name == "json.md" else set()
    linked = set(re.findall(r"\]\(#([^)]+)\)", text.partition("\n## ")[0]))
    if len(headings) > 9:
        assert [one for one in headings if one not in named and slug(one) not in linked] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_in_a_page_exist(page: Path) -> None:
    for name in re.findall(
        r"`((?:connector|tests|docs|mappings|requirements)/[a-z_0-9/.-]+)`", page.read_text("utf-8")
    ):
        assert (ROOT / name).exists(), name
