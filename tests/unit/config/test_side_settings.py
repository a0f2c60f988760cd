"""`[commerce]` and `[sides.NAME]`: one set of keys per kind, and mistakes named in each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config.sides import (
    DynamicwebSettings,
    FinopsSettings,
    ODataV2Settings,
    ODataV4Settings,
)
from connector.errors import ConfigError
from connector.settings import Settings, load_settings

DATAVERSE = """\
[dataverse]
url = "https://crm.example/"
authority = "https://login.example/tenant"
client_id = "app"
client_secret = "env:CRM_SECRET"
"""
APPLICATION = """\
authority = "https://login.example/tenant"
client_id = "app"
client_secret = "env:FO_SECRET"
"""
FINOPS = f'[commerce]\nkind = "finops"\nurl = "https://fo.example/"\n{APPLICATION}'
V4 = '[commerce]\nkind = "odata-v4"\nurl = "https://erp.example/odata/"\n'
V2 = '[commerce]\nkind = "odata-v2"\nurl = "https://erp.example/odata2/"\n'
SHOP = '[commerce]\nkind = "dynamicweb"\nurl = "postgresql+psycopg://shop@db.example/shop"\n'

Load = Callable[[str], Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(text: str) -> Settings:
        file = tmp_path / "connector.toml"
        file.write_text(text + DATAVERSE, encoding="utf-8")
        return load_settings(file)

    return loaded


def refusal(load: Load, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert caught.value.code == "config-invalid"
    return caught.value


def test_each_kind_has_its_model(load: Load) -> None:
    finops = load(FINOPS).commerce
    assert isinstance(finops, FinopsSettings)
    assert (finops.url, finops.auth, finops.page_size) == (
        "https://fo.example",
        "client-secret",
        10_000,
    )
    assert finops.company is None
    assert isinstance(load(V4).commerce, ODataV4Settings)
    assert isinstance(load(V2).commerce, ODataV2Settings)
    shop = load(SHOP + '[commerce.tables]\nEcomLoyaltyReward = "Rewards"\n').commerce
    assert isinstance(shop, DynamicwebSettings)
    assert shop.tables == {"EcomLoyaltyReward": "Rewards"}


def test_further_sides_are_of_any_kind(load: Load) -> None:
    north = FINOPS.replace("[commerce]", "[sides.north]")
    settings = load(V4 + north)
    assert list(settings.commerce_sides()) == ["commerce", "north"]
    assert isinstance(settings.sides["north"], FinopsSettings)


def test_a_check_asks_for_new_tokens_on_every_side(load: Load) -> None:
    bare = load(FINOPS + V4.replace("[commerce]", "[sides.erp]")).without_kept_tokens()
    remote = [bare.dataverse, *bare.commerce_sides().values()]
    assert [getattr(side, "token_cache", None) for side in remote] == ["", "", ""]


def test_a_key_of_another_kind_is_named_as_unknown(load: Load) -> None:
    error = refusal(load, V4 + 'company = "usrt"\n')
    assert (error.subject.field, error.subject.line) == ("commerce.company", 4)
    assert "unknown key" in error.message


@pytest.mark.parametrize(
    ("text", "key", "line", "says"),
    [
        (FINOPS.replace("https", "http", 1), "commerce.url", 3, "https://"),
        (FINOPS.replace('client_id = "app"\n', ""), "commerce", 1, "client_id"),
        (FINOPS + 'auth = "basic"\n', "commerce.auth", 7, "client-secret"),
        (FINOPS + 'company = "toolong"\n', "commerce.company", 7, "match"),
        (V4 + 'auth = "basic"\n', "commerce", 1, "username, password"),
        (V4 + '[commerce.changes]\nby = "export"\n', "commerce.changes.by", 5, "watermark"),
        (
            V4 + '[commerce.changes.entities.A]\nby = "export"\n',
            "commerce.changes.entities",
            4,
            "finops",
        ),
        (V2 + 'update = "POST"\n', "commerce.update", 4, "'MERGE'"),
        (SHOP.replace("postgresql+psycopg", "https"), "commerce.url", 3, "database"),
        (FINOPS + "[commerce.events]\nlisten = true\n", "commerce.events", 7, "secret"),
        (FINOPS.replace('kind = "finops"\n', ""), "commerce.kind", 1, "required"),
        (FINOPS.replace('"finops"', '"fno"'), "commerce.kind", 2, "'finops'"),
        (
            FINOPS.replace(
                "[commerce]", '[commerce]\nkind = "ledger"\nurl = "sqlite:///l"\n[sides.n]'
            )
            + 'compny = "usrt"\n',
            "sides.n.compny",
            10,
            "did you mean company?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(
    load: Load, text: str, key: str, line: int, says: str
) -> None:
    error = refusal(load, text)
    assert (error.subject.field, error.subject.line) == (key, line)
    assert says in error.message


def test_the_environment_reaches_a_key_of_a_kind(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUALWRITE__COMMERCE__COMPANY", "usrt")
    monkeypatch.setenv("DUALWRITE__COMMERCE__CHANGES__OVERLAP", "5")
    commerce = load(FINOPS).commerce
    assert isinstance(commerce, FinopsSettings)
    assert (commerce.company, commerce.changes.overlap) == ("usrt", 5)


class TestChanges:
    def test_one_entity_may_differ(self, load: Load) -> None:
        commerce = load(
            V4
            + '[commerce.changes]\nby = "watermark"\ncolumn = "ModifiedAt"\noverlap = 30\n'
            + '[commerce.changes.entities.Rewards]\nby = "snapshot"\n'
            + '[commerce.changes.entities.Cards]\ncolumn = "ChangedAt"\n'
        ).commerce
        assert isinstance(commerce, ODataV4Settings)
        cards, rewards = commerce.changes.of("Cards"), commerce.changes.of("Rewards")
        assert (cards.by, cards.column, cards.overlap) == ("watermark", "ChangedAt", 30)
        assert rewards.by == "snapshot"
        assert commerce.changes.of("Others").column == "ModifiedAt"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ('by = "watermark"\n', 'by = "watermark" also needs column'),
            ('by = "export"\n', 'by = "export" also needs project'),
            ('[commerce.changes.entities.A]\nby = "export"\n', "entities.A: "),
        ],
    )
    def test_a_way_has_what_it_needs(self, load: Load, text: str, says: str) -> None:
        error = refusal(load, FINOPS + "[commerce.changes]\n" + text)
        assert error.subject.field == "commerce.changes"
        assert says in error.message
