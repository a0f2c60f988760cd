"""Which databases are opened, made, and refused."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.errors import ConfigError, StateError
from connector.mapping.values import Side, ValueType
from connector.store import opening
from connector.store.opening import open_store
from connector.store.record import Presence, Record, SideState
from connector.store.sqlite import network_filesystem
from connector.store.work import Change, ChangeKind, Work


def execute(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_folders_are_made_and_a_second_opening_finds_the_state(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a' / 'b' / 'state.db'}"
    store = open_store(url)
    assert store.numbers("record", 3) == 1
    store.close()
    again = open_store(url)
    assert again.numbers("record", 1) == 4
    again.close()


def test_the_file_is_durable_and_readable_beside_a_writer(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    open_store(f"sqlite:///{file}").close()
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize("how", ["replaced", "removed"])
def test_a_file_that_is_exchanged_under_a_running_process_is_noticed(
    tmp_path: Path, how: str
) -> None:
    """As by somebody who restores a backup and forgets that live mode is at work."""
    file, backup = tmp_path / "state.db", tmp_path / "backup.db"
    open_store(f"sqlite:///{file}").close()
    backup.write_bytes(file.read_bytes())
    store = open_store(f"sqlite:///{file}")
    store.numbers("record", 1)
    if how == "replaced":
        backup.replace(file)
    else:
        file.unlink()
    with pytest.raises(StateError) as told:
        store.numbers("record", 1)
    assert told.value.code == "state-replaced"
    assert how in told.value.message
    store.close()


def start(code: str) -> subprocess.Popen[bytes]:
    """A process of its own that can import the project."""
    root = str(Path(__file__).parents[3])
    return subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root})


def test_a_current_database_is_opened_without_importing_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    open_store(url).close()
    code = (
        "import sys; from connector.store.opening import open_store;"
        f"open_store({url!r}).close(); sys.exit('alembic' in sys.modules)"
    )
    assert start(code).wait(30) == 0


def test_processes_that_open_an_empty_state_at_once_make_it_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    code = (
        "from connector.store.opening import open_store;"
        f"store = open_store({url!r}); store.numbers('record', 1); store.close()"
    )
    assert [process.wait(60) for process in [start(code) for _ in range(4)]] == [0, 0, 0, 0]
    store = open_store(url)
    assert store.numbers("record", 1) == 5
    store.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "nonsense", "mysql://host/db", "no-such-dialect://x/y"],
)
def test_a_url_that_cannot_hold_a_state_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    assert caught.value.code == "store-url"
    assert "store.url" in caught.value.remedy


def foreign_tables(file: Path) -> None:
    execute(file, "CREATE TABLE customers (id INTEGER)")


def foreign_alembic(file: Path) -> None:
    execute(
        file,
        "CREATE TABLE alembic_version (version_num TEXT)",
        "INSERT INTO alembic_version VALUES ('0001')",
        "CREATE TABLE customers (id INTEGER)",
    )


def newer(file: Path) -> None:
    open_store(f"sqlite:///{file}").close()
    execute(file, "UPDATE alembic_version SET version_num = '0999'")


def not_a_database(file: Path) -> None:
    file.write_bytes(b"Card;Balance\n" * 500)


def cut_off(file: Path) -> None:
    open_store(f"sqlite:///{file}").close()
    with file.open("r+b") as handle:
        handle.truncate(5_000)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (foreign_tables, "state-foreign"),
        (foreign_alembic, "state-foreign"),
        (newer, "state-newer"),
        (not_a_database, "state-unusable"),
        (cut_off, "state-unusable"),
    ],
)
def test_what_is_not_our_state_is_refused_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], None], code: str
) -> None:
    file = tmp_path / "state.db"
    spoil(file)
    before = file.read_bytes()
    with pytest.raises(StateError) as caught:
        open_store(f"sqlite:///{file}")
    assert caught.value.code == code
    assert caught.value.remedy
    assert file.read_bytes()[100:] == before[100:]


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="cannot be made"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'state.db'}")


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /mnt/net nfs4 rw 0 0
//server/share /mnt/my\\040share cifs rw 0 0
user@host:/ /mnt/net/local/remote fuse.sshfs rw 0 0
/dev/sdb1 /mnt/net/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/state.db", None),
        ("/mnt/net/state.db", "nfs4"),
        ("/mnt/network/state.db", None),
        ("/mnt/my share/a/state.db", "cifs"),
        ("/mnt/net/local/state.db", None),
        ("/mnt/net/local/remote/state.db", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_recognised(tmp_path: Path, path: str, kind: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert network_filesystem(Path(path), mounts) == kind
    assert network_filesystem(Path(path), tmp_path / "nowhere") is None


def test_a_state_on_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "network_filesystem", lambda path: "nfs4")
    with pytest.raises(StateError) as caught:
        open_store(f"sqlite:///{tmp_path / 'state.db'}")
    assert caught.value.code == "state-network"
    assert not (tmp_path / "state.db").exists()


def test_what_is_forgotten_is_in_no_byte_of_the_file(tmp_path: Path) -> None:
    file, card = tmp_path / "state.db", "6001-SECRET-CARD"
    columns = {Side.COMMERCE: (("a", ValueType.TEXT),), Side.DATAVERSE: (("b", ValueType.TEXT),)}
    store = open_store(f"sqlite:///{file}")
    store.layout("m", columns)
    lease = store.acquire("m", "me", 60)
    held = Record(1, "m", card, commerce=SideState(Presence.PRESENT, card, card, image=(card,)))
    seen = Change(1, 1, ChangeKind.SEEN, Side.COMMERCE, target=card, after={"a": card})
    store.commit(lease, Work(1, 1.0, inserted=[held], changes=[seen]))
    store.close()
    assert card.encode() in file.read_bytes()
    store = open_store(f"sqlite:///{file}")
    store.forget(lease, 1, card, 2.0)
    store.close()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert card.encode() not in left
