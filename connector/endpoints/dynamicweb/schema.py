"""The loyalty tables of a Dynamicweb shop, as its database has them.

Owns: names, columns and types of the four tables; where a table is called otherwise.
Never does: running a statement; the shop makes its tables, tests make them with `metadata`.
Tested in: tests/unit/endpoints/dynamicweb/test_schema.py.

Facts: issue 6 part 4 and "Seed 002, Dynamicweb". `nvarchar`, `bit`, `float` and `datetime` become
`Unicode`, `Boolean`, `Float(53)` and `DateTime` of SQLAlchemy, which are these on SQL Server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from connector.errors import ConfigError, Subject

REWARD = "EcomLoyaltyReward"
RULE = "EcomLoyaltyRewardRule"
TRANSLATION = "EcomLoyaltyRewardTranslation"
TRANSACTION = "EcomLoyaltyUserTransaction"
USER = "AccessUser"
"""The shop's users; read only where the config names the table."""

NAMES = (REWARD, RULE, TRANSLATION, TRANSACTION, USER)

_FLOAT = sa.Float(53)
_RULE_COLUMNS: Mapping[str, TypeEngine[Any]] = {
    "RewardId": sa.Integer(),
    "ShopId": sa.Unicode(50),
    "GroupId": sa.Unicode(50),
    "ProductId": sa.Unicode(30),
    "ProductVariantId": sa.Unicode(255),
    "ProductLanguageId": sa.Unicode(50),
    "Name": sa.Unicode(255),
    "Active": sa.Boolean(),
    "ValidFrom": sa.DateTime(),
    "ValidTo": sa.DateTime(),
    "AccessUserId": sa.Integer(),
    "AccessUserGroupId": sa.Integer(),
    "AccessUserCustomerNumber": sa.Unicode(255),
    "ProductsAndGroups": sa.UnicodeText(),
    "CountryCode2": sa.Unicode(2),
    "ShippingId": sa.Unicode(50),
    "PaymentId": sa.Unicode(50),
    "ProductQuantification": sa.Integer(),
    "ProductQuantity": _FLOAT,
    "OrderTotalPriceCondition": sa.Integer(),
    "OrderTotalPrice": _FLOAT,
    "OrderFieldName": sa.Unicode(255),
    "OrderFieldValue": sa.Unicode(255),
    "VoucherListId": sa.Integer(),
    "OrderLineFieldName": sa.Unicode(255),
}


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables under the names they have in one shop."""

    metadata: sa.MetaData
    reward: sa.Table
    rule: sa.Table
    translation: sa.Table
    transaction: sa.Table
    user: str | None
    """The name of the table of users, where the config tells one."""

    def named(self, name: str) -> sa.Table:
        """A table by its usual name."""
        return {
            REWARD: self.reward,
            RULE: self.rule,
            TRANSLATION: self.translation,
            TRANSACTION: self.transaction,
        }[name]


def tables(names: Mapping[str, str] | None = None, section: str = "commerce") -> Tables:
    """The tables, under other names where `names` says so (`SCHEMA.TABLE` or `TABLE`).

    Raises `ConfigError` (`table-unknown`) for a table that is none of these.
    """
    names = names or {}
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ConfigError(
            "table-unknown",
            f"a shop has no table `{unknown[0]}` of loyalty",
            subject=Subject(field=f"{section}.tables"),
            remedy=f"name one of {', '.join(NAMES)}",
        )
    metadata = sa.MetaData()

    def table(name: str, *columns: sa.Column[Any]) -> sa.Table:
        return table_of(metadata, names.get(name, name), *columns)

    return Tables(
        metadata,
        table(REWARD, *_reward()),
        table(RULE, *_rule()),
        table(TRANSLATION, *_translation()),
        table(TRANSACTION, *_transaction()),
        names.get(USER),
    )


def table_of(metadata: sa.MetaData, name: str, *columns: sa.Column[Any]) -> sa.Table:
    """A table by a name that may say its schema."""
    schema, _, bare = name.rpartition(".")
    return sa.Table(bare, metadata, *columns, schema=schema or None)


def _identity(name: str, kind: TypeEngine[Any] | None = None) -> sa.Column[Any]:
    # SQLite counts rows up by itself only for an INTEGER.
    counted = (kind or sa.Integer()).with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, counted, sa.Identity(start=1), primary_key=True)


def _reward() -> list[sa.Column[Any]]:
    return [
        _identity("LoyaltyRewardId"),
        sa.Column("LoyaltyRewardName", sa.Unicode(50)),
        sa.Column("LoyaltyRewardType", sa.Integer()),
        sa.Column("LoyaltyRewardActive", sa.Boolean()),
        sa.Column("LoyaltyRewardPoints", _FLOAT),
        sa.Column("LoyaltyRewardCurrencyCode", sa.Unicode(3)),
        sa.Column("LoyaltyRewardRoundingId", sa.Unicode(50)),
        sa.Column("LoyaltyRewardPercentage", _FLOAT),
        sa.Column("LoyaltyRewardArchived", sa.Boolean()),
    ]


def _rule() -> list[sa.Column[Any]]:
    others = (sa.Column(f"LoyaltyRewardRule{n}", kind) for n, kind in _RULE_COLUMNS.items())
    return [_identity("LoyaltyRewardRuleId"), *others]


def _translation() -> list[sa.Column[Any]]:
    return [
        _identity("LoyaltyRewardTranslationAutoId"),
        sa.Column("LoyaltyRewardTranslationRewardId", sa.Integer()),
        sa.Column("LoyaltyRewardTranslationLanguageId", sa.Unicode(50)),
        sa.Column("LoyaltyRewardTranslationName", sa.Unicode(255)),
    ]


def _transaction() -> list[sa.Column[Any]]:
    return [
        _identity("LoyaltyUserTransactionId", sa.BigInteger()),
        sa.Column("LoyaltyUserTransactionUserId", sa.Integer()),
        sa.Column("LoyaltyUserTransactionRewardId", sa.Integer()),
        sa.Column("LoyaltyUserTransactionDate", sa.DateTime()),
        sa.Column("LoyaltyUserTransactionPoints", _FLOAT),
        sa.Column("LoyaltyUserTransactionObjectType", sa.Unicode(255)),
        sa.Column("LoyaltyUserTransactionObjectElement", sa.Unicode(255)),
        sa.Column("LoyaltyUserTransactionComment", sa.Unicode(255)),
    ]
