"""What an authority means when it gives no token, and what to do about it.

Owns: AADSTS codes and the answers of managed identities, each as one of our errors.
Never does: asking for tokens; quoting a secret, a token or more than a refusal's first line.
Tested in: tests/unit/endpoints/web/test_credentials.py.

Facts: "Microsoft identity platform: reference-error-codes" and "Managed identities:
how-to-use-vm-token, error handling".
"""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any
from urllib.parse import urlsplit

from connector.endpoints.web.service import Naming
from connector.endpoints.web.trust import certificate_error, short, untrusted
from connector.errors import AccessError, ConfigError, DualWriteError, Subject, UnreachableError

_REFUSALS: Mapping[int, tuple[str, str, str]] = {
    7000215: (
        "secret-wrong",
        "the client secret is not the application's",
        "set {section}.client_secret to the secret's value (not its id)",
    ),
    7000222: (
        "secret-expired",
        "the client secret has expired",
        "create a new secret for the application and set {section}.client_secret to it",
    ),
    700016: (
        "client-unknown",
        "the tenant does not know this application",
        "check {section}.client_id and that {section}.authority names its tenant",
    ),
    7000229: (
        "client-unknown",
        "the application has no service principal in this tenant",
        "have an administrator of the tenant consent to the application",
    ),
    700027: (
        "certificate-unknown",
        "the certificate is not registered at the application",
        "upload the certificate (without its key) to the application, under Certificates",
    ),
    700024: (
        "clock-wrong",
        "the authority takes this machine's clock for wrong: our assertion is not valid now",
        "set this machine's clock, best by a time service",
    ),
    90002: (
        "tenant-unknown",
        "there is no such tenant",
        "check the tenant in {section}.authority",
    ),
    500011: (
        "resource-unknown",
        "the tenant does not know this {whole}",
        "check that {section}.url and {section}.authority belong to the same tenant",
    ),
}
_OTHERWISE = (
    "token-denied",
    "the authority gives no token",
    "check {section}.authority, {section}.client_id and how the application signs in",
)


def unreachable(
    authority: str, error: Exception | str, naming: Naming, key: str = "authority"
) -> UnreachableError:
    """The error for an authority that does not answer, or not as one; `key` is where it is set."""
    parts = urlsplit(authority)
    if isinstance(error, Exception) and untrusted(error):
        return certificate_error(f"https://{parts.netloc}", error, naming)
    return UnreachableError(
        "authority-unreachable",
        f"the authority at {parts.netloc} gives no usable answer",
        remedy=f"check {naming.section}.{key}, the network, and that no proxy answers in its place",
        subject=Subject(side=naming.side),
        cause=error if isinstance(error, str) else short(error),
    )


def bad_authority(authority: str, error: ValueError, naming: Naming) -> DualWriteError:
    """The error for an authority msal refuses, that does not know the tenant, or is none."""
    parts = urlsplit(authority)
    if isinstance(error, JSONDecodeError) or isinstance(error.__context__, JSONDecodeError):
        return unreachable(authority, error, naming)
    if parts.scheme != "https" or not parts.path.strip("/"):
        return ConfigError(
            "authority-invalid",
            f"{authority!r} is not https://HOST/TENANT",
            remedy=f"set {naming.section}.authority to https://login.microsoftonline.com/TENANT-ID",
            subject=Subject(side=naming.side),
        )
    return AccessError(
        "tenant-unknown",
        f"the authority does not know the tenant of {authority!r}",
        remedy=f"check the tenant in {naming.section}.authority",
        subject=Subject(side=naming.side),
        cause=short(error),
    )


def denied(
    answer: Mapping[str, Any], thumbprint: str | None, naming: Naming
) -> AccessError | UnreachableError:
    """The error for a refused token; `thumbprint` is that of our certificate, if we have one."""
    if answer.get("error") in ("temporarily_unavailable", "slow_down"):
        return UnreachableError(
            "authority-unreachable",
            "the authority is busy",
            remedy="try again later; nothing is lost",
            subject=Subject(side=naming.side),
            cause=_first_line(answer),
        )
    codes = [code for code in answer.get("error_codes", []) if code in _REFUSALS]
    code, message, remedy = _said(_REFUSALS[codes[0]] if codes else _OTHERWISE, naming)
    if code == "certificate-unknown":
        message = message.replace("certificate", f"certificate {thumbprint}", 1)
    return AccessError(
        code, message, remedy=remedy, subject=Subject(side=naming.side), cause=_first_line(answer)
    )


def no_identity_service(error: Exception, naming: Naming) -> UnreachableError:
    """The error where no service hands out managed identities."""
    return UnreachableError(
        "identity-service-unreachable",
        "nothing on this machine hands out tokens of a managed identity",
        remedy="run on an Azure machine, container or function with a managed identity, or set "
        f"{naming.section}.auth to client-secret or certificate",
        subject=Subject(side=naming.side),
        cause=short(error),
    )


def no_identity(answer: Mapping[str, Any], client_id: str | None, naming: Naming) -> AccessError:
    """The error for a managed identity that gets no token."""
    text = _first_line(answer) or ""
    if "resource" in str(answer.get("error", "")) or "AADSTS500011" in text:
        code, message, remedy = _said(_REFUSALS[500011], naming)
        return AccessError(
            code, message, remedy=remedy, subject=Subject(side=naming.side), cause=text or None
        )
    named = "" if client_id is None else f" with the client id {client_id}"
    return AccessError(
        "identity-unknown",
        f"this machine has no managed identity{named} that may have a token",
        remedy="assign the identity to this machine in Azure; for a user-assigned one set "
        f"{naming.section}.client_id to its client id",
        subject=Subject(side=naming.side),
        cause=text or None,
    )


def _said(words: tuple[str, str, str], naming: Naming) -> tuple[str, str, str]:
    """Code, message and remedy, as they are about this system."""
    code, *texts = words
    message, remedy = (text.format(section=naming.section, whole=naming.whole) for text in texts)
    return code, message, remedy


def _first_line(answer: Mapping[str, Any]) -> str | None:
    text = answer.get("error_description") or answer.get("error") or ""
    lines = str(text).splitlines()
    return lines[0][:300] if lines else None
