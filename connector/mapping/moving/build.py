"""Templates become maps: what is known is filled in, what cannot be said is listed.

Owns: when an imported map is a map, and what is said of every row that is not part of it.
Never does: reading or writing files; dropping anything without a problem that names it.
Tested in: tests/unit/mapping/moving/test_import.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from connector.errors import MapError, Problem, Subject
from connector.mapping.document import FieldRow, MapDocument, Mode, parse_document
from connector.mapping.moving.draft import (
    DOUBLED,
    Draft,
    NotExpressible,
    draft_map,
    draft_row,
    slug,
)
from connector.mapping.moving.extension import applied, read_extension
from connector.mapping.moving.knowledge import company_row, fill_in, key_columns, name_tables
from connector.mapping.moving.known import KnownEntity
from connector.mapping.moving.several import gathered, groups_of
from connector.mapping.moving.template import LEFT_OUT, Template
from connector.mapping.moving.yaml_text import yaml_text

_SHOWN = ("version", "master", "conflict", "deletes")
"""Keys that are written out with their defaults."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person who imports adds to the file."""

    commerce_entity: str | None = None
    dataverse_entity: str | None = None
    keys: tuple[str, ...] = ()
    """Column names of either side."""


@dataclass(frozen=True, slots=True)
class ImportedMap:
    """One map of a file; `document` and `yaml` are None where it is none."""

    name: str
    template: Template
    document: MapDocument | None = None
    yaml: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything was carried over."""
        return self.document is not None and not any(p.exit_code for p in self.problems)


class _Row(NamedTuple):
    """A row, or None with the comment that stands in its place."""

    draft: Draft | None
    comment: str = ""
    subject: Subject | None = None


Asked: TypeAlias = Callable[[str, KnownEntity | None], KnownEntity | None]
"""What a live system says of an entity set, beside what is known of it anyhow."""


def _nobody(_entity: str, known: KnownEntity | None) -> KnownEntity | None:
    return known


_GATHERED = _Row(None)
"""Stands for a row that has become part of another one."""


@dataclass(slots=True)
class _Building:
    template: Template
    wishes: Wishes
    name: str | None = None
    ask: Asked = _nobody
    problems: list[Problem] = field(default_factory=list)

    def run(self) -> ImportedMap:
        head, problems = draft_map(self.template)
        self.problems += [*self.template.problems, *problems]
        rows = self._rows()
        drafts = [row.draft for row in rows if row.draft is not None]
        extension = read_extension(self.template.extension)
        if extension is not None:
            drafts, stale = applied(extension, head, drafts, self.template.subject)
            self.problems += stale
            rows = _placed(rows, drafts)
            if not _has_ends(head):
                return self._none("x-dualwrite leaves the map without its tables")
            self._tables(head, confirmed=True)
            if self.wishes.keys:
                for draft in drafts:
                    draft.pop("key", None)
                self._keys(drafts, ())
        else:
            if self.template.extension is not None:
                self._error(
                    "import-extension-stale",
                    "`x-dualwrite` is none of ours, or of another version: it is left aside",
                    "look at the written map: what dual-write has no word for has its default",
                )
            known = name_tables(head)
            known = self.ask(self.wishes.commerce_entity or head["commerce"]["entity"], known)
            self._tables(head, confirmed=known is not None)
            self._keys(drafts, key_columns(known))
            fill_in(drafts, known)
            company = company_row(drafts, known)
            if company is not None and drafts:
                rows.append(_Row(company))
                if company["sync"] != "<":
                    head["dataverse"]["owner"] = {"company": "default"}
                self._error(
                    "import-note",
                    f"rows of {head['commerce']['entity']} belong to a company, which becomes part "
                    "of the key and whose team owns them",
                    "see to it that the lookup to cdm_companies has this name in Dataverse",
                    "info",
                )
        return self._made(head, self._checked(rows))

    # ------------------------------------------------------------------ parts

    def _rows(self) -> list[_Row]:
        rows: list[_Row] = []
        for row in self.template.rows:
            try:
                draft, notes = draft_row(row)
                self.problems += notes
                rows.append(_Row(draft, subject=row.subject))
            except NotExpressible as error:
                self.problems.append(error.problem)
                rows.append(_Row(None, error.problem.message))
        for first, *others in groups_of([row.draft for row in rows]):
            drafts = [row.draft for row in (rows[place] for place in (first, *others)) if row.draft]
            rows[first] = _Row(gathered(drafts), subject=rows[first].subject)
            for place in others:
                rows[place] = _GATHERED
        rows = [row for row in rows if row is not _GATHERED]
        unread = [p for p in self.template.problems if p.exit_code]
        return [*rows, *(_Row(None, problem.message) for problem in unread)]

    def _tables(self, head: Draft, *, confirmed: bool) -> None:
        """Both ends have an entity set name, or a problem says what to type."""
        for side, wish in (
            ("commerce", self.wishes.commerce_entity),
            ("dataverse", self.wishes.dataverse_entity),
        ):
            if wish is not None:
                head[side]["entity"] = wish
                continue
            written = head[side]["entity"]
            if written.isidentifier():
                if side == "commerce" and not confirmed:
                    self._error(
                        "import-entity-unconfirmed",
                        f"`{written}` is taken for an entity set name",
                        "`dualwrite check` tells whether it is one; else --commerce-entity NAME",
                        "warning",
                    )
                continue
            what = f"`{written}` is a label, not" if written else "the file does not give"
            self._error(
                "import-entity-unknown",
                f"{what} an entity set name of {side}",
                f"give it with --{side}-entity NAME",
            )

    def _keys(self, drafts: Sequence[Draft], known: Sequence[str]) -> None:
        """Mark the key: as wished, as the file says, as is known, or as the system marked it."""
        marked = [row.commerce for row in self.template.rows if row.marked and row.commerce]
        plain = [d for d in drafts if {"commerce", "sync", "dataverse"} <= set(d)]
        choices: tuple[tuple[Sequence[str], bool], ...] = (
            (self.wishes.keys, True),
            (self.template.keys, True),
            (known, False),
            (marked, False),
        )
        for names, binding in choices:
            fitting = [d for d in plain if _names(d) & {name.casefold() for name in names}]
            usable = [
                d for d in fitting if str(d["sync"]) in DOUBLED and "." not in str(d["dataverse"])
            ]
            if not usable and not (binding and names):
                continue
            missing = [n for n in names if not any(n.casefold() in _names(d) for d in usable)]
            if binding and missing:
                self._error(
                    "import-key",
                    f"the key has {', '.join(missing)}, which is no plain column of the map",
                    "name plain columns with --key COLUMN",
                )
            for draft in usable:
                draft["key"] = True
            return
        self._error(
            "import-key",
            "nothing says which columns pair the records",
            "name them with --key COLUMN",
        )

    def _checked(self, rows: Sequence[_Row]) -> list[_Row]:
        """Each row by itself is one of the map language, and names columns no other row has."""
        checked: list[_Row] = []
        seen: set[str] = set()
        for row in rows:
            wrong = "" if row.draft is None else _why_not(row.draft, seen)
            if row.draft is None or not wrong:
                checked.append(row)
                continue
            told = f"`{row.draft.get('commerce', 'none')} {row.draft.get('sync')} "
            told += f"{row.draft.get('dataverse', 'none')}` is left out: {wrong}"
            self.problems.append(
                Problem(
                    "import-row",
                    told,
                    "map this column otherwise, or add a row by hand; docs/maps.md",
                    row.subject or self.template.subject,
                    exit_code=LEFT_OUT,
                )
            )
            checked.append(_Row(None, told))
        return checked

    def _made(self, head: Draft, rows: Sequence[_Row]) -> ImportedMap:
        name = head["map"] = self.name or str(head["map"])
        self.problems = [replace(p, subject=replace(p.subject, map=name)) for p in self.problems]
        blocked = {"import-entity-unknown", "import-filter", "import-key"}
        if any(p.code in blocked for p in self.problems):
            return ImportedMap(name, self.template, problems=tuple(self.problems))
        try:
            text = _text(head, rows)
            document = parse_document(text, f"{name}.yaml")
        except (MapError, ValidationError) as error:
            return self._none(
                error.message if isinstance(error, MapError) else str(error).splitlines()[0]
            )
        return ImportedMap(name, self.template, document, text, tuple(self.problems))

    def _none(self, why: str) -> ImportedMap:
        self._error(
            "import-map",
            f"the rows do not make a map: {why}",
            "change the map in dual-write, or write it by hand; docs/maps.md",
        )
        name = self.name or slug(self.template.commerce)
        return ImportedMap(name, self.template, problems=tuple(self.problems))

    def _error(self, code: str, message: str, remedy: str, severity: str = "error") -> None:
        exit_code = LEFT_OUT if severity == "error" else 0
        self.problems.append(
            Problem(code, message, remedy, self.template.subject, severity, exit_code)
        )


def build(
    template: Template,
    wishes: Wishes = Wishes(),
    name: str | None = None,
    ask: Asked = _nobody,
) -> ImportedMap:
    """The map of one template; `name` is what it is called instead of after its table."""
    return _Building(template, wishes, name, ask).run()


def _text(head: Draft, rows: Sequence[_Row]) -> str:
    """The policies dual-write has no word for are written out: a reader should see them."""
    names = ("version",) if head.get("mode") == Mode.APPEND else _SHOWN
    shown = {name: to_jsonable_python(MapDocument.model_fields[name].default) for name in names}
    body: list[tuple[list[str], dict[str, Any]]] = []
    for row in rows:
        comments = [f"not carried over: {row.comment}"] if row.comment else []
        body.append((comments, _ordered(row.draft) if row.draft is not None else {}))
    return yaml_text({**shown, **head}, body)


def _ordered(draft: Draft) -> dict[str, Any]:
    """Keys in the order of the map language."""
    order = list(FieldRow.model_fields)
    known = sorted((key for key in draft if key in order), key=order.index)
    return {key: draft[key] for key in [*known, *(key for key in draft if key not in order)]}


def _has_ends(head: Draft) -> bool:
    """Whether an extension has left what every map has."""
    ends = (head.get(side) for side in ("commerce", "dataverse"))
    named = all(isinstance(end, dict) and isinstance(end.get("entity"), str) for end in ends)
    return named and isinstance(head.get("map"), str)


def _placed(rows: Sequence[_Row], drafts: Sequence[Draft]) -> list[_Row]:
    """The rows after an extension added some: comments stay behind the row they followed."""
    made: list[_Row] = []
    rest = list(drafts)
    for row in rows:
        if row.draft is None:
            made.append(row)
            continue
        while rest and rest[0] is not row.draft:
            made.append(_Row(rest.pop(0)))
        if rest:
            rest.pop(0)
            made.append(row)
    return [*made, *(_Row(draft) for draft in rest)]


def _names(draft: Draft) -> set[str]:
    return {str(draft[side]).casefold() for side in ("commerce", "dataverse") if side in draft}


def _why_not(draft: Draft, seen: set[str]) -> str:
    """Why a row is none of the map language; empty, and its columns noted, where it is one."""
    try:
        FieldRow.model_validate(draft)
    except ValidationError as error:
        return _first_message(error)
    columns = {
        f"{side} {str(draft[side]).partition('.')[0].casefold()}"
        for side in ("commerce", "dataverse")
        if isinstance(draft.get(side), str)
    }
    twice = sorted(columns & seen)
    if twice:
        return f"{twice[0]} stands in another row already"
    seen |= columns
    return ""


def _first_message(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False)[0]
    if first["type"] == "string_pattern_mismatch":
        return f"`{first['input']}` is no column, and no lookup the map language has"
    place = ".".join(str(part) for part in first["loc"])
    text = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {text}" if place else text
