"""`dualwrite sandbox`: local stand-ins for the remote systems, until it is stopped.

Owns: the options, and the one line that says it is ready.
Never does: serving; connector/sandbox does.
Tested in: tests/integration/test_sandbox_command.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.options import Options, with_options
from connector.cli.output import emit, say

app = typer.Typer(add_completion=False)


@app.command()
@with_options
def sandbox(
    options: Options,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8443,
    folder: Annotated[
        Path, typer.Option("--dir", help="Folder for its data, its CA and its secret.")
    ] = Path("var/sandbox"),
) -> None:
    """Start local stand-ins for the remote systems.

    Prints one JSON line when they are ready, and serves until SIGINT or SIGTERM.
    """
    from connector.sandbox.run import run

    def ready(where: dict[str, Any]) -> None:
        emit(where)
        if not options.json:
            say(f"The sandbox keeps its data in {folder}. Stop it with Ctrl+C.")

    run(folder, port, ready)
