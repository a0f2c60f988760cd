"""What people write who know another tool, and what it is called here.

Owns: the remedies for keys and steps of other languages, and for keys in a wrong place.
Never does: finding anything.
Tested in: tests/unit/mapping/test_corpus.py.
"""

from __future__ import annotations

from collections.abc import Mapping

_JOIN = "columns are put together by `join: {columns: [A, B], by: ' '}` in place of `commerce`"
_VALUES = "write the pairs as `values: {COMMERCE: DATAVERSE}`"
_SYNC = 'the direction is the symbol of `sync`: `sync: "="`, `">"` or `"<"`'
_LEFT = "the column of Finance and Operations, or of another commerce side, is `commerce: NAME`"
_RIGHT = "the column of Dataverse is `dataverse: name`"
_COMPANY = (
    'the company is a row of the key: `{commerce: dataAreaId, sync: "=", dataverse: '
    "msdyn_company.cdm_companycode, key: true}`; one company alone is chosen by a `filter`"
)
_LOOKUP = "a lookup is a dotted name: `dataverse: LOOKUP.COLUMN`"
_CASE = "write `{case: upper}` or `{case: lower}`"
_ZONE = "write `{instant: {zone: Europe/Berlin}}`, or `{date: {zone: Europe/Berlin}}` for a day"

KEYS_OF_OTHERS: Mapping[str, str] = {
    "concat": _JOIN,
    "concatenate": _JOIN,
    "company": _COMPANY,
    "dataareaid": _COMPANY,
    "legalentity": _COMPANY,
    "valuemap": _VALUES,
    "mapping": _VALUES,
    "direction": _SYNC,
    "syncdirection": _SYNC,
    "maptype": _SYNC,
    "source": _LEFT,
    "sourcefield": _LEFT,
    "destination": _RIGHT,
    "destinationfield": _RIGHT,
    "target": _RIGHT,
    "defaultvalue": "write `default: {dataverse: VALUE}`, by the side that gets the value",
    "integrationkey": "write `key: true` into the rows that pair the records",
    "sourcefilter": "write it as `filter` under `commerce`, in OData's words",
    "reversedsourcefilter": "write it as `filter` under `dataverse`",
}
"""By the key without underscores, in small letters."""

STEPS_OF_OTHERS: Mapping[str, str] = {
    "upper": _CASE,
    "lower": _CASE,
    "uppercase": _CASE,
    "lowercase": _CASE,
    "substring": "write `{truncate: 5}` for the first characters, else `{regex: {match, replace}}`",
    "left": "write `{truncate: 5}`",
    "replace": "write `{regex: {match: 'A', replace: 'B'}}`",
    "multiply": "write `{scale: 100}`",
    "concat": _JOIN,
    "join": _JOIN,
    "valuemap": "write `{values: {COMMERCE: DATAVERSE}}`",
    "lookup": _LOOKUP,
    "constant": 'write it as a row: `{sync: ">>", dataverse: NAME, constant: VALUE}`',
    "timezone": _ZONE,
    "datetime": _ZONE,
}
"""By the step in small letters."""

_TOP = "write it at the top of the map, beside `fields`"
_END = "write it under `commerce` or `dataverse`, beside `entity`"
_ROW = "write it into a row of `fields`"
HOMES: Mapping[str, str] = {
    **dict.fromkeys(
        ("master", "deletes", "filter_exit", "blank_wins", "delete_guard", "mode", "enabled"), _TOP
    ),
    **dict.fromkeys(("entity", "filter", "inactive"), _END),
    **dict.fromkeys(("key", "sync", "values", "default", "constant", "together", "join"), _ROW),
    **dict.fromkeys(("transform", "back", "lookup", "unmatched", "type"), _ROW),
    "side": "write it under `commerce`, beside `entity`",
    "owner": "write it under `dataverse`, beside `entity`",
}
"""Where a key stands that was written elsewhere."""
