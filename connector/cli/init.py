"""`dualwrite init DIR`: the folder of a new project.

Owns: which files a project starts with, and that nothing is overwritten unasked.
Never does: inventing content; the files are the shipped ones.
Tested in: tests/unit/cli/test_init.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.options import Options, with_options
from connector.cli.output import emit, say
from connector.errors import Subject, UsageError
from connector.shipped import shipped

app = typer.Typer(add_completion=False)

IGNORED = "/var/"
"""Databases, the sandbox and its secret: never in a repository."""


@app.command()
@with_options
def init(
    options: Options,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", file_okay=False, help="Made when it does not exist.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write config, maps, programs and segments for a new project, ready for a sandbox there."""
    written = write_project(folder, force=force)
    if options.json:
        emit({"folder": str(folder), "written": written})
        return
    for name in written:
        say(f"wrote {folder / name}")
    say(f"Next: cd {folder}, start `dualwrite sandbox` there, and in another terminal run")
    say("`dualwrite check`.")


def write_project(folder: Path, *, force: bool) -> list[str]:
    """Write the shipped files and .gitignore into `folder`; the names written, relative to it.

    Raises:
        UsageError: `file-exists`, before anything was written, when a file is in the way and
            `force` is not set; `folder-unwritable`.
    """
    files = {
        path.relative_to(source.parent): path.read_bytes()
        for source in (
            shipped("config"),
            shipped("mappings"),
            shipped("programs"),
            shipped("segments"),
        )
        for path in sorted(source.rglob("*"))
        if path.is_file()
    }
    taken = [str(name) for name in files if (folder / name).exists()]
    if taken and not force:
        raise UsageError(
            "file-exists",
            f"{', '.join(taken)} would be overwritten",
            subject=Subject(file=str(folder)),
            remedy="choose another folder, or overwrite with --force",
        )
    try:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        ignore = _ignore_var(folder)
    except OSError as error:
        raise UsageError(
            "folder-unwritable",
            "the project cannot be written",
            subject=Subject(file=str(error.filename or folder)),
            cause=error.strerror,
            remedy="choose a folder this user may write to",
        ) from error
    return [str(name) for name in files] + ignore


def _ignore_var(folder: Path) -> list[str]:
    """See to it that .gitignore leaves out `var/`; the rest of the file stays as it is."""
    file = folder / ".gitignore"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if IGNORED in text.splitlines():
        return []
    if text and not text.endswith("\n"):
        text += "\n"
    file.write_text(f"{text}{IGNORED}\n", encoding="utf-8")
    return [file.name]
