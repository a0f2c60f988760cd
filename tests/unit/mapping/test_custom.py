"""Transforms of installed packages: a real distribution in a folder of sys.path."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.errors import MapError
from connector.mapping.compiling.compiler import compile_map, findings
from connector.mapping.document import parse_document
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Value
from tests.unit.mapping.live import lookup_columns
from tests.unit.mapping.things import COMMERCE, DATAVERSE, field, yaml

DOCS = Path(__file__).parents[3] / "docs" / "maps.md"
MODULE = """
class Reversed:
    def forward(self, text):
        return text[::-1]
    back = forward

class OneWay:
    def forward(self, text):
        return None if text == "nothing" else text.upper()

class Failing:
    def forward(self, text):
        raise ValueError("no \\x1b[31m number in " + text + "!" * 1000)
    def back(self, text):
        return 5

class WithoutForward: ...

class Unready:
    def __init__(self):
        raise RuntimeError("no licence")

async_like = object()
"""
NAMES = ["Reversed", "OneWay", "Failing", "WithoutForward", "Unready"]


@pytest.fixture(autouse=True)
def package(tmp_path: Path) -> Iterator[None]:
    """The package of the documents and one of ours, installed beside each other."""
    blocks = re.findall(r"^```python\n(.*?)^```", DOCS.read_text("utf-8"), re.M | re.S)
    (module,) = [block for block in blocks if "class CheckDigit" in block]
    points = "check-digit = our_transforms:CheckDigit\n"
    install(tmp_path, "our_transforms", module, points)
    points = "".join(f"{name.lower()} = a_transforms_package:{name}\n" for name in NAMES)
    points += "elsewhere = no_such_module:Thing\n"
    install(tmp_path, "a_transforms_package", MODULE, points)
    sys.path.insert(0, str(tmp_path))
    yield
    sys.path.remove(str(tmp_path))
    for name in ("our_transforms", "a_transforms_package"):
        sys.modules.pop(name, None)


def install(folder: Path, name: str, module: str, points: str) -> None:
    (folder / f"{name}.py").write_text(module, "utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[dualwrite.transforms]\n{points}")


def row(name: str, symbol: str = "><") -> str:
    return f"commerce: Name, sync: '{symbol}', dataverse: once, transform: [{{custom: {name}}}]"


def finding(name: str, symbol: str = "><") -> tuple[str, str, str]:
    made = parse_document(yaml(row(name, symbol)))
    problem = next(
        p for p in findings(made, COMMERCE, DATAVERSE, lookup_columns) if p.severity == "error"
    )
    assert (problem.subject.line, problem.subject.column) == (6, 63)
    return problem.code, problem.message, problem.remedy


def test_the_example_of_the_documents() -> None:
    made = field(row("check-digit"))
    assert made.forward("1234") == "12340"
    assert made.backward("12340") == "1234"
    assert made.forward(None) is None
    assert made.same("1234", "12340")


def test_both_ways_and_one_way() -> None:
    assert field(row("reversed")).forward("abc") == "cba"
    one_way = field(row("oneway", ">>"))
    assert one_way.forward("abc") == "ABC"
    assert one_way.forward("nothing") is None


def test_two_ways_over_one_that_knows_only_one() -> None:
    code, message, remedy = finding("oneway")
    assert code == "transform-no-way-back"
    assert "`oneway`" in message
    assert "`>>`" in remedy


def test_a_misspelled_name_gets_the_nearest() -> None:
    assert finding("chek-digit") == (
        "transform-unknown",
        "no installed package brings a transform `chek-digit`",
        "write `check-digit`",
    )


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("withoutforward", "no function `forward`"),
        ("unready", "RuntimeError: no licence"),
        ("elsewhere", "ModuleNotFoundError"),
    ],
)
def test_one_that_cannot_be_loaded(name: str, cause: str) -> None:
    code, message, _ = finding(name, ">>")
    assert code == "transform-broken"
    assert f"`{name}`" in message
    assert cause in message


def test_a_broken_package_refuses_its_map_only() -> None:
    with pytest.raises(MapError) as caught:
        compile_map(parse_document(yaml(row("unready"))), COMMERCE, DATAVERSE, lookup_columns)
    assert caught.value.code == "transform-broken"


@pytest.mark.parametrize(
    ("value", "back", "cause"),
    [("abc", False, "ValueError: no \ufffd[31m number in abc!"), ("abc", True, "gave a int")],
)
def test_what_it_does_wrong_is_the_problem_of_that_record(
    value: Value, back: bool, cause: str
) -> None:
    made = field(row("failing"))
    with pytest.raises(Untranslatable) as caught:
        (made.backward if back else made.forward)(value)
    assert caught.value.code == "transform-failed"
    assert "`failing` failed on 'abc'" in caught.value.message
    assert cause in caught.value.message
    assert len(caught.value.message) < 300


def test_nothing_is_loaded_that_no_map_names() -> None:
    field("commerce: Name, sync: '><', dataverse: name, transform: [trim]")
    assert "a_transforms_package" not in sys.modules
