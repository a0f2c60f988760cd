"""Fetching a package: whole, without our token, and never naming its address in full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import responses

from connector.endpoints.finops.exports import download as module
from connector.endpoints.finops.exports.download import Downloads
from connector.errors import DualWriteError

URL = "https://blob.example/dmf/package.zip?sv=1&sig=SECRET"


@pytest.fixture
def blob() -> Iterator[responses.RequestsMock]:
    """The store of packages."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def downloads() -> Iterator[Downloads]:
    made = Downloads(True, 5.0)
    yield made
    made.close()


def refused(downloads: Downloads, path: Path, url: str = URL) -> DualWriteError:
    with pytest.raises(DualWriteError) as caught:
        downloads.fetch(url, path)
    assert "SECRET" not in str(caught.value)
    assert "SECRET" not in str(caught.value.__cause__)
    return caught.value


def test_a_package_is_fetched_without_a_token(
    blob: responses.RequestsMock,
    downloads: Downloads,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine blob.example login us password ours\n")
    monkeypatch.setenv("NETRC", str(netrc))
    blob.get(URL, b"PK...")
    downloads.fetch(URL, tmp_path / "p.zip")
    assert (tmp_path / "p.zip").read_bytes() == b"PK..."
    assert "Authorization" not in blob.calls[0].request.headers


def test_a_full_disk_is_ours_and_not_the_service_out_of_reach(
    blob: responses.RequestsMock, downloads: Downloads
) -> None:
    """A device that takes no byte."""
    blob.get(URL, b"PK" * 10)
    error = refused(downloads, Path("/dev/full"))
    assert error.code == "snapshot-unwritable"
    assert error.cause == "No space left on device"
    assert len(blob.calls) == 1, "another try would not help"


def test_a_folder_that_is_not_there_is_ours(
    blob: responses.RequestsMock, downloads: Downloads, tmp_path: Path
) -> None:
    blob.get(URL, b"PK")
    assert refused(downloads, tmp_path / "gone" / "p.zip").code == "snapshot-unwritable"


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://blob.example/p?sig=SECRET", "https://blob.example/p?sig=SECRET"),
        ("http://blob.example:80/p?sig=SECRET", "https://blob.example/p?sig=SECRET"),
        ("http://blob.example:8443/p?sig=SECRET", "https://blob.example:8443/p?sig=SECRET"),
        ("https://user:pass@blob.example/p?sig=SECRET", "https://blob.example/p?sig=SECRET"),
    ],
)
def test_the_address_is_always_asked_over_https(
    given: str, asked: str, blob: responses.RequestsMock, downloads: Downloads, tmp_path: Path
) -> None:
    blob.get(asked, b"PK")
    downloads.fetch(given, tmp_path / "p.zip")
    assert blob.calls[0].request.url == asked


@pytest.mark.parametrize("url", ["", "ftp://blob.example/p?sig=SECRET", "//x?SECRET", "SECRET"])
def test_what_is_no_address_is_not_asked(url: str, downloads: Downloads, tmp_path: Path) -> None:
    assert refused(downloads, tmp_path / "p.zip", url).code == "package-broken"


def test_a_transfer_that_broke_off_is_begun_anew(
    blob: responses.RequestsMock, downloads: Downloads, tmp_path: Path
) -> None:
    blob.get(URL, b"PK", headers={"Content-Length": "5"}, auto_calculate_content_length=False)
    blob.get(URL, body=requests.ConnectionError(f"reset while reading {URL}"))
    blob.get(URL, b"PK123")
    downloads.fetch(URL, tmp_path / "p.zip")
    assert (tmp_path / "p.zip").read_bytes() == b"PK123"


@pytest.mark.parametrize("status", [302, 403, 404, 500])
def test_a_package_that_is_not_there_is_said_to_be_unreachable(
    status: int, blob: responses.RequestsMock, downloads: Downloads, tmp_path: Path
) -> None:
    blob.get(URL, b"<html>", status=status, headers={"Location": "https://evil.example/"})
    error = refused(downloads, tmp_path / "p.zip")
    assert error.code == "package-unreachable"
    assert error.cause == f"status {status}"
    assert "https://blob.example/dmf/package.zip" in error.message
    assert len(blob.calls) == module.TRIES


def test_a_package_without_end_is_left(
    blob: responses.RequestsMock,
    downloads: Downloads,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    blob.get(URL, b"x" * 2000)
    assert refused(downloads, tmp_path / "p.zip").code == "package-broken"


def test_a_transfer_that_drips_ends(blob: responses.RequestsMock, tmp_path: Path) -> None:
    ticks = iter(range(0, 10**9, 1000))
    slow = Downloads(True, 5.0, monotonic=lambda: float(next(ticks)))
    blob.get(URL, b"x" * (3 << 18))
    error = refused(slow, tmp_path / "p.zip")
    assert "not whole after" in str(error.cause)
    slow.close()
