"""The options every command has: --config, --json, --debug, --version.

Owns: their names and help, and the value a command receives for them.
Never does: anything a single command wants for itself.
Tested in: tests/unit/cli/test_app.py.

A command takes them by its decorator, below the one that registers it:

    @app.command()
    @with_options
    def sync(options: Options, map_: MapOption = None) -> None: ...
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import connector
from connector.cli import output

if TYPE_CHECKING:
    from connector.settings import Settings

PANEL = "Options of every command"


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked of the program as a whole."""

    config: Path | None = None
    json: bool = False
    debug: bool = False

    def settings(self) -> Settings:
        """The settings of this run; raises ConfigError."""
        from connector.settings import load_settings

        return load_settings(self.config)

    def over(self, outer: Options | None) -> Options:
        """These options, completed by those given before the command's name."""
        if outer is None:
            return self
        return Options(
            self.config or outer.config, self.json or outer.json, self.debug or outer.debug
        )


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dualwrite {connector.__version__}")
        raise typer.Exit


_ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Config file; config/connector.toml when not given.",
        rich_help_panel=PANEL,
    ),
]
_JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object on stdout.", rich_help_panel=PANEL),
]
_DebugOption = Annotated[
    bool,
    typer.Option(
        "--debug", help="Log more, and show tracebacks, on stderr.", rich_help_panel=PANEL
    ),
]
_VersionOption = Annotated[
    bool,
    typer.Option(
        "--version",
        help="Print the version and stop.",
        is_eager=True,
        callback=_print_version,
        rich_help_panel=PANEL,
    ),
]

_SHARED = (
    ("config", _ConfigOption, None),
    ("json", _JsonOption, False),
    ("debug", _DebugOption, False),
    ("version", _VersionOption, False),
)


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; it receives them as its first argument, `options`.

    Typer reads a command's signature, so the options are added there, after the command's own
    parameters, and gathered into one `Options` before the command is called.
    """
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != "options"]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in _SHARED
    ]
    context = inspect.Parameter(
        "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )

    @functools.wraps(command)
    def called(context: typer.Context, **given: Any) -> None:
        config, json, debug, _ = (given.pop(name) for name, _, _ in _SHARED)
        options = Options(config, json, debug).over(context.find_root().obj)
        context.find_root().obj = options
        output.set_up_logging(debug=options.debug)
        command(options=options, **given)

    called.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[context, *own, *shared]
    )
    called.__annotations__ = {p.name: p.annotation for p in (context, *own, *shared)}
    return called
