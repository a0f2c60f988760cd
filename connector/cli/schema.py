"""`dualwrite schema`: the JSON Schemas editors and scripts check maps and config with.

Owns: choosing which schema.
Never does: describing anything itself; the documents' own models do.
Tested in: tests/unit/cli/test_app.py.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.options import Options, with_options
from connector.cli.output import emit

if TYPE_CHECKING:
    from pydantic import BaseModel

app = typer.Typer(add_completion=False)


class Document(StrEnum):
    """The documents a person writes."""

    MAP = "map"
    OVERLAY = "overlay"
    TABLE = "table"
    REWARD = "reward"
    CART = "cart"
    CONFIG = "config"


@app.command()
@with_options
def schema(
    options: Options,  # noqa: ARG001  the answer is JSON with and without --json
    document: Annotated[Document, typer.Argument(help="Which document.")] = Document.MAP,
) -> None:
    """Print the JSON Schema of a document that people write."""
    if document is Document.CONFIG:
        from connector.config.schema import schema_of
        from connector.settings import Settings

        described = schema_of(Settings)
    else:
        described = _model(document).model_json_schema()
    emit({"$schema": "https://json-schema.org/draft/2020-12/schema", **described})


def _model(document: Document) -> type[BaseModel]:
    """What a document other than the config is read with."""
    model: type[BaseModel]
    if document is Document.MAP:
        from connector.mapping.document import MapDocument

        model = MapDocument
    elif document is Document.OVERLAY:
        from connector.mapping.overlay import MapOverlay

        model = MapOverlay
    elif document is Document.TABLE:
        from connector.mapping.tables.wanted import TableDefinition

        model = TableDefinition
    elif document is Document.REWARD:
        from connector.ledger.rewards.document import RewardDocument

        model = RewardDocument
    else:
        from connector.ledger.rewards.cart import Cart

        model = Cart
    return model
