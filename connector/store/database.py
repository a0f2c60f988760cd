"""One open database: its two connections, its transactions, its hot statements.

Owns: how statements reach the driver, and the one place where a driver's error becomes ours.
Never does: knowing a table.
Tested in: tests/contract/store/, tests/unit/store/test_opening.py.

Every noun builds its statements once, when the store is opened, and keeps them: what varies is a
`bindparam`. To build one anew costs three to five times as much as to run it, and Core finds the
compiled form of one it has seen at once. In an UPDATE the parameter of a condition is `b_NAME`:
the plain name of a column stands for the value it is set to.

Why hot statements bypass Core at run time: they are written in Core like all
others, but compiled once into the database's SQL, and then run by `exec_driver_sql` with plain
tuples. Core's own executemany costs about as much per row as SQLite does, because it turns each
row's dictionary into a tuple of processed values; at a thousand rows per page that halves the
speed of the store and buys nothing, since every column here is already text or a number.
Queries gain nothing from it: Core keeps what it knows of their columns, the driver's cursor does
not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from connector.store.dialect import Dialect
from connector.store.schema import SAME

Params: TypeAlias = tuple[Any, ...]


class Hot:
    """A Core statement compiled once; its parameters are tuples in the order of `names`."""

    __slots__ = ("names", "sql")

    def __init__(self, statement: sa.ClauseElement, dialect: sa.Dialect) -> None:
        # The names of an INSERT come from its values: without them Core would name all columns.
        compiled: Any = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self.names: tuple[str, ...] = tuple(compiled.positiontup)


class Database:
    """Two connections: one reads the last commit statement by statement, one writes."""

    def __init__(self, engine: sa.Engine, dialect: Dialect) -> None:
        self.dialect = dialect
        self._engine = engine
        self._reader = self._connected_reader()
        self._writer = engine.connect()

    def _connected_reader(self) -> sa.Connection:
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _reading(self) -> sa.Connection:
        """The reader; a new one after the server went away, as the old one forgot its options.

        The old one is kept as a sign of that until there is another.
        """
        if self._reader.invalidated:
            lost, self._reader = self._reader, self._connected_reader()
            lost.close()
        return self._reader

    def hot(self, statement: sa.ClauseElement, *names: str) -> Hot:
        """`statement` compiled, its parameters in exactly this order."""
        hot = Hot(statement, self._engine.dialect)
        assert hot.names == names, f"{hot.names} are the parameters of {hot.sql}"
        return hot

    def rows(self, query: sa.Executable, /, **values: Any) -> Sequence[Any]:
        """All rows of a query with these parameters, by position or name."""
        with explained(self.dialect):
            return self._reading().execute(query, values).fetchall()

    def row(self, query: sa.Executable, /, **values: Any) -> Any:
        """The first row of a query with these parameters, None if there is none."""
        with explained(self.dialect):
            return self._reading().execute(query, values).first()

    def scalar(self, query: sa.Executable, /, **values: Any) -> Any:
        """The first value of a query with these parameters, None if there is none."""
        with explained(self.dialect):
            return self._reading().execute(query, values).scalar()

    def upsert(self, table: sa.Table, *without: str) -> Any:
        """An INSERT of all columns but some, which replaces the row with the same primary key."""
        names = [column.name for column in table.columns if column.name not in without]
        key = [column.name for column in table.primary_key.columns]
        insert = self.dialect.insert(table).values(bound(names))
        new = {name: insert.excluded[name] for name in names if name not in key}
        return insert.on_conflict_do_update(index_elements=key, set_=new)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """The writer inside a transaction: committed at the end, rolled back by any exception."""
        with explained(self.dialect), self._writer.begin():
            self.dialect.begin(self._writer)
            yield self._writer

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A connection that sees one moment, whatever is committed meanwhile."""
        with explained(self.dialect), self._connected_reader() as connection:
            self.dialect.still(connection)
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")

    def close(self) -> None:
        """Release the connections."""
        self._reader.close()
        self._writer.close()
        self._engine.dispose()


def bound(names: Sequence[str]) -> dict[str, sa.BindParameter[Any]]:
    """The values of an INSERT or UPDATE: each column from the parameter of its name."""
    return {name: sa.bindparam(name) for name in names}


def word(value: str) -> sa.ColumnElement[str]:
    """One of our own words, written into the statement: a hot one has no constants."""
    assert value.isalpha() or value == SAME, value
    return sa.literal_column(f"'{value}'", sa.Text())


def run(connection: sa.Connection, hot: Hot, rows: Sequence[Params]) -> int:
    """Run a hot statement for every tuple; how many database rows it touched."""
    if not rows:
        return 0
    return connection.exec_driver_sql(hot.sql, list(rows)).rowcount


@contextmanager
def explained(dialect: Dialect) -> Iterator[None]:
    """Turn a driver's error into ours."""
    try:
        yield
    except DBAPIError as error:
        raise dialect.explained(error) from error
