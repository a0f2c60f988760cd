"""What the engine has made durable of what people left.

Owns: which images of each side are kept in the state, and which rows it knows to be a pair; from
then on it may not forget a value of them, nor bring a deleted one of them back.
Never does: judging; `verdict.py` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.engine.wars import UNDO
from connector.mapping.values import Image, Side, Value
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind


class Known:
    """Everything that was committed so far, by any process."""

    def __init__(self, names: Mapping[Side, Sequence[str]]) -> None:
        self.names = names
        """The columns of the map, in the order of images."""
        self.images: dict[Side, dict[Image, None]] = {side: {} for side in Side}
        """Everything seen on a side, in the order in which it was."""
        self.pairs: dict[tuple[str, str], None] = {}
        """(commerce id, Dataverse id) of rows whose sides have agreed as one record."""
        self.adopted: dict[tuple[Side, str], None] = {}
        """Rows of ours that were seen for the first time as we had made them."""
        self.settled: dict[tuple[Side, str], tuple[Image, Image]] = {}
        """(side, id): what a row was seen to hold, and what of it is agreed on, last of all."""
        self.intended: dict[str, None] = {}
        """Ids of creates whose rows were not seen yet."""
        self.stale: dict[str, None] = {}
        """Those of a state that went back to a backup: they may have been sent again since, with
        other values, and the row that came of it passes for the one that was intended then."""
        self.taken_back: dict[tuple[ChangeKind, Side, str | None], None] = {}
        """What an undo meant to do to which rows, whatever became of the state since."""

    def durable(self, name: str, args: tuple[Any, ...]) -> None:
        """A change of the store has happened."""
        if name == "commit":
            for record in (*args[1].inserted, *args[1].updated):
                self._take(record)
            undone = [c for c in args[1].changes if (c.detail or "").startswith(UNDO)]
            self.taken_back.update(dict.fromkeys((c.kind, c.side, c.target) for c in undone))
        elif name == "adopt":
            side, rows = args[2], args[4]
            self.adopted.update(dict.fromkeys((side, row.id) for row in rows))
            self.settled.update({(side, row.id): (row.image, row.image) for row in rows})

    def backup(self) -> Callable[[], None]:
        """Keep what is known now; what is returned forgets everything since."""
        images = {side: dict(seen) for side, seen in self.images.items()}
        pairs, adopted, intended = dict(self.pairs), dict(self.adopted), dict(self.intended)
        settled = dict(self.settled)

        def restore() -> None:
            self.images, self.pairs, self.adopted = images, pairs, adopted
            self.intended, self.settled = intended, settled
            self.stale |= intended

        return restore

    def agreed(self, side: Side, id: str) -> dict[str, Value]:
        """The values of a row, by column, that both sides agree on as far as is known."""
        image, agreed = self.settled.get((side, id), ((), ()))
        triples = zip(self.names[side], image, agreed, strict=False)
        return {name: seen for name, seen, half in triples if seen == half}

    def paired(self, side: Side, id: str, other: str) -> bool:
        """Whether these two rows are known to belong together."""
        pair = (id, other) if side is Side.COMMERCE else (other, id)
        return (
            pair in self.pairs or (side, id) in self.adopted or (side.other, other) in self.adopted
        )

    def _take(self, record: Record) -> None:
        commerce, dataverse = record.commerce, record.dataverse
        for side, state in ((Side.COMMERCE, commerce), (Side.DATAVERSE, dataverse)):
            present = state.presence is Presence.PRESENT
            if present and state.image is not None and state.agreed is not None:
                self.settled[side, state.id or ""] = (state.image, state.agreed)
            else:
                self.settled.pop((side, state.id or ""), None)
        if record.unconfirmed:
            created = commerce.id if commerce.image is None else dataverse.id
            self.intended[created or ""] = None
        if commerce.image is not None:
            self.images[Side.COMMERCE][commerce.image] = None
        if dataverse.image is not None:
            self.images[Side.DATAVERSE][dataverse.image] = None
            agreed = commerce.agreed is not None and dataverse.agreed is not None
            if agreed and not record.unconfirmed and commerce.id and dataverse.id:
                self.pairs[commerce.id, dataverse.id] = None
