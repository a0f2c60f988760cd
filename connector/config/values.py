"""Values of the config that have rules of their own: URLs and where secrets stand.

Owns: what such a value may look like, reading a secret, and the shape of a section.
Never does: keeping a secret in clear or printing one; knowing a section.
Tested in: tests/unit/config/test_settings.py.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

from connector.errors import ConfigError


class Section(BaseModel):
    """A table of the file; a key it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def secret_reference(text: str) -> str:
    """The text, if it names where a secret stands; raises ValueError."""
    scheme, colon, name = text.partition(":")
    if not colon or scheme not in ("env", "file") or not name:
        raise ValueError(
            "a secret is never written here: name where it stands, as env:NAME or file:PATH"
        )
    return text


SecretReference = Annotated[str, AfterValidator(secret_reference)]
"""Where a secret stands: `env:NAME` or `file:PATH`. Safe to print; `read_secret` opens it."""


def _without_password(text: str) -> str:
    parts = urlsplit(text)
    if not parts.scheme:
        raise ValueError("this is not a URL: it starts with no scheme such as https://")
    if parts.password is not None:
        raise ValueError(
            "a password is never written into a URL: put it in the key `password` next to it, "
            "as env:NAME or file:PATH"
        )
    return text


def https(text: str) -> str:
    """The URL without a slash at its end, if it is an https one; raises ValueError."""
    if urlsplit(text).scheme != "https":
        raise ValueError("this URL must start with https://")
    return text.rstrip("/")


Url = Annotated[str, AfterValidator(_without_password)]
HttpsUrl = Annotated[Url, AfterValidator(https)]


def read_secret(reference: str) -> SecretStr:
    """The secret behind a reference, without the line end a file usually has.

    Raises:
        ConfigError: `secret-missing` when the variable or file is absent, unreadable or empty.
    """
    scheme, _, name = secret_reference(reference).partition(":")
    if scheme == "env":
        secret, cause = os.environ.get(name, ""), f"the environment has no variable {name}"
        remedy = f"set {name}, or point the config key to another place"
    else:
        secret, cause = _read_file(Path(name))
        remedy = f"write the secret into {name}, readable by this user only"
        if "sandbox" in Path(name).parts:
            remedy = "start `dualwrite sandbox` in this folder; it leaves its secret there"
    if not secret:
        raise ConfigError("secret-missing", f"no secret at {reference}", cause=cause, remedy=remedy)
    return SecretStr(secret)


def _read_file(path: Path) -> tuple[str, str]:
    """The stripped text of a secret file and, in case it turns out empty, why."""
    try:
        return path.read_text(encoding="utf-8").strip(), f"{path} is empty"
    except (OSError, UnicodeDecodeError) as error:
        return "", f"{path}: {getattr(error, 'strerror', None) or 'not a text file'}"
