"""The service as its users see it: through HTTP, without a socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlspec.engine.files import read_json
from mlspec.engine.scoring.scorer import Scorer
from mlspec.engine.serving.app import INLINE, app
from mlspec.engine.serving.rows import to_batch
from mlspec.errors import MissingError
from tests.tiny_package import INPUTS, ROW, TARGETS, rows, write_package


class Client:
    """Asks an application, one event loop for all requests."""

    def __init__(self, package: Path) -> None:
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app(package), raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://tiny")

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._loop.run_until_complete(self._client.request(method, path, **options))

    def predict(self, value: Any) -> httpx.Response:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.send("POST", "/predict", content=body)

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: write_package(tmp_path_factory.mktemp(kind), kind) for kind in TARGETS}


@pytest.fixture(scope="module")
def client(packages: dict[str, Path]) -> Iterator[Client]:
    made = Client(packages["binary"])
    yield made
    made.close()


def by_onnxruntime(package: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """What the file itself says, fed by hand."""
    feeds: dict[str, Any] = {}
    for column in INPUTS:
        values = [row[column.name] for row in asked]
        if column.type == "datetime":
            instants = {"2024-07-01T12:00:00+02:00": 1719828000000.0, "1990-01-31T00:00:00Z": 633744000000.0}
            feeds[column.name] = np.array([instants[value] for value in values])
        elif column.tensor == "float64":
            feeds[column.name] = np.array(
                [np.nan if value is None else value for value in values], np.float64
            )
        else:
            words = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
            feeds[column.name] = np.array(words, object)
    session = ort.InferenceSession(package / "model.onnx", providers=["CPUExecutionProvider"])
    return dict(zip((out.name for out in session.get_outputs()), session.run(None, feeds), strict=True))


def test_a_row_is_answered_with_label_probabilities_and_version(
    client: Client, packages: dict[str, Path]
) -> None:
    response = client.predict(ROW)
    found = by_onnxruntime(packages["binary"], [ROW])
    assert response.status_code == 200 and response.headers["content-type"] == "application/json"
    assert response.json() == {
        "label": found["label"][0],
        "probabilities": dict(zip(("no", ">yes"), found["probabilities"][0].tolist(), strict=True)),
        "model_version": "v1",
    }


@pytest.mark.parametrize("kind", TARGETS)
def test_many_rows_are_answered_in_their_order(packages: dict[str, Path], kind: str) -> None:
    client, asked = Client(packages[kind]), rows(50)
    found = by_onnxruntime(packages[kind], asked)
    plain, wrapped = client.predict(asked), client.predict({"rows": asked})
    client.close()
    assert plain.status_code == 200 and plain.content == wrapped.content
    told = plain.json()["predictions"]
    assert plain.json()["model_version"] == "v1"
    if kind == "number":
        assert [one["value"] for one in told] == found["value"].tolist()
    else:
        assert [one["label"] for one in told] == found["label"].tolist()
        assert [list(one["probabilities"].values()) for one in told] == found["probabilities"].tolist()
        assert list(told[0]["probabilities"]) == list(TARGETS[kind].classes)


def test_a_large_request_is_answered_as_a_small_one_is(client: Client) -> None:
    asked = rows(300)
    assert len(json.dumps(asked)) > INLINE
    whole = client.predict(asked).json()["predictions"]
    assert whole == [
        {k: v for k, v in client.predict(row).json().items() if k != "model_version"} for row in asked
    ]


def test_no_rows_get_no_answers(client: Client) -> None:
    assert client.predict([]).json() == {"predictions": [], "model_version": "v1"}


@pytest.mark.parametrize(
    ("value", "row", "column"),
    [
        ({**ROW, "age": "39"}, 0, "age"),
        ([ROW, {**ROW, "smoker": 1}], 1, "smoker"),
        ({"rows": [{**ROW, "rooms": 3.5}]}, 0, "rooms"),
        ({**ROW, "more": 1}, 0, "more"),
        ({"age": 1, "town": None, "rooms": 1, "smoker": None, "seen": None}, 0, "born"),
        (json.dumps(ROW).replace("39.5", "1e400").encode(), 0, "age"),
        (json.dumps(ROW).replace("39.5", "9" * 5000).encode(), 0, "age"),
        (json.dumps({**ROW, "town": "\ud800"}).encode(), 0, "town"),
        (json.dumps({**ROW, "\ud800": 1}).encode(), 0, "\ud800"),
        ([[39.5, "Bern"]], 0, None),
        ([None], 0, None),
    ],
)
def test_a_bad_row_gets_422_with_row_and_column(
    client: Client, value: Any, row: int, column: str | None
) -> None:
    response = client.predict(value)
    assert response.status_code == 422
    fault = response.json()["faults"][0]
    assert (fault["row"], fault["column"]) == (row, column)
    assert fault["reason"] and fault["reason"] in response.json()["error"]


def test_every_fault_is_told_and_a_flood_of_them_counted(client: Client) -> None:
    few = client.predict([{**ROW, "age": "x", "rooms": 1.5}, {**ROW, "town": 1}]).json()
    assert [(one["row"], one["column"]) for one in few["faults"]] == [(0, "age"), (0, "rooms"), (1, "town")]
    many = client.predict([{**ROW, "age": "x"}] * 500).json()
    assert len(many["faults"]) == 100 and many["more"] == 400


@pytest.mark.parametrize(
    "body", [b"", b"age=39", b"{", b'{"age": NaN}', b'{"age": 1, "age": 2}', b"[" * 50_000, b"\xff"]
)
def test_what_is_not_json_gets_400(client: Client, body: bytes) -> None:
    response = client.predict(body)
    assert response.status_code == 400 and response.json()["error"]


@pytest.mark.parametrize("body", [b"5", b'"row"', b"null", b"true"])
def test_json_that_is_no_row_gets_422(client: Client, body: bytes) -> None:
    assert client.predict(body).status_code == 422


def test_too_large_a_body_gets_413_even_when_its_length_is_not_said(tmp_path: Path) -> None:
    client = Client(write_package(tmp_path, max_body=1024, max_rows=3))

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b" " * 100
        raise AssertionError("the whole body was read")

    assert client.predict(b" " * 1025).status_code == 413
    assert client.send("POST", "/predict", content=endless()).status_code == 413
    small = {**dict.fromkeys(ROW), "age": 1}
    assert client.predict([small] * 3).status_code == 200
    assert client.predict([small] * 4).status_code == 413
    client.close()


def test_other_paths_and_methods_are_refused_as_json(client: Client) -> None:
    assert client.send("GET", "/").status_code == 404 and client.send("GET", "/").json()["error"]
    response = client.send("GET", "/predict")
    assert response.status_code == 405 and response.headers["allow"] == "POST" and response.json()["error"]


def test_it_says_that_it_is_well_and_what_it_did(client: Client) -> None:
    assert client.send("GET", "/healthz").json() == {"status": "ok", "model_version": "v1"}
    assert client.send("GET", "/readyz").status_code == 200
    client.predict([ROW, ROW])
    text = client.send("GET", "/metrics").text
    assert 'mlspec_requests_total{status="200"}' in text and "mlspec_rows_total" in text


def test_the_description_fits_what_is_taken_and_given(client: Client) -> None:
    described = client.send("GET", "/openapi.json").json()
    schemas = described["components"]["schemas"]
    assert list(schemas["Row"]["properties"]) == [column.name for column in INPUTS]
    assert schemas["Answer"]["properties"]["label"]["enum"] == ["no", ">yes"]

    def fits(value: Any, name: str) -> bool:
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        return jsonschema.Draft202012Validator(schema).is_valid(value)

    assert fits(ROW, "Row") and fits(schemas["Row"]["examples"][0], "Row")
    assert client.predict(schemas["Row"]["examples"][0]).status_code == 200
    assert not fits({**ROW, "age": "39"}, "Row") and not fits({**ROW, "more": 1}, "Row")
    assert fits(client.predict(ROW).json(), "Answered") and fits(client.predict([ROW]).json(), "Answers")
    assert fits(client.predict({}).json(), "Error")


def test_the_conformance_set_holds_over_http(client: Client, packages: dict[str, Path]) -> None:
    cases = read_json(packages["binary"] / "conformance.json")
    told = client.predict(cases["rows"]).json()["predictions"]
    assert [one["label"] for one in told] == cases["answers"]["label"]
    assert cases["refused"]
    for case in cases["refused"]:
        response = client.predict(case["row"])
        assert response.status_code == 422 and response.json()["faults"][0]["column"] == case["column"]


def test_a_folder_that_is_no_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no package"):
        app(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
CHANGED = st.dictionaries(st.sampled_from(list(ROW)), JSON, max_size=3).map(
    lambda changed: {**ROW, **changed}
)


@given(
    st.binary(max_size=40)
    | (JSON | CHANGED | st.lists(CHANGED, max_size=3)).map(lambda v: json.dumps(v).encode())
)
@settings(max_examples=150, deadline=None)
def test_no_body_is_answered_with_500(client: Client, body: bytes) -> None:
    response = client.predict(body)
    assert response.status_code in (200, 400, 422)
    assert isinstance(response.json(), dict)


def test_answers_equal_the_scorers(client: Client, packages: dict[str, Path]) -> None:
    scorer, asked = Scorer(packages["binary"] / "model.onnx"), rows(100, seed=5)
    answers = scorer.score(to_batch(asked, scorer.contract))
    told = client.predict(asked).json()["predictions"]
    assert [one["probabilities"][">yes"] for one in told] == answers.column("probability_>yes").to_pylist()
