"""What the identity provider answers: JSON, and refusals with their AADSTS numbers.

Owns: the shape of an answer of the token endpoint.
Never does: deciding who gets a token (`tokens.py`, `assertions.py`, `managed_identity.py`).
Tested in: tests/integration/sandbox/test_tokens.py.

Facts: "Microsoft identity platform: reference-error-codes".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from connector.sandbox.messages import Response


class RefusedError(Exception):
    """No token: an OAuth error word with the number clients look for."""

    def __init__(self, status: int, number: int, error: str, text: str) -> None:
        super().__init__(f"AADSTS{number}: {text}")
        self.status = status
        self.number = number
        self.error = error

    def response(self) -> Response:
        """The answer that carries it."""
        time = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        return json_answer(
            self.status,
            {
                "error": self.error,
                "error_description": f"{self} Trace ID: {trace} Correlation ID: {correlation} "
                f"Timestamp: {time}",
                "error_codes": [self.number],
                "timestamp": time,
                "trace_id": trace,
                "correlation_id": correlation,
            },
        )


def json_answer(status: int, value: Mapping[str, Any]) -> Response:
    """An answer nobody may keep."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status, headers, orjson.dumps(value))
