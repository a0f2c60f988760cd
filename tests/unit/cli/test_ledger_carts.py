"""`dualwrite ledger rewards preview|price|cart|checkout` as a shop uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Terminal

GIFT = """
reward: gift
name: Gift
type: fixed
points: 10
kind: bonus
translations: {de: Geschenk}
rules:
  - {rule: mugs, groups: [cups], quantity: {value: 3}}
"""
FAR = GIFT.replace("gift", "far").replace("groups: [cups]", "products: [plate]")
CART = """
order: W-1
card: 100001
currency: EUR
lines:
  - {product: mug, quantity: 2, pay-with: bonus}
  - {product: mug, quantity: 1, amount: 20, groups: [cups]}
"""


@pytest.fixture(autouse=True)
def shop(run: Terminal, tmp_path: Path) -> None:
    kind = ("RewardPointType=Quantity", "Redeemable=Yes", "--create", "--entity", "reward-points")
    for words in (
        ("set", "bonus", *kind),
        ("set", "100001", "CardTenderType=AsCardTender", "--create"),
        ("adjust", "100001", "bonus", "700"),
    ):
        assert run(*words)[0] == 0
    for name, text in (("gift.yaml", GIFT), ("far.yaml", FAR), ("cart.yaml", CART)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert run("rewards", "import", "gift.yaml", "far.yaml")[0] == 0
    assert run("rewards", "price", "mug", "bonus", "300")[0] == 0


def preview(run: Terminal, *words: str) -> list[dict[str, Any]]:
    code, shown = run.json("rewards", "preview", "mug", *words)
    assert code == 0
    found = shown["prospects"]
    assert isinstance(found, list)
    return found


def test_a_preview_says_what_is_missing(run: Terminal) -> None:
    (found,) = preview(run, "--currency", "EUR", "--group", "cups", "--language", "de")
    assert (found["name"], found["points"], found["earned"], found["line"]) == (
        "Geschenk",
        "10",
        False,
        1,
    )
    assert [one["words"] for one in found["missing"]] == ["log in", "add 2 more"]
    assert found["missing"][1] == {
        "condition": "quantity",
        "words": "add 2 more",
        "wanted": ">= 3",
        "more": "2",
        "possible": True,
    }


def test_a_preview_counts_the_cart_and_the_card(run: Terminal) -> None:
    (found,) = preview(run, "--cart", "cart.yaml", "--group", "cups")
    assert [one["words"] for one in found["missing"]] == ["add 1 more"]
    (found,) = preview(run, "--cart", "cart.yaml", "--quantity", "2")
    assert (found["earned"], found["line"]) == (True, 2)
    named = ("--currency", "EUR", "--card", "100001", "--quantity", "3", "--group", "cups")
    assert preview(run, *named)[0]["earned"] is True
    _, out, _ = run("rewards", "preview", "mug", *named)
    assert "nothing: it is earned" in out


def test_what_is_out_of_reach_is_shown_on_demand(run: Terminal) -> None:
    words = ("--currency", "EUR", "--group", "cups")
    assert len(preview(run, *words)) == 1
    far = preview(run, *words, "--all")[1]
    assert (far["reward"], far["possible"]) == ("far", False)


def test_prices(run: Terminal) -> None:
    code, shown = run.json("rewards", "price", "cup", "bonus", "99", "--from", "2026-01-01")
    price = {"product": "cup", "kind": "bonus", "points": "99", "from": "2026-01-01", "until": None}
    assert (code, shown) == (0, {"prices": [price], "removed": 0})
    assert len(run.json("rewards", "price")[1]["prices"]) == 2
    assert run.json("rewards", "price", "cup", "--on", "2025-12-31")[1]["prices"] == []
    assert run.json("rewards", "price", "cup", "--on", "2026-12-31")[1]["prices"] == [price]
    assert run.json("rewards", "price", "cup", "--remove")[1] == {"prices": [], "removed": 1}
    _, out, err = run("rewards", "price", "mug", "bonus", "--remove")
    assert "Removed 1 prices" in err
    assert "Prices: 0" in out


def test_prices_come_from_a_file(run: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("Product,Kind,Points\nplate,bonus,80\nbowl,bonus,many\n", encoding="utf-8")
    code, shown = run.json("rewards", "import-prices", file)
    assert (code, shown["read"], shown["kept"], shown["refused"]) == (3, 2, 1, 1)
    assert shown["problems"][0]["subject"]["line"] == 3
    assert "price-invalid" in run("rewards", "import-prices", file)[1]
    assert run.json("rewards", "price", "plate")[1]["prices"][0]["points"] == "80"


def test_a_cart_is_checked_and_paid_once(run: Terminal) -> None:
    line = {"line": 1, "product": "mug", "quantity": "2", "kind": "bonus"}
    due = [{**line, "each": "300", "points": "600"}]
    code, shown = run.json("rewards", "cart", "cart.yaml")
    assert (code, shown["payable"], shown["lines"], shown["problems"]) == (0, True, due, [])
    assert shown["totals"] == [{"kind": "bonus", "points": "600", "available": "700"}]
    code, shown = run.json("rewards", "checkout", "cart.yaml")
    assert (code, shown["order"], shown["repeated"], shown["lines"]) == (0, "W-1", False, due)
    assert [one["points"] for one in shown["entries"]] == ["-600"]
    assert run.json("rewards", "checkout", "cart.yaml")[1]["repeated"] is True
    _, out, err = run("rewards", "checkout", "cart.yaml")
    assert "nothing was done again" in err
    assert "order W-1" in out
    assert run.json("balance", "100001")[1]["balances"][0]["available"] == "100"


def test_a_cart_that_cannot_be_paid(run: Terminal, tmp_path: Path) -> None:
    text = CART.replace("quantity: 2", "quantity: 3")
    (tmp_path / "cart.yaml").write_text(text, encoding="utf-8")
    code, shown = run.json("rewards", "cart", "cart.yaml")
    assert (code, shown["payable"]) == (3, False)
    assert [one["code"] for one in shown["problems"]] == ["points-short"]
    code, out, _ = run("rewards", "cart", "cart.yaml")
    assert code == 3
    assert "points-short" in out
    code, shown = run.json("rewards", "checkout", "cart.yaml")
    assert (code, shown["error"]["code"]) == (3, "points-short")
    assert run.json("balance", "100001")[1]["balances"][0]["available"] == "700"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("preview", "mug"), 2, "usage"),
        (("preview", "mug", "--currency", "euro"), 2, "document-wrong-value"),
        (("preview", "mug", "--currency", "EUR", "--quantity", "0"), 2, "usage"),
        (("preview", "mug", "--currency", "EUR", "--amount", "-1"), 2, "usage"),
        (("preview", "mug", "--currency", "EUR", "--amount", "NaN"), 2, "usage"),
        (("preview", "mug", "--currency", "EUR", "--card", "999999"), 3, "card-unknown"),
        (("price", "mug", "bonus"), 2, "usage"),
        (("price", "--remove"), 2, "usage"),
        (("price", "mug", "bonus", "2.5"), 3, "points-fractional"),
        (("price", "mug", "bonus", "2,5"), 2, "usage"),
        (("price", "mug", "bonus", "2", "--from", "now"), 2, "usage"),
        (("cart", "nothing.yaml"), 2, "yaml-unreadable"),
        (("cart", "gift.yaml"), 2, "document-missing-key"),
        (("checkout", "gift.yaml"), 2, "document-missing-key"),
    ],
)
def test_mistakes_are_named(run: Terminal, words: tuple[str, ...], code: int, error: str) -> None:
    answered, shown = run.json("rewards", *words)
    assert (answered, shown["error"]["code"]) == (code, error)
