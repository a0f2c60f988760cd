"""Maps in the JSON of dual-write.

Owns: every form that JSON is met in: the map itself, rows of `msdyn_dualwriteentitymap`, runtime
configurations, projects with mapping tasks, and lists of them.
Never does: reading a file; knowing the map language.
Tested in: tests/unit/mapping/moving/test_files.py.

Facts: microsoft/Dual-write-automations (structures of the service), public samples of the column
`msdyn_mapping`. Member names are taken without case: the service writes camelCase, the runtime
configuration PascalCase. No sample of a runtime configuration's `FieldMappings` with rows is
public: they are read like those of a leg.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector.errors import MapError, Problem, Subject
from connector.mapping.moving.template import (
    LEFT_OUT,
    Template,
    TemplateRow,
    Way,
    is_none,
)
from connector.mapping.values import Side

EXTENSION = "x-dualwrite"
"""Member of a map's JSON that holds what only our map language says."""

_DEEPEST = 12
"""Places of one another in which maps are looked for."""
_MOST_LEVELS = 100
_WAYS: Mapping[str, Way] = {
    "1": ">",
    "2": "<",
    "3": "=",
    "forward": ">",
    "backward": "<",
    "reverse": "<",
    "bidirectional": "=",
    "both": "=",
}
"""From the source of the leg to its destination is `>`."""
_SIDED: Mapping[str, Way] = {"foonly": ">", "ceonly": "<"}
"""Words that name the side, whichever is the source."""
_TURNED: Mapping[Way, Way] = {"=": "=", ">": "<", "<": ">"}
_COMMERCE = ("ax", "3")
_DATAVERSE = ("crm", "1")
"""Environment types; the runtime configuration has numbers."""


def read_json(text: str, file: str) -> list[Template]:
    """Every map in a text; raises `MapError`: `import-broken`."""
    return list(_templates(_loaded(text, file), _At(file)))


def read_json_value(data: Mapping[str, Any], file: str) -> list[Template]:
    """Every map in JSON that is not a text yet."""
    return read_json(json.dumps(data), file)


@dataclass(frozen=True, slots=True)
class _At:
    """A place in a file: the JSON pointer behind its name."""

    file: str
    pointer: str = ""

    def __truediv__(self, part: str | int) -> _At:
        return _At(self.file, f"{self.pointer}/{part}")

    def subject(self, field: str | None = None) -> Subject:
        return Subject(file=f"{self.file}#{self.pointer}", field=field)


class _Object(dict[str, Any]):
    """An object whose members are found without case; `spelled` has them as written."""

    def __init__(self, spelled: dict[str, Any]) -> None:
        super().__init__()
        self.spelled = spelled
        for name, value in spelled.items():
            self.setdefault(name.casefold(), value)

    def member(self, *names: str) -> Any:
        """The first of these members that is there and not null."""
        for name in names:
            value = self.get(name.casefold())
            if value is not None:
                return value
        return None

    def text(self, *names: str) -> str:
        """The same as text; empty where it is none."""
        return _text(self.member(*names)).strip()


def _object(pairs: Sequence[tuple[str, Any]]) -> _Object:
    spelled: dict[str, Any] = {}
    for name, value in pairs:
        for text in (name, *(value if isinstance(value, list) else (value,))):
            if isinstance(text, str):
                text.encode()  # half a character, which JSON can write, is a ValueError
        if name in spelled and spelled[name] != value:
            raise ValueError(f"`{name[:80]}` stands twice in one object, with two values")
        spelled[name] = value
    return _Object(spelled)


def _plain(value: Any) -> Any:
    """A part of the file as it was written."""
    if isinstance(value, _Object):
        return {name: _plain(part) for name, part in value.spelled.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _templates(
    value: Any, at: _At, row: _Object | None = None, depth: int = 0
) -> Iterator[Template]:
    """Any part of a file that may hold maps; `row` is the table row it was stored in."""
    if depth > _DEEPEST:
        raise _broken(at.file, "maps inside of maps")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _templates(item, at / index, row, depth + 1)
        return
    if not isinstance(value, _Object):
        return
    for member in ("msdyn_mapping", "msdyn_unsecure"):
        if value.member(member) is not None:
            inner = _nested(value.member(member), at / member)
            yield from _templates(inner, at / member, value, depth + 1)
            return
    if isinstance(value.member("legs"), list):
        yield from _map(value, at, row or _Object({}))
    elif isinstance(value.member("FieldMappings"), list):
        yield replace(_Leg(value, at, row or _Object({})).template(), running=True)
    else:
        for member in ("value", "entityMappingTasks"):
            yield from _templates(value.member(member), at / member, row or value, depth + 1)


def _map(value: _Object, at: _At, row: _Object) -> list[Template]:
    legs = [
        _Leg(leg, at / "legs" / index, row).template()
        for index, leg in enumerate(value.member("legs"))
        if isinstance(leg, _Object)
    ]
    made = _joined(legs)
    extension = _plain(value.member(EXTENSION))
    if isinstance(extension, dict) and len(made) == 1:
        made = [replace(made[0], extension=extension)]
    return made


class _Leg:
    """Reads one leg, or the runtime configuration of one."""

    def __init__(self, leg: _Object, at: _At, row: _Object) -> None:
        self.leg = leg
        self.at = at
        self.row = row
        self.problems: list[Problem] = []
        self.turned = (
            leg.text("sourceEnvironmentType").casefold() in _DATAVERSE
            or leg.text("destinationEnvironmentType").casefold() in _COMMERCE
        )
        """Dataverse is the source."""

    def template(self) -> Template:
        leg, row = self.leg, self.row
        tables = (
            leg.text("sourceSchema", "SourceEntityName"),
            leg.text("destinationSchema", "DestinationEntityName"),
        )
        filters = (leg.text("sourceFilter"), leg.text("reversedSourceFilter"))
        commerce, dataverse = reversed(tables) if self.turned else tables
        commerce_filter, dataverse_filter = reversed(filters) if self.turned else filters
        return Template(
            commerce=commerce,
            dataverse=dataverse,
            rows=tuple(self._rows()),
            subject=self.at.subject(),
            commerce_filter=commerce_filter,
            dataverse_filter=dataverse_filter,
            version=_version(leg, row),
            saved=row.text("createdon", "modifiedon"),
            keys=_keys(row),
            problems=tuple(self.problems),
        )

    def _rows(self) -> Iterator[TemplateRow]:
        mappings = self.leg.member("fieldMappings")
        for index, mapping in enumerate(mappings if isinstance(mappings, list) else []):
            here = self.at / "fieldMappings" / index
            if not isinstance(mapping, _Object):
                self._left_out(here, "this is no field mapping", "remove it")
                continue
            row = self._row(mapping, here)
            if row is not None:
                yield row

    def _row(self, mapping: _Object, at: _At) -> TemplateRow | None:
        source, destination = mapping.text("sourceField"), mapping.text("destinationField")
        name = f"{source or 'none'} - {destination or 'none'}"
        word = mapping.text("syncDirection").casefold()
        way = _WAYS.get(word, _SIDED.get(word))
        if way is None:
            self._left_out(
                at,
                f"`{name}`: syncDirection {mapping.member('syncDirection')!r} is no direction",
                "write 1 (to the destination), 2 (to the source) or 3 (both)",
            )
            return None
        related = mapping.text("destinationLookupFieldRelatedEntity")
        if related and "." not in (source if self.turned else destination):
            self._left_out(
                at,
                f"`{name}` is a lookup in {related}, and does not say by which column",
                f"add the row by hand as `{destination}.COLUMN`",
            )
            return None
        transform = self._transforms(mapping.member("valueTransforms"), at, name)
        if transform is None:
            return None
        pairs, default = transform
        if self.turned and word in _SIDED:
            way = _TURNED[way]
        towards = Side.COMMERCE if self.turned else Side.DATAVERSE
        default_to = towards.other if way == "<" else towards
        if self.turned:
            source, destination, way = destination, source, _TURNED[way]
            pairs = tuple((right, left) for left, right in pairs)
        return TemplateRow(
            commerce=None if is_none(source) else source,
            way=way,
            dataverse=None if is_none(destination) else destination,
            pairs=pairs,
            default=default,
            default_to=default_to,
            marked=mapping.member("isSystemGenerated") is True,
            subject=at.subject(source or destination or None),
        )

    def _transforms(
        self, transforms: Any, at: _At, name: str
    ) -> tuple[tuple[tuple[str, str], ...], str | None] | None:
        """Pairs and default of a row; None, with a problem, where one is not understood."""
        pairs: list[tuple[str, str]] = []
        default: str | None = None
        for index, transform in enumerate(transforms if isinstance(transforms, list) else []):
            here = at / "valueTransforms" / index
            kind = transform.text("transformType") if isinstance(transform, _Object) else "?"
            if kind.casefold() not in ("valuemap", "default"):
                self._left_out(
                    here,
                    f"`{name}` has a transform of type {kind!r}",
                    "known are ValueMap and Default; add the row by hand",
                )
                return None
            table = _plain(transform.member("valueMap"))
            if isinstance(table, dict):
                pairs += [(_text(left), _text(right)) for left, right in table.items()]
            if transform.member("createValuesOnDestination") is True:
                self._noted(here, f"`{name}`: choices are not created on the destination")
            given = transform.member("defaultValue")
            default = _text(given) if given is not None else default
        return tuple(pairs), default

    def _left_out(self, at: _At, message: str, remedy: str) -> None:
        problem = Problem("import-row", message, remedy, at.subject(), exit_code=LEFT_OUT)
        self.problems.append(problem)

    def _noted(self, at: _At, message: str) -> None:
        remedy = "add the choices to the column, or to `values`, by hand"
        problem = Problem("import-note", message, remedy, at.subject(), "info", exit_code=0)
        self.problems.append(problem)


def _joined(templates: list[Template]) -> list[Template]:
    """Legs of one pair of tables are one map, where their filters agree."""
    pairs: dict[tuple[str, ...], list[Template]] = {}
    for one in templates:
        pair = (one.commerce, one.dataverse, one.commerce_filter, one.dataverse_filter)
        pairs.setdefault(pair, []).append(one)
    return [
        replace(
            legs[0],
            rows=tuple(row for leg in legs for row in leg.rows),
            problems=tuple(problem for leg in legs for problem in leg.problems),
        )
        for legs in pairs.values()
    ]


def _nested(value: Any, at: _At) -> Any:
    """A column that holds JSON as text."""
    if not isinstance(value, str):
        return value
    return _loaded(value, f"{at.file}#{at.pointer}")


def _loaded(text: str, file: str) -> Any:
    """Strict JSON: no member twice, no NaN, no half character, no endless depth."""
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise _broken(file, "it nests too deeply") from None
    except ValueError as error:
        raise _broken(file, str(error)) from error
    level = [data]
    for _ in range(_MOST_LEVELS):
        level = [
            part
            for value in level
            if isinstance(value, (dict, list))
            for part in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return data
    raise _broken(file, f"it nests deeper than {_MOST_LEVELS} levels")


def _version(leg: _Object, row: _Object) -> str | None:
    """Of the row, of a runtime configuration, or of the project's template."""
    written = row.text("msdyn_version")
    if written:
        return written
    identifier = row.member("templateIdentifier")
    holder = identifier if isinstance(identifier, _Object) else leg
    parts = holder.member("EntityMapVersion", "version")
    if not isinstance(parts, _Object):
        return None
    return ".".join(parts.text(part) or "0" for part in ("major", "minor", "build", "revision"))


def _keys(row: _Object) -> tuple[str, ...]:
    """The integration key in `msdyn_properties`; a broken one is as good as none."""
    try:
        properties = _nested(row.member("msdyn_properties") or None, _At(""))
    except MapError:
        return ()
    written = properties.member("IntegrationKey") if isinstance(properties, _Object) else None
    names = written if isinstance(written, list) else str(written or "").split(",")
    return tuple(_text(name).strip() for name in names if _text(name).strip())


def _text(value: Any) -> str:
    """A JSON scalar as text; anything else as none."""
    if isinstance(value, bool):
        return "True" if value else "False"
    return str(value) if isinstance(value, (str, int, float)) else ""


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _broken(file: str, cause: str) -> MapError:
    return MapError(
        "import-broken",
        "the file cannot be taken apart",
        subject=Subject(file=file),
        cause=cause[:300],
        remedy="export it again; nothing was written",
    )
