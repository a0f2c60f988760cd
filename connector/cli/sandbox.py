"""`dualwrite sandbox`: local stand-ins for the remote systems, until it is stopped.

Owns: the options, and the lines that say it is ready.
Never does: serving; connector/sandbox does.
Tested in: tests/integration/test_sandbox_command.py.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.options import Options, with_options
from connector.cli.output import emit, say

app = typer.Typer(add_completion=False)

LIMITS = "Service protection (each number replaces the profile's; 0 is none)"


class Profile(StrEnum):
    """Whose limits: those of the service, or none."""

    FAST = "fast"
    REAL = "real"


def _limit(text: str, minimum: float = 0) -> Any:
    return typer.Option(min=minimum, help=text, show_default=False, rich_help_panel=LIMITS)


_PortOption = Annotated[
    int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
]
_FinopsPortOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="Port of the Finance and Operations stand-in; the next one to --port.",
        show_default=False,
    ),
]
_DirOption = Annotated[
    Path, typer.Option("--dir", help="Folder for its data, its CA and its secrets.")
]
_EmptyOption = Annotated[
    bool, typer.Option("--empty", help="A new organization without loyalty tables.")
]
_CaOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="PEM file with the CA of https receivers of webhooks.",
        show_default=False,
    ),
]
_ProfileOption = Annotated[
    Profile,
    typer.Option(
        help="fast: no limits, no delay. real: 6,000 requests, 1,200 s of execution time and "
        "52 at a time in 300 s; 200 ms and 3 ms per written row.",
        rich_help_panel=LIMITS,
    ),
]


@app.command()
@with_options
def sandbox(  # noqa: PLR0913, PLR0917  each parameter is an option of the command
    options: Options,
    port: _PortOption = 8443,
    finops_port: _FinopsPortOption = None,
    folder: _DirOption = Path("var/sandbox"),
    empty: _EmptyOption = False,
    webhook_ca: _CaOption = None,
    profile: _ProfileOption = Profile.FAST,
    requests: Annotated[int | None, _limit("Requests per window.")] = None,
    execution_seconds: Annotated[float | None, _limit("Execution time per window.")] = None,
    concurrency: Annotated[int | None, _limit("Requests at a time.")] = None,
    window: Annotated[float | None, _limit("Seconds of the sliding window.", 1)] = None,
    servers: Annotated[int | None, _limit("Web servers, each with limits of its own.", 1)] = None,
    latency_ms: Annotated[float | None, _limit("Execution time of a request …")] = None,
    row_ms: Annotated[float | None, _limit("… and of each row it writes …")] = None,
    read_row_ms: Annotated[float | None, _limit("… or reads.")] = None,
    dop_hint: Annotated[int | None, _limit("What x-ms-dop-hint recommends.", 1)] = None,
) -> None:
    """Start local stand-ins for Dataverse and for Finance and Operations.

    They serve over TLS on 127.0.0.1 until SIGINT or SIGTERM, each on a port of its
    own, and print one JSON line when they are ready: addresses, client id and
    secret, the file with the CA. Their data stays in the folder. A browser shows
    what an agent would see at https://127.0.0.1:8443/crm (the line's "crm"), and
    the cards of the commerce side at https://127.0.0.1:8444/commerce.

    Tests change its behaviour while it runs, by POST to /sandbox/...: faults,
    limits, lost webhooks, lossy columns. docs/sandbox.md lists all of it.

    Limits like those of the service, in half a minute instead of five:
    dualwrite sandbox --profile real --window 30 --execution-seconds 120
    """
    from connector.sandbox.dataverse.limits import limits_of
    from connector.sandbox.run import run

    numbers = {
        "requests": requests,
        "seconds": execution_seconds,
        "concurrent": concurrency,
        "window": window,
        "servers": servers,
        "latency_ms": latency_ms,
        "row_ms": row_ms,
        "read_row_ms": read_row_ms,
        "dop": dop_hint,
    }
    given = {name: number for name, number in numbers.items() if number is not None}

    def ready(where: dict[str, Any]) -> None:
        emit(where)
        if not options.json:
            say(f"The sandbox keeps its data in {folder}. Stop it with Ctrl+C.")

    run(
        folder,
        port,
        ready,
        finops_port=finops_port,
        samples=not empty,
        limits=limits_of(profile.value, given),
        webhook_ca=webhook_ca,
        empty=empty,
    )
