"""Who may ask a service: whoever shows the token of an environment variable."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mlspec.engine.serving.responder import error
from mlspec.errors import MissingError

OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that whoever watches over the process may ask without a token."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class Bearer:
    """ASGI application in front of another: answers 401 unless the token is shown (RFC 6750).

    The token is looked up once, with the first request, and only its digest is kept. Where it is missing
    nobody is let in.

    Args:
        application: What stands behind.
        name: The environment variable that holds the token.
    """

    def __init__(self, application: ASGIApp, name: str) -> None:
        self._application, self._name = application, name

    @cached_property
    def _digest(self) -> bytes:
        return hashlib.sha256(token(self._name).encode("ascii")).digest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it before its body is read."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            refused = self._refusal(Headers(scope=scope).getlist("authorization"))
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self._application(scope, receive, send)

    def _refusal(self, shown: list[str]) -> Response | None:
        if not shown:
            return _unauthorized("this service asks for a token: Authorization: Bearer <token>", "")
        scheme, _, given = shown[0].partition(" ")
        digest = hashlib.sha256(given.strip().encode("utf-8", "replace")).digest()
        # Digests have one length, and comparing them takes as long wherever they differ.
        right = hmac.compare_digest(digest, self._digest)
        if len(shown) > 1 or scheme.lower() != "bearer" or not right:
            return _unauthorized("the token is wrong", ', error="invalid_token"')
        return None


def token(name: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the token that an environment variable holds.

    Raises:
        MissingError: it is not set, or holds what no header can carry. What it holds is not told.
    """
    value = (os.environ if environment is None else environment).get(name, "").strip()
    if not value:
        raise MissingError(
            f"the environment variable '{name}' is not set: it holds the token that callers must show",
            fix=f"export {name}=... before the service is started",
        )
    if not _TOKEN.fullmatch(value):
        raise MissingError(
            f"what the environment variable '{name}' holds is no bearer token",
            fix="letters, digits and -._~+/ only, such as `openssl rand -hex 32` gives",
        )
    return value


def _unauthorized(what: str, more: str) -> Response:
    headers: dict[str, Any] = {"www-authenticate": f'Bearer realm="mlspec"{more}', "connection": "close"}
    answer = error(401, what)
    return Response(answer.body, answer.status, headers, "application/json")
