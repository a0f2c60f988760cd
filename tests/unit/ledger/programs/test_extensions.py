"""Extensions of installed packages: a real distribution in a folder of sys.path."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import ConfigError, RecordError
from connector.ledger.members.member import Member
from connector.ledger.programs.book import Program, Programs
from connector.ledger.programs.checks import examined
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.extensions import Extensions, load
from connector.ledger.programs.occasion import Earned, Item, Sale
from connector.ledger.programs.rounding import PointKind
from connector.ledger.programs.yaml_text import read_yaml
from tests.unit.ledger.programs.packages import installed

MODULE = """
from decimal import Decimal
from connector.ledger.programs.extensions import Gift

class Present:
    def __init__(self, name="present", kind="Bonus", points="5", months=None, finest_part=None):
        self.gift = Gift(name, kind, Decimal(points), "for you", months)
    def gifts(self, happening, member):
        yield self.gift

class Picky:
    def __init__(self, *, cards):
        if not isinstance(cards, list):
            raise ValueError("cards is a list")
        self.cards = cards
    def admits(self, occasion, member):
        return member.card in self.cards

class Answers:
    def __init__(self, with_):
        self.answer = with_
    def gifts(self, happening, member):
        return self.answer

class Crashes:
    def gifts(self, happening, member):
        yield Gift("first", "bonus", Decimal(1))
        raise RuntimeError("no \\x1b[31m such thing" + "!" * 1000)

class Undecided:
    def admits(self, occasion, member):
        return None

class Unready:
    def __init__(self):
        raise RuntimeError("no licence")

class Counter:
    def gifts(self, happening, member):
        return [Gift("count", "bonus", Decimal(member.sales))]

class Nothing: ...

thing = 5
"""
NAMES = ("Counter", "Present", "Picky", "Answers", "Crashes", "Undecided", "Unready", "Nothing")
KINDS = {"bonus": PointKind("bonus"), "money": PointKind("money", whole=False, currency="EUR")}
SALE = Sale(
    "A-1", "100001", datetime(2026, 1, 2, tzinfo=UTC), "EUR", (Item("p", Decimal(1), Decimal(9)),)
)
ANN = Member("100001", "P1")


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {name.lower(): f"a_ledger_package:{name}" for name in NAMES}
    points |= {"thing": "a_ledger_package:thing", "elsewhere": "no_such_module:Thing"}
    (tmp_path / "a_ledger_package.py").write_text(MODULE, encoding="utf-8")
    installed(tmp_path, monkeypatch, "a_ledger_package", points)


def document(*uses: dict[str, object], **more: object) -> ProgramDocument:
    rule = {"rule": "base", "by": "sale", "points": 1, "kind": "bonus"}
    return ProgramDocument.model_validate(
        {"program": "club", "title": "The Club", "earn": [rule], "extensions": uses, **more}
    )


def given(*uses: dict[str, object], member: Member = ANN, **more: object) -> list[Earned]:
    return Extensions(document(*uses, **more), 3).gifts(SALE, member, KINDS)


def test_what_an_extension_gives_says_where_it_comes_from() -> None:
    (gift,) = given({"use": "present", "with": {"finest-part": 1, "months": 6}})
    assert gift == Earned(
        "club", 3, "present", "bonus", Decimal(5), (), "The Club, present: for you", 6,
        "club/present:card 100001:present",
    )  # fmt: skip


def test_a_program_that_pools_gives_once_for_all_cards_of_a_customer() -> None:
    use: dict[str, object] = {"use": "present"}
    assert given(use, pooled=True)[0].once == "club/present:customer p1:present"
    assert given(use, pooled=True, member=Member("C"))[0].once == "club/present:card c:present"


def test_a_program_that_pools_counts_the_sales_of_all_cards() -> None:
    regular = Member("100001", "P1", sales=1, pool_sales=7)
    use: dict[str, object] = {"use": "counter"}
    assert [given(use, member=regular, pooled=one)[0].points for one in (False, True)] == [1, 7]


def test_a_long_name_is_shortened_and_stays_its_own() -> None:
    names = [given({"use": "present", "with": {"name": "n" * 200 + end}})[0].once for end in "ab"]
    assert len(set(names)) == 2
    assert all(len(name) < 190 for name in names)


def test_extensions_add_to_the_rules_and_shut_out_whole_programs() -> None:
    def earned(*uses: dict[str, object], member: Member = ANN) -> list[str]:
        programs = Programs([Program(document(*uses), 1), Program(OTHER, 1)], KINDS)
        return [f"{one.program}/{one.rule}" for one in programs.earned(SALE, member)]

    present: dict[str, object] = {"use": "present"}
    picky: dict[str, object] = {"use": "picky", "with": {"cards": ["100001"]}}
    assert earned(present, picky) == ["club/base", "other/base", "club/present"]
    assert earned(present, picky, member=Member("100002")) == ["other/base"]
    # What shuts out of the rules shuts out of the gifts.
    programs = Programs([Program(document(present, excluded=["staff"]), 1)], KINDS)
    assert programs.earned(SALE, Member("100001", groups=frozenset({"staff"}))) == []


OTHER = ProgramDocument.model_validate(
    {"program": "other", "earn": [{"rule": "base", "by": "sale", "points": 1, "kind": "bonus"}]}
)


@pytest.mark.parametrize(
    ("use", "cause"),
    [
        ({"use": "crashes"}, "RuntimeError: no [31m such thing!!!"),
        ({"use": "undecided"}, "it answered None instead of True or False"),
        ({"use": "answers", "with": {"with-": ["present"]}}, "it gave a str instead of a Gift"),
        ({"use": "answers", "with": {"with-": 5}}, "TypeError: 'int' object is not iterable"),
        ({"use": "present", "with": {"points": "0"}}, "a Decimal above zero is due"),
        ({"use": "present", "with": {"points": "NaN"}}, "a Decimal above zero is due"),
        ({"use": "present", "with": {"points": "0.5"}}, "0.5 is finer than points of 'bonus' are"),
        ({"use": "present", "with": {"kind": "stars"}}, "the ledger has no kind of points 'stars'"),
        ({"use": "present", "with": {"name": ""}}, "without a name"),
    ],
)
def test_what_goes_wrong_inside_carries_the_name(use: dict[str, object], cause: str) -> None:
    programs = Programs([Program(document(use), 1)], KINDS)
    with pytest.raises(RecordError) as failed:
        programs.earned(SALE, ANN)
    error = failed.value
    assert (error.code, str(use["use"]) in error.message) == ("extension-failed", True)
    assert cause in str(error.cause)
    assert "\x1b" not in str(error)
    assert len(str(error.cause)) <= 200


@pytest.mark.parametrize(
    ("name", "options", "code", "told"),
    [
        ("presnt", {}, "extension-unknown", "write `present`"),
        ("entirely-different", {}, "extension-unknown", "installed are answers, counter, crashes"),
        ("present", {"colour": "red"}, "extension-options", "colour"),
        ("picky", {"cards": 5}, "extension-options", "cards is a list"),
        ("picky", {}, "extension-options", "cards"),
        ("unready", {}, "extension-broken", "no licence"),
        ("nothing", {}, "extension-broken", "neither `gifts` nor `admits`"),
        ("thing", {}, "extension-broken", "names a int"),
        ("elsewhere", {}, "extension-broken", "no_such_module"),
    ],
)
def test_what_cannot_be_loaded_is_told(
    name: str, options: dict[str, object], code: str, told: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(name, options)
    assert refused.value.code == code
    assert told in f"{refused.value.cause} {refused.value.remedy}"
    assert refused.value.subject.field == name


def test_points_still_pay_where_an_extension_is_gone() -> None:
    programs = Programs([Program(document({"use": "gone"}), 1)], KINDS)
    assert programs.redeeming(ANN, "EUR", SALE.at) == []
    with pytest.raises(ConfigError):
        programs.earned(SALE, ANN)


def test_a_check_names_the_line() -> None:
    text = "program: club\nextensions:\n- use: present\n- use: gone\n- {use: picky, with: {a: 1}}\n"
    _, problems = examined(read_yaml(text, "club.yaml"))
    assert [(one.code, one.subject.line) for one in problems] == [
        ("extension-unknown", 4),
        ("extension-options", 5),
    ]


def test_the_documents_show_an_extension_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: Callable[[str], str]
) -> None:
    (tmp_path / "our_extensions.py").write_text(block("class RainyDay"), encoding="utf-8")
    installed(tmp_path, monkeypatch, "ours", {"rainy-day": "our_extensions:RainyDay"})
    use: dict[str, object] = {
        "use": "rainy-day",
        "with": {"kind": "bonus", "points": 20, "days": ["2026-01-02"]},
    }
    (gift,) = given(use)
    assert (gift.points, gift.once) == (Decimal(20), "club/rainy-day:card 100001:rain 2026-01-02")


@pytest.fixture
def block() -> Callable[[str], str]:
    """A block of Python of docs/ledger.md by what stands in it."""
    text = (Path(__file__).parents[4] / "docs/ledger.md").read_text("utf-8")
    blocks = [part.split("```")[0] for part in text.split("```python\n")[1:]]

    def find(what: str) -> str:
        (one,) = [block for block in blocks if what in block]
        return one

    return find
