"""A service that asks for a token: who may pass, and what those are told who may not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from mlspec.engine.serving.app import app
from mlspec.engine.serving.bearer import token
from mlspec.engine.serving.service import service
from mlspec.errors import MissingError
from tests.tiny_package import ROW, write_package

TOKEN = "c2VjcmV0.~+/-_=="


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("asking"), token_variable="TINY_TOKEN")


@pytest.fixture(autouse=True)
def variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_TOKEN", TOKEN)


def ask(application: Any, method: str = "POST", path: str = "/predict", **options: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://tiny") as client:
            return await client.request(method, path, **options)

    return asyncio.run(once())


@pytest.mark.parametrize("made", [app, lambda package: service(str(package))], ids=["serve", "bento"])
def test_only_who_shows_the_token_is_answered(package: Path, made: Any) -> None:
    application, body = made(package), json.dumps(ROW).encode()
    without = ask(application, content=body)
    assert without.status_code == 401 and without.headers["www-authenticate"] == 'Bearer realm="mlspec"'
    right = {"authorization": f"Bearer {TOKEN}"}
    assert ask(application, content=body, headers=right).status_code == 200
    assert ask(application, content=body, headers={"authorization": f"bearer {TOKEN}"}).status_code == 200
    for path in ("/openapi.json", "/metrics", "/", "/Healthz", "/healthz/"):
        assert ask(application, "GET", path).status_code == 401, path
    for path in ("/healthz", "/readyz"):
        assert ask(application, "GET", path).status_code == 200, path


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", f"Bearer {TOKEN}x")],
        [("authorization", f"Bearer {TOKEN[:-1]}")],
        [("authorization", "Bearer")],
        [("authorization", "Bearer ")],
        [("authorization", TOKEN)],
        [("authorization", f"Basic {TOKEN}")],
        [("authorization", b"Bearer \xff\xfe")],
        [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")],
    ],
)
def test_a_wrong_token_gets_401_and_nothing_is_told_of_the_right_one(package: Path, headers: Any) -> None:
    response = ask(app(package), content=b"{}", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="mlspec", error="invalid_token"'
    assert TOKEN not in response.text and response.json()["error"]


def test_a_refused_body_is_not_read(package: Path) -> None:
    async def body() -> Any:
        raise AssertionError("the body was read")
        yield b""

    assert ask(app(package), content=body()).status_code == 401


def test_the_description_names_the_scheme_and_not_the_token(package: Path) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    described = ask(app(package), "GET", "/openapi.json", headers=headers).json()
    assert described["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    assert described["paths"]["/predict"]["post"]["security"] == [{"token": []}]
    refused = ask(app(package), content=b"{}").json()
    schema = {"$ref": "#/components/schemas/Error", "components": described["components"]}
    jsonschema.validate(refused, schema)
    for file in package.iterdir():
        assert TOKEN.encode() not in file.read_bytes()
    assert "TINY_TOKEN" in (package / "README.md").read_text()


def test_without_the_variable_nobody_is_let_in(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINY_TOKEN")
    application = app(package)  # a Bento is built where the variable is not set
    for shown in ("", "Bearer ", "Bearer None"):
        response = ask(application, content=json.dumps(ROW).encode(), headers={"authorization": shown})
        assert response.status_code in (401, 500)

    async def start() -> None:
        async with application.router.lifespan_context(application):
            raise AssertionError("it started")

    with pytest.raises(MissingError, match="'TINY_TOKEN' is not set"):
        asyncio.run(start())


@pytest.mark.parametrize("held", ["", "  ", "two words", "naïve", "a\nb"])
def test_what_is_no_token_is_refused_and_not_told(held: str) -> None:
    with pytest.raises(MissingError) as caught:
        token("NAME", {"NAME": held})
    assert not held.strip() or held not in caught.value.what


def test_a_package_without_a_token_answers_everybody(tmp_path: Path) -> None:
    assert ask(app(write_package(tmp_path)), content=json.dumps(ROW).encode()).status_code == 200
