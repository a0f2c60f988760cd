"""What is handed out: the wheel carries maps and config, the lock files carry hashes only."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from connector.shipped import shipped

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?P<marker> ; .+?)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(lock: Path) -> dict[str, set[str]]:
    """Names and their versions in a lock file."""
    found: dict[str, set[str]] = {}
    for line in lock.read_text().splitlines():
        if match := PINNED.match(line):
            found.setdefault(match["name"], set()).add(match["version"])
    return found


def test_a_clone_finds_its_own_maps_and_config() -> None:
    assert shipped("mappings") == ROOT / "mappings"
    assert shipped("config") == ROOT / "config"
    assert shipped("programs") == ROOT / "programs"
    assert shipped("segments") == ROOT / "segments"


@pytest.mark.slow
def test_an_installed_wheel_starts_a_project_without_a_clone(tmp_path: Path) -> None:
    """Built offline with the locked build back end, unpacked, and run from elsewhere."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("loyalty_dual_write-*-py3-none-any.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    assert {path.name for path in site.iterdir() if path.is_dir()} == {
        "connector",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }
    code = "from connector.cli.app import main; main()"
    subprocess.run(
        [sys.executable, "-c", code, "init", "project"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
    )
    for source in ("config", "mappings", "programs"):
        for file in (path for path in (ROOT / source).rglob("*") if path.is_file()):
            copied = tmp_path / "project" / file.relative_to(ROOT)
            assert copied.read_bytes() == file.read_bytes()


def test_there_are_four_lock_files() -> None:
    assert [lock.stem for lock in LOCKS] == ["build", "dev", "runtime", "sqlserver"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
class TestLocks:
    def test_hold_pins_with_hashes_and_nothing_else(self, lock: Path) -> None:
        """No index, no address, no path, no requirement without its hash."""
        previous = ""
        for number, line in enumerate(lock.read_text().splitlines(), start=1):
            known = line.startswith("#") or PINNED.match(line) or HASH.match(line)
            assert known, f"{lock.name}:{number}: {line}"
            assert "://" not in line, f"{lock.name}:{number}"
            if PINNED.match(previous):
                assert HASH.match(line), f"{lock.name}:{number}: no hash"
            previous = line

    def test_agree_with_the_development_lock(self, lock: Path) -> None:
        development = pinned(ROOT / "requirements" / "dev.txt")
        shared = development.keys() & pinned(lock).keys()
        assert shared or pinned(lock).keys() == {"pyodbc"}, "the driver needs nothing else"
        for name in shared:
            assert development[name] == pinned(lock)[name]


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, declared in (
        ("runtime", project["dependencies"]),
        ("runtime", project["optional-dependencies"]["postgresql"]),
        ("sqlserver", project["optional-dependencies"]["sqlserver"]),
        ("dev", project["dependencies"] + project["optional-dependencies"]["dev"]),
    ):
        locked = pinned(ROOT / "requirements" / f"{lock}.txt")
        names = {normal(re.split(r"[><=[]", line)[0]) for line in declared}
        assert names <= set(locked)


def test_compiled_packages_are_locked_for_every_platform() -> None:
    """A lock made from one machine's own files would hold one hash; a release has many."""
    text = (ROOT / "requirements" / "runtime.txt").read_text()
    for name in ("lxml", "numpy", "orjson", "pandas", "pyarrow", "pydantic-core"):
        entry = re.search(rf"^{name}==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        assert entry is not None, name
        assert entry[0].count("--hash=") > 15, name
