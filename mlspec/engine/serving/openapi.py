"""What a service takes and gives, in the words of OpenAPI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlspec.engine.serving.example_row import example_row
from mlspec.sdk.contract import Contract, InputColumn

_TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": ["number", "null"]},
    "integer": {"type": ["integer", "null"], "minimum": -(2**53), "maximum": 2**53},
    "string": {"type": ["string", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "datetime": {"type": ["string", "null"], "format": "date-time"},
}


def openapi(contract: Contract, deployment: dict[str, Any], package: Path) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of a package's service, with its real columns and classes."""
    row = {
        "type": "object",
        "properties": {column.name: _column(column) for column in contract.inputs},
        "required": [column.name for column in contract.inputs],
        "additionalProperties": False,
    }
    example = example_row(package)
    if example is not None:
        row["examples"] = [example]
    version = {"type": "string", "description": "the same for the same model"}
    schemas = {
        "Row": row,
        "Rows": {"type": "array", "items": _reference("Row"), "maxItems": deployment["max_rows"]},
        "Answer": _answer(contract),
        "Answered": {"allOf": [_reference("Answer"), {"properties": {"model_version": version}}]},
        "Answers": {
            "type": "object",
            "properties": {
                "predictions": {"type": "array", "items": _reference("Answer")},
                "model_version": version,
            },
            "required": ["predictions", "model_version"],
        },
        "Error": _error(),
    }
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": contract.name, "version": contract.model_version or "0"},
        "paths": {
            "/predict": {"post": _predict()},
            "/healthz": _get("alive"),
            "/readyz": _get("ready to answer"),
        },
        "components": {"schemas": schemas},
    }
    if deployment.get("token_variable"):
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        predict = described["paths"]["/predict"]["post"]
        predict["security"] = [{"token": []}]
        predict["responses"]["401"] = {
            "description": "no token, or a wrong one",
            **_content(_reference("Error")),
        }
    return described


def _column(column: InputColumn) -> dict[str, Any]:
    kind = "number" if column.type == "integer" and column.tensor == "float64" else column.type
    described = {**_TYPES[kind], "description": f"{column.kind}; null where it is not known"}
    if column.timezone is not None:
        described["description"] += f"; a time without a zone is read in {column.timezone}"
        del described["format"]  # the format forbids a time without a zone
    return described


def _answer(contract: Contract) -> dict[str, Any]:
    classes = contract.target.classes
    if not classes:
        return {"type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    shares = {"type": "object", "properties": dict.fromkeys(classes, share), "required": list(classes)}
    return {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(classes)}, "probabilities": shares},
        "required": ["label", "probabilities"],
    }


def _error() -> dict[str, Any]:
    fault = {
        "type": "object",
        "properties": {
            "row": {"type": ["integer", "null"], "description": "0-based"},
            "column": {"type": ["string", "null"]},
            "reason": {"type": "string"},
        },
    }
    properties = {"error": {"type": "string"}, "faults": {"type": "array", "items": fault}}
    return {"type": "object", "properties": properties, "required": ["error"]}


def _predict() -> dict[str, Any]:
    batch = {"type": "object", "properties": {"rows": _reference("Rows")}, "required": ["rows"]}
    body = {"oneOf": [_reference("Row"), _reference("Rows"), {**batch, "additionalProperties": False}]}
    answers = {"oneOf": [_reference("Answered"), _reference("Answers")]}
    refusals = {
        "400": "the body is not JSON",
        "413": "the body is too large, or has too many rows",
        "422": "a row may not pass: names row and column",
        "503": "too many large requests at once",
    }
    return {
        "summary": "Answer a row, or many",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "answers, in the order of the rows", **_content(answers)},
            **{
                code: {"description": text, **_content(_reference("Error"))}
                for code, text in refusals.items()
            },
        },
    }


def _get(meaning: str) -> dict[str, Any]:
    return {"get": {"responses": {"200": {"description": meaning}}}}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
