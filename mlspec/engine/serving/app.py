"""The web service over a package: strict rows in, answers out, nothing else."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from mlspec.engine.files import read_json
from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.serving.bearer import Bearer, token
from mlspec.engine.serving.openapi import openapi
from mlspec.engine.serving.responder import Answer, Responder, error
from mlspec.engine.watching.tap import Tap
from mlspec.errors import MissingError

INLINE = 16_384
"""Bytes of a body up to which it is answered at once: a hop to another thread costs more than the work."""


def app(package: Path, *, taps: Sequence[Tap] = ()) -> Starlette:
    """Return the ASGI application that answers with a package's model.

    Paths: POST `/predict`; GET `/healthz`, `/readyz`, `/openapi.json`, `/metrics`. No page to look at.
    Where the package names a variable with a token, all but the first two GETs ask for it.

    Args:
        package: The folder that `package-<deployment>` wrote.
        taps: Are handed all rows and answers; started and closed with the application.

    Raises:
        MissingError: the folder is no package.
    """
    settings = package / "deployment.json"
    if not settings.is_file():
        raise MissingError(f"'{package}' is no package of mlspec", fix="pack the model: mlspec run")
    deployment = read_json(settings)
    responder = Responder(Scorer(package / "model.onnx"), int(deployment["max_rows"]), taps)
    return _Service(responder, deployment, package, taps).application()


class _Service:
    def __init__(
        self, responder: Responder, deployment: dict[str, Any], package: Path, taps: Sequence[Tap]
    ) -> None:
        self._responder, self._taps = responder, tuple(taps)
        self._max_body = int(deployment["max_body"])
        self._token: str | None = deployment.get("token_variable")
        cores = len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(cores, "mlspec-answer")
        self._room = 4 * cores
        """Large bodies that may be in work or wait; each holds memory."""
        self._ready = Answer(200, responder.encode({"status": "ok", "model_version": responder.version}))
        self._openapi = Answer(200, responder.encode(openapi(responder.contract, deployment, package)))

    def application(self) -> Starlette:
        routes = [
            Route("/predict", self.predict, methods=["POST"]),
            Route("/healthz", self.health, methods=["GET"]),
            Route("/readyz", self.health, methods=["GET"]),
            Route("/openapi.json", self.describe, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]
        handlers: dict[Any, Any] = {HTTPException: _told, Exception: _stumbled}
        asked = [Middleware(Bearer, name=self._token)] if self._token else []
        return Starlette(
            routes=routes, exception_handlers=handlers, lifespan=self._lifespan, middleware=asked
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        if self._token is not None:
            token(self._token)  # a service that could let nobody in does not start
        for tap in self._taps:
            tap.start()
        try:
            yield
        finally:
            self._pool.shutdown(wait=True)
            for tap in self._taps:
                await asyncio.to_thread(tap.close)

    async def predict(self, request: Request) -> Response:
        try:
            body = await self._body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return _respond(
                error(413, f"the body is larger than {self._max_body} bytes"), {"connection": "close"}
            )
        if len(body) <= INLINE:
            return _respond(self._responder.answer(body))
        if self._room == 0:
            return _respond(error(503, "too many large requests at once"), {"retry-after": "1"})
        self._room -= 1
        try:
            loop = asyncio.get_running_loop()
            return _respond(await loop.run_in_executor(self._pool, self._responder.answer, body))
        finally:
            self._room += 1

    async def _body(self, request: Request) -> bytes | None:
        """Return the body, or None as soon as it is known to be too large."""
        stated = request.headers.get("content-length", "")
        if stated.isdigit() and int(stated) > self._max_body:
            return None
        parts: list[bytes] = []
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > self._max_body:
                return None
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def health(self, _: Request) -> Response:
        return _respond(self._ready)

    async def describe(self, _: Request) -> Response:
        return _respond(self._openapi)

    async def metrics(self, _: Request) -> Response:
        lines = self._responder.counts()
        if self._taps:
            dropped = sum(tap.dropped for tap in self._taps)
            lines.append("# TYPE mlspec_monitor_dropped_rows_total counter")
            lines.append(f"mlspec_monitor_dropped_rows_total {dropped}")
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _respond(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.body, answer.status, headers, "application/json")


async def _told(request: Request, raised: Exception) -> Response:
    assert isinstance(raised, HTTPException)
    words = {
        404: f"there is no '{request.url.path}'; POST rows to /predict, or read /openapi.json",
        405: f"'{request.url.path}' takes no {request.method}",
    }
    return _respond(
        error(raised.status_code, words.get(raised.status_code, raised.detail)), dict(raised.headers or {})
    )


async def _stumbled(_: Request, raised: Exception) -> Response:
    return _respond(Answer(500, json.dumps({"error": f"{type(raised).__name__} while answering"}).encode()))
