"""The JSON Schema of the config file, for editors.

Owns: telling each key by the docstring under its attribute.
Never does: being imported by a command that only reads the config: pydantic can do the same while
it makes the models, but that reads all their source files at each start.
Tested in: tests/unit/config/test_config_schema.py.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from connector.config.values import Section


def schema_of(root: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model whose tables are sections, with what each key means."""
    schema = root.model_json_schema()
    tables: dict[str, Any] = {root.__name__: schema, **schema.get("$defs", {})}
    for model in (root, *_sections(Section)):
        properties = tables.get(model.__name__, {}).get("properties", {})
        for ancestor in reversed(model.__mro__):
            if issubclass(ancestor, BaseModel) and ancestor.__module__.startswith("connector."):
                for name, text in _told(ancestor):
                    if name in properties:
                        properties[name]["description"] = text
    return schema


def _sections(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """All tables there are."""
    for model in base.__subclasses__():
        yield model
        yield from _sections(model)


def _told(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The attributes of a class that a docstring stands under."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    for attribute, below in pairwise(tree.body):
        match attribute, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)
