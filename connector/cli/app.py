"""The command `dualwrite`: finds the command asked for, runs it, and answers for its outcome.

Owns: the table of commands, and how any ending becomes a message and an exit code.
Never does: importing a command that was not asked for, so that the program starts at once.
Tested in: tests/unit/cli/test_app.py.
"""

from __future__ import annotations

import copy
import gc
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import typer
from typer.core import TyperGroup

import connector
from connector.cli import output
from connector.cli.options import Options, with_options
from connector.cli.signals import exit_on_sigterm
from connector.errors import DualWriteError, FatalError, UsageError


class Row(NamedTuple):
    """One command or group: its name, the module whose `app` it is, and its line of help.

    The module's `app` is a `typer.Typer(add_completion=False)`, with one command or several.
    """

    name: str
    module: str
    help: str


COMMANDS = (
    Row("init", "connector.cli.init", "Write config and maps for a new project."),
    Row("check", "connector.cli.check", "Find every problem of config, maps and connections."),
    Row("provision", "connector.cli.provision", "Make the Dataverse tables the maps need."),
    Row("load", "connector.cli.load", "Bring both sides together for the first time."),
    Row("plan", "connector.cli.plan", "Show what the next run would write; changes nothing."),
    Row("sync", "connector.cli.sync", "Carry the changes of both sides across."),
    Row("serve", "connector.cli.serve", "Carry changes across as they happen."),
    Row("verify", "connector.cli.verify", "Compare everything both sides hold."),
    Row("status", "connector.cli.status", "Show where each map stands."),
    Row("maps", "connector.cli.maps", "List, show, pause and resume maps."),
    Row("conflicts", "connector.cli.conflicts", "List and decide conflicts."),
    Row("failures", "connector.cli.failures", "List records that were set aside, and retry."),
    Row("history", "connector.cli.history", "Tell everything that happened to one record."),
    Row("runs", "connector.cli.runs", "List and show past runs, and take one back."),
    Row("forget", "connector.cli.forget", "Remove a person's data from the sync state."),
    Row("state", "connector.cli.state", "Move the sync state, or a side of it."),
    Row("demo", "connector.cli.demo.story", "Play the whole story on this machine."),
    Row("sandbox", "connector.cli.sandbox", "Start local stand-ins for the remote systems."),
    Row("ledger", "connector.cli.ledger.group", "Work with the embedded commerce ledger."),
    Row("schema", "connector.cli.schema", "Print the JSON Schema of maps or of the config."),
)


class LazyGroup(TyperGroup):
    """Replaces a command's place holder by the real one when it is about to run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command named by the first argument, imported now."""
        for row in COMMANDS:
            if row.name == args[0]:
                module = importlib.import_module(row.module)
                self.add_command(built(module.app, args[1:]), row.name)
        return super().resolve_command(ctx, args)


def built(app: typer.Typer, words: Sequence[str]) -> Any:
    """The command or group of a module; of a group only the member that the first word names.

    Typer reads the signatures of all members, and the ledger has more than fifty. A word that
    names none gets the whole group, which says what there is.
    """
    members = [*app.registered_commands, *app.registered_groups]
    if len(members) == 1:
        return typer.main.get_command(app)
    alone = copy.copy(app)
    alone.registered_commands = [one for one in app.registered_commands if _is(one, words)]
    alone.registered_groups = [one for one in app.registered_groups if _is(one, words)]
    found = alone.registered_commands or alone.registered_groups
    return typer.main.get_group(alone if found else app)


def _is(member: Any, words: Sequence[str]) -> bool:
    """Whether a command or group is the one that was asked for."""
    name = member.name or typer.main.get_command_name(member.callback.__name__)
    return name in words[:1]


app = typer.Typer(
    name="dualwrite",
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
@with_options
def root(options: Options) -> None:
    """Keep loyalty cards and reward points equal in a commerce system and Dataverse."""


def _place_holder() -> None:
    """Stands in the list of commands; `LazyGroup` replaces it before it could be called."""
    raise AssertionError("a place holder was called")


for _row in COMMANDS:
    app.command(_row.name, help=_row.help)(_place_holder)


def main() -> NoReturn:
    """The console script."""
    exit_on_sigterm()
    # Imports make half a million objects and hardly a cycle: looking for one takes a sixth of a
    # short command.
    gc.set_threshold(100_000, 50, 100)
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code.

    Every error has been shown when this returns. The flags are looked up in the words
    themselves, because a line that cannot be parsed may still ask for JSON.
    """
    words = list(args) or ["--help"]
    as_json, debug = "--json" in words, "--debug" in words
    try:
        result = app(args=words, prog_name="dualwrite", standalone_mode=False)
    except DualWriteError as error:
        if debug:
            traceback.print_exc()
        output.show_error(error, as_json=as_json)
        return error.exit_code
    except typer.TyperException as error:
        output.show_error(_usage(error), as_json=as_json)
        return UsageError.exit_code
    except typer.Abort:
        return 130
    except Exception as error:  # noqa: BLE001  the last resort of the whole program
        output.show_error(_unexpected(error, debug=debug), as_json=as_json)
        return FatalError.exit_code
    return result if isinstance(result, int) else 0


def _usage(error: typer.TyperException) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "dualwrite"
    return UsageError("usage", error.format_message(), remedy=f"see `{command} --help`")


def _unexpected(error: Exception, *, debug: bool) -> FatalError:
    """An error nobody foresaw, without its text, which may hold anything; that goes to a file."""
    import tempfile  # nobody foresaw it: no command waits for this import

    trace = "".join(traceback.format_exception(error))
    if debug:
        sys.stderr.write(trace)
        remedy = "report the traceback above with what you did"
    else:
        handle, path = tempfile.mkstemp(prefix="dualwrite-", suffix=".log", text=True)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(trace)
        remedy = f"report {path} with what you did; only this user may read it"
    ours = Path(connector.__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    last = [frame for frame in frames if Path(frame.filename).is_relative_to(ours)][-1]
    place = f"{Path(last.filename).relative_to(ours.parent)}:{last.lineno}"
    return FatalError("unexpected", f"{type(error).__name__} at {place}", remedy=remedy)
