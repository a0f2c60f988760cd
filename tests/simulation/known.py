"""What the engine has made durable of what people left.

Owns: which images of each side are kept in the state, and which rows it knows to be a pair; from
then on it may not forget a value of them, nor bring a deleted one of them back.
Never does: judging; `verdict.py` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.mapping.values import Image, Side
from connector.store.record import Record


class Known:
    """Everything that was committed so far, by any process."""

    def __init__(self) -> None:
        self.images: dict[Side, dict[Image, None]] = {side: {} for side in Side}
        """Everything seen on a side, in the order in which it was."""
        self.pairs: dict[tuple[str, str], None] = {}
        """(commerce id, Dataverse id) of rows whose sides have agreed as one record."""
        self.adopted: dict[tuple[Side, str], None] = {}
        """Rows of ours that were seen for the first time as we had made them."""

    def durable(self, name: str, args: tuple[Any, ...]) -> None:
        """A change of the store has happened."""
        if name == "commit":
            for record in (*args[1].inserted, *args[1].updated):
                self._take(record)
        elif name == "adopt":
            side, rows = args[2], args[4]
            self.adopted.update(dict.fromkeys((side, row.id) for row in rows))

    def backup(self) -> Callable[[], None]:
        """Keep what is known now; what is returned forgets everything since."""
        images = {side: dict(seen) for side, seen in self.images.items()}
        pairs, adopted = dict(self.pairs), dict(self.adopted)

        def restore() -> None:
            self.images, self.pairs, self.adopted = images, pairs, adopted

        return restore

    def paired(self, side: Side, id: str, other: str) -> bool:
        """Whether these two rows are known to belong together."""
        pair = (id, other) if side is Side.COMMERCE else (other, id)
        return (
            pair in self.pairs or (side, id) in self.adopted or (side.other, other) in self.adopted
        )

    def _take(self, record: Record) -> None:
        commerce, dataverse = record.commerce, record.dataverse
        if commerce.image is not None:
            self.images[Side.COMMERCE][commerce.image] = None
        if dataverse.image is not None:
            self.images[Side.DATAVERSE][dataverse.image] = None
            agreed = commerce.agreed is not None and dataverse.agreed is not None
            if agreed and not record.unconfirmed and commerce.id and dataverse.id:
                self.pairs[commerce.id, dataverse.id] = None
