"""The program as a whole: endings and their exit codes, the shared options, start-up."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer

from connector.cli import app as program
from connector.cli import output
from connector.cli.options import Options, with_options
from connector.cli.signals import stop_in_good_order
from connector.errors import (
    AccessError,
    ConfigError,
    DualWriteError,
    LeaseHeldError,
    RecordError,
    StateError,
    Subject,
    UnreachableError,
)

Capture = pytest.CaptureFixture[str]
Register = Callable[[Callable[..., None]], None]
SECRET = "4000123412341234"


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    """Put one command named `probe` into the program's table."""
    module = types.ModuleType("probe_command")
    module.app = typer.Typer(add_completion=False)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    row = program.Row("probe", module.__name__, "A command of the tests.")
    monkeypatch.setattr(program, "COMMANDS", (*program.COMMANDS, row))
    registered = list(program.app.registered_commands)
    program.app.command("probe")(lambda: None)

    def add(command: Callable[..., None]) -> None:
        module.app.command()(with_options(command))

    yield add
    program.app.registered_commands[:] = registered


def raising(error: BaseException) -> Callable[..., None]:
    def probe(options: Options) -> None:
        raise error

    return probe


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (StateError, 1),
        (ConfigError, 2),
        (AccessError, 2),
        (RecordError, 3),
        (UnreachableError, 4),
        (LeaseHeldError, 5),
    ],
)
def test_an_error_is_one_message_and_its_exit_code(
    register: Register, capsys: Capture, kind: type[DualWriteError], code: int
) -> None:
    register(raising(kind("some-code", "it broke", remedy="mend it", cause="a cause")))
    assert program.run(["probe"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error some-code: it broke\n  cause: a cause\n  remedy: mend it\n"


def test_an_error_as_json_goes_to_stdout(register: Register, capsys: Capture) -> None:
    error = UnreachableError(
        "no-answer", "silence", remedy="wait", subject=Subject(side="dataverse")
    )
    register(raising(error))
    assert program.run(["probe", "--json"]) == 4
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": error.as_dict()}
    assert captured.err == ""


def test_markup_in_an_error_is_text(register: Register, capsys: Capture) -> None:
    register(raising(ConfigError("some-code", "key [bold]x[/bold]", remedy="see [docs]")))
    program.run(["probe"])
    assert "key [bold]x[/bold]" in capsys.readouterr().err


class TestUnexpected:
    def test_its_text_stays_in_a_private_file(self, register: Register, capsys: Capture) -> None:
        register(raising(ValueError(f"card {SECRET}")))
        assert program.run(["probe"]) == 1
        captured = capsys.readouterr()
        assert SECRET not in captured.out + captured.err
        assert "Traceback" not in captured.err
        match = re.search(r"report (\S+\.log)", captured.err)
        assert match is not None
        log = Path(match[1])
        assert f"ValueError: card {SECRET}" in log.read_text()
        assert log.stat().st_mode & 0o077 == 0
        log.unlink()

    def test_debug_shows_the_traceback(self, register: Register, capsys: Capture) -> None:
        register(raising(ValueError("why")))
        assert program.run(["probe", "--debug"]) == 1
        assert "ValueError: why" in capsys.readouterr().err

    def test_json(self, register: Register, capsys: Capture) -> None:
        register(raising(ZeroDivisionError()))
        assert program.run(["probe", "--json", "--debug"]) == 1
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "unexpected"


class TestUsage:
    @pytest.mark.parametrize("line", [["nope"], ["init"], ["schema", "nope"], ["init", "--nope"]])
    def test_exit_code_2_and_where_to_read(self, line: list[str], capsys: Capture) -> None:
        assert program.run(line) == 2
        assert "--help`" in capsys.readouterr().err

    def test_json(self, capsys: Capture) -> None:
        assert program.run(["nope", "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"

    def test_a_slip_gets_the_nearest_command(self, capsys: Capture) -> None:
        program.run(["inti"])
        assert "Did you mean 'init'?" in capsys.readouterr().err


def lines(command: Any, words: list[str]) -> Iterator[list[str]]:
    """What is typed for a command, or for each in a group and the groups in it."""
    group = getattr(command, "commands", None)
    if group is None:
        yield words
        return
    for name, one in group.items():
        yield from lines(one, [*words, name])


class TestOptions:
    @pytest.mark.parametrize(
        "line",
        [["probe", "--json", "--config", "a.toml"], ["--json", "--config", "a.toml", "probe"]],
    )
    def test_before_or_after_the_command(self, register: Register, line: list[str]) -> None:
        seen: list[Options] = []

        def probe(options: Options) -> None:
            seen.append(options)

        register(probe)
        assert program.run(line) == 0
        assert seen == [Options(config=Path("a.toml"), json=True, debug=False)]

    def test_beside_a_commands_own(self, register: Register) -> None:
        seen: list[tuple[str, int, bool]] = []

        def probe(options: Options, name: str, often: int = 1) -> None:
            seen.append((name, often, options.json))

        register(probe)
        assert program.run(["probe", "x", "--often", "3", "--json"]) == 0
        assert seen == [("x", 3, True)]

    def test_exit_code_of_a_command(self, register: Register) -> None:
        register(raising(typer.Exit(3)))
        assert program.run(["probe"]) == 3

    @pytest.mark.parametrize("row", program.COMMANDS, ids=lambda row: row.name)
    def test_every_command_has_them(self, row: program.Row, capsys: Capture) -> None:
        command = typer.main.get_command(importlib.import_module(row.module).app)
        for line in lines(command, [row.name]):
            assert program.run([*line, "--help"]) == 0
            shown = capsys.readouterr().out
            for option in ("--config", "--json", "--debug", "--version"):
                assert option in shown, line

    @pytest.mark.parametrize("line", [["--version"], ["schema", "--version"]])
    def test_version(self, line: list[str], capsys: Capture) -> None:
        assert program.run(line) == 0
        assert re.fullmatch(r"dualwrite \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


class TestSignals:
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_the_work_in_flight_is_finished_first(
        self, register: Register, number: int, code: int
    ) -> None:
        done: list[str] = []

        def probe(options: Options) -> None:
            with stop_in_good_order() as stop:
                assert not stop()
                os.kill(os.getpid(), number)
                assert stop()
                done.append("settled")

        register(probe)
        before = signal.getsignal(number)
        assert program.run(["probe"]) == code
        assert done == ["settled"]
        assert signal.getsignal(number) is before

    def test_the_signal_is_told_rather_than_the_code_the_work_ends_with(
        self, register: Register
    ) -> None:
        def probe(options: Options) -> None:
            with stop_in_good_order():
                os.kill(os.getpid(), signal.SIGTERM)
                raise typer.Exit(3)

        register(probe)
        assert program.run(["probe"]) == 143

    def test_a_second_signal_does_not_wait(self, register: Register) -> None:
        def probe(options: Options) -> None:
            with stop_in_good_order():
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
                pytest.fail("the second signal did not interrupt")

        register(probe)
        assert program.run(["probe"]) == 130


class TestOutput:
    def test_json_spells_amounts_as_text(self, capsys: Capture) -> None:
        output.emit({"amount": Decimal("1.10"), "path": Path("a/b")})
        assert capsys.readouterr().out == '{"amount":"1.10","path":"a/b"}\n'

    def test_a_piped_table_is_not_folded(self, capsys: Capture) -> None:
        output.table("Cards", ["card", "n"], [["1234 " * 24, 5], [None, 12]])
        assert ("1234 " * 24).strip() in capsys.readouterr().out


class TestSchema:
    @pytest.mark.parametrize(
        ("document", "key"),
        [
            ("map", "fields"),
            ("reward", "rules"),
            ("cart", "lines"),
            ("config", "dataverse"),
        ],
    )
    def test_is_json_with_the_documents_keys(
        self, document: str, key: str, capsys: Capture
    ) -> None:
        assert program.run(["schema", document]) == 0
        assert key in json.loads(capsys.readouterr().out)["properties"]


def test_starting_imports_no_heavy_library() -> None:
    code = (
        "import sys, connector.cli.app as a; a.run(['--version']);"
        "print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"alembic", "lxml", "msal", "pandas", "pyarrow", "requests", "sqlalchemy", "uvicorn"}
    assert not heavy & set(done.stdout.split())


class TestGroups:
    def test_only_the_member_that_is_asked_for_is_built(self) -> None:
        group = importlib.import_module("connector.cli.ledger.group").app
        assert list(program.built(group, ["balance", "C1"]).commands) == ["balance"]
        assert list(program.built(group, ["programs", "list"]).commands) == ["programs"]
        assert list(program.built(group, ["return", "S-1"]).commands) == ["return"], "a given name"

    @pytest.mark.parametrize("words", [[], ["--help"], ["balanc"]])
    def test_other_words_get_the_whole_group(self, words: list[str]) -> None:
        group = importlib.import_module("connector.cli.ledger.group").app
        assert {"balance", "programs", "sale"} <= set(program.built(group, words).commands)

    def test_a_word_that_names_nothing_is_told_what_comes_near(self, capsys: Capture) -> None:
        assert program.run(["ledger", "balanc"]) == 2
        assert "Did you mean 'balance'?" in capsys.readouterr().err
