"""Files beside the service, as a storage account holds them: packages, uploads, error files.

Owns: names, signatures in the address, their end.
Never does: looking into a file.
Tested in: tests/integration/sandbox/finops/test_exports.py, test_imports.py.

Facts: shared access signatures: whoever has the address has the file, until the time in it; the
account takes no token of another service, and refuses a request that brings one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from connector.sandbox.finops.storage import Storage
from connector.sandbox.messages import Response

ROOT = "/blobs"
LIFE_SECONDS = 3600
READ, WRITE = "r", "w"
_KEY = "blob key"
_VERSION = "2024-08-04"


class Blobs:
    """The files of one environment, in a folder of their own."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self._folder = folder / "blobs"
        self._storage = storage
        self._folder.mkdir(exist_ok=True)
        key = storage.setting(_KEY)
        if key is None:
            key = secrets.token_hex(32)
            with storage.transaction():
                storage.set_setting(_KEY, key)
        self._key = key.encode()

    def new_name(self, suffix: str) -> str:
        """A name nobody has."""
        return f"{uuid.uuid4()}{suffix}"

    def write(self, name: str, content: bytes) -> None:
        """Keep a file."""
        (self._folder / name).write_bytes(content)

    def read(self, name: str) -> bytes | None:
        """The content of a file, None if there is none of this name."""
        path = self._folder / name
        return path.read_bytes() if path.exists() else None

    def clear(self) -> None:
        """Without any file."""
        for path in self._folder.iterdir():
            path.unlink()

    # ------------------------------------------------------------------------ addresses

    def address(self, origin: str, name: str, right: str) -> str:
        """Where a file can be read or written for a while, without a token."""
        end = datetime.fromtimestamp(self._storage.clock.now() + LIFE_SECONDS, UTC)
        expiry = f"{end:%Y-%m-%dT%H:%M:%SZ}"
        signed = {"sv": _VERSION, "sr": "b", "se": expiry, "sp": right}
        signature = self._sign(name, expiry, right)
        return f"{origin}{ROOT}/{name}?{urlencode({**signed, 'sig': signature})}"

    def named(self, address: str) -> str | None:
        """The file an address of our own means, if it may be read or was written."""
        _, mark, rest = address.partition(f"{ROOT}/")
        name, _, query = rest.partition("?")
        right = parse_qs(query).get("sp", [""])[0]
        return name if mark and self._refusal(name, query, right) is None else None

    def _sign(self, name: str, expiry: str, right: str) -> str:
        text = f"{name}\n{expiry}\n{right}".encode()
        return hmac.digest(self._key, text, hashlib.sha256).hex()

    def _refusal(self, name: str, query: str, right: str) -> str | None:
        given = {key: values[0] for key, values in parse_qs(query).items()}
        expiry, rights = given.get("se", ""), given.get("sp", "")
        good = hmac.compare_digest(given.get("sig", ""), self._sign(name, expiry, rights))
        now = datetime.fromtimestamp(self._storage.clock.now(), UTC)
        if not good or f"{now:%Y-%m-%dT%H:%M:%SZ}" > expiry:
            return "AuthenticationFailed"
        return None if right in rights else "AuthorizationPermissionMismatch"

    # ------------------------------------------------------------------------ requests

    def answer(
        self, method: str, name: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """One request to the storage account."""
        if "authorization" in headers:
            return _refused(403, "AuthenticationFailed")
        refusal = self._refusal(name, query, READ if method == "GET" else WRITE)
        if refusal is not None:
            return _refused(403, refusal)
        if method == "PUT":
            if headers.get("x-ms-blob-type") != "BlockBlob":
                return _refused(400, "MissingRequiredHeader")
            self.write(name, body)
            return Response(201)
        content = self.read(name)
        if content is None:
            return _refused(404, "BlobNotFound")
        return Response(200, {"Content-Type": "application/octet-stream"}, content)


def _refused(status: int, code: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code></Error>'
    return Response(
        status, {"Content-Type": "application/xml", "x-ms-error-code": code}, body.encode()
    )
