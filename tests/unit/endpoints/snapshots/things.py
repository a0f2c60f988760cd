"""A table that is read page by page, as a system without a change feed has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connector.endpoints.base import Page, Row
from connector.endpoints.snapshots import Batch, Snapshots, Table

COLUMNS = ("Name",)


@dataclass
class Shelf:
    """Rows by id, handed out in the order of ids; counts what was asked."""

    rows_by_id: dict[str, Row] = field(default_factory=dict)
    page: int = 3
    turned: Callable[[int], None] = lambda _number: None
    """Called after each page of a reading, with its number from 1 on."""
    hidden: set[str] = field(default_factory=set)
    """Ids that no reading of the whole table shows."""
    repeated: set[str] = field(default_factory=set)
    """Ids that a reading of the whole table shows twice."""
    read_ids: list[str] = field(default_factory=list)
    pages: int = 0
    folds: bool = False
    """Whether rows are found by their ids in any case."""

    def put(self, id: str, version: str, name: str | None = None) -> None:
        self.rows_by_id[id] = Row(id, version, (name if name is not None else version,))

    def remove(self, id: str) -> None:
        del self.rows_by_id[id]

    def rows(self, mark: str | None) -> Iterator[Batch]:
        for number, (rows, last) in enumerate(self._pages(mark), start=1):
            yield Batch(rows, None if last else rows[-1].id)
            self.turned(number)

    def versions(self) -> Iterator[Sequence[tuple[str, str]]]:
        for number, (rows, _last) in enumerate(self._pages(None), start=1):
            yield [(row.id, row.version or "") for row in rows]
            self.turned(number)

    def read(self, ids: Sequence[str]) -> Iterable[Row]:
        self.read_ids += ids
        if self.folds:
            wanted = {id.casefold() for id in ids}
            return [row for id, row in self.rows_by_id.items() if id.casefold() in wanted]
        return [self.rows_by_id[id] for id in ids if id in self.rows_by_id]

    def _pages(self, after: str | None) -> Iterator[tuple[list[Row], bool]]:
        last = False
        while not last:
            left = [id for id in sorted(self.rows_by_id) if after is None or id > after]
            left = [id for id in left if id not in self.hidden]
            ids, last = left[: self.page], len(left) <= self.page
            after = ids[-1] if ids else after
            twice = [id for id in ids if id in self.repeated]
            self.pages += 1
            yield [self.rows_by_id[id] for id in [*ids, *twice]], last


@dataclass
class Shop:
    """A shelf with snapshots of it."""

    folder: Path
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def snapshots(self) -> Snapshots:
        return Snapshots(self.folder, "https://shop.example")

    def table(self, columns: tuple[str, ...] = COLUMNS, entity: str = "Cards") -> Table[Shelf]:
        return Table(entity, columns, self.shelf)

    def scan(self, resume: str | None = None) -> list[Page]:
        return list(self.snapshots.scan(self.table(), resume))

    def scanned(self) -> str:
        """The position after a scan."""
        position = self.scan()[-1].position
        assert position is not None
        return position

    def changes(self, position: str) -> list[Page]:
        return list(self.snapshots.changes(self.table(), position))

    def generations(self) -> set[str]:
        return {path.name for path in self.folder.glob("*/*") if path.is_dir()}


def told(pages: Iterable[Page]) -> tuple[dict[str, str | None], list[str]]:
    """Versions of the rows by id, and ids of deletes, of all pages."""
    rows: dict[str, str | None] = {}
    deleted: list[str] = []
    for page in pages:
        rows.update({row.id: row.version for row in page.rows})
        deleted += page.deleted
    return rows, deleted


def after(pages: Sequence[Page]) -> str:
    """The position that the last page bears."""
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    position = pages[-1].position
    assert position is not None
    return position
