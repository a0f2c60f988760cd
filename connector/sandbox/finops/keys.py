"""Keys in URLs: which row they name.

Owns: checking that all key fields are given, finding the row.
Never does: the syntax of a path (`connector.odata.paths`).
Tested in: tests/integration/sandbox/finops/test_keys.py, test_companies.py.

Facts: "Finance and Operations: odata": every key field, in any order; text compares without case.
Without `cross-company=true` a row of another than the user's default company is not there.
"""

from __future__ import annotations

from typing import Any

from connector.odata.paths import Segment
from connector.sandbox.comparing import fold
from connector.sandbox.finops import errors
from connector.sandbox.finops.entities import COMPANY, Entity
from connector.sandbox.finops.messages import Request
from connector.sandbox.finops.people import User
from connector.sandbox.finops.rows import Row, selection, source
from connector.sandbox.finops.storage import Storage


def key_values(entity: Entity, segment: Segment, url: str) -> list[str]:
    """The key in the order of the definition. Raises `AxError` where it is not the whole key."""
    keys: dict[str, Any] = dict(segment.keys or {})
    if list(keys) == [""] and len(entity.key) == 1:
        keys = {entity.key[0]: keys[""]}
    if set(keys) != set(entity.key):
        raise errors.no_such_resource(url)
    values = [keys[name] for name in entity.key]
    # Every key here is a text, and a text is quoted.
    if not all(type(one) is str for one in values):
        raise errors.no_such_resource(url)
    return values


def find(
    storage: Storage, entity: Entity, values: list[str], fields: tuple[Any, ...] = ()
) -> Row | None:
    """The row with these key values, with `fields` behind its versions."""
    conditions = " AND ".join(f'fold(t."{name}") = ?' for name in entity.key)
    found = storage.connection.execute(
        f"SELECT {selection(entity, fields)} FROM {source(entity)} WHERE {conditions}",
        [fold(one) for one in values],
    ).fetchone()
    return None if found is None else tuple(found)


def visible(entity: Entity, values: list[str], user: User, *, cross_company: bool) -> bool:
    """Whether the company of a key is one that this request sees."""
    if not entity.company:
        return True
    company = values[entity.key.index(COMPANY)].lower()
    return company in (user.companies if cross_company else (user.company,))


def existing(
    storage: Storage,
    entity: Entity,
    segment: Segment,
    request: Request,
    fields: tuple[Any, ...] = (),
    *,
    cross_company: bool,
) -> Row:
    """The row a URL names. Raises `AxError` if this request cannot see one."""
    values = key_values(entity, segment, request.url)
    if not visible(entity, values, request.user, cross_company=cross_company):
        raise errors.no_such_row()
    row = find(storage, entity, values, fields)
    if row is None:
        raise errors.no_such_row()
    return row
