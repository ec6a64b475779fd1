"""A package folder: all that production needs, with the same bytes for the same model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspec.engine.files import read_json, write_bytes, write_json
from mlspec.engine.serving.wheel import requirements, wheel
from mlspec.errors import StepError
from mlspec.sdk.contract import Contract

SERVICE = '''"""The service that BentoML runs; `mlspec serve` runs the same application without BentoML."""

import os

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import bentoml
from mlspec.engine.serving.service import service

application = service(os.path.dirname(os.path.abspath(__file__)))


@bentoml.asgi_app(application, path="/")
@bentoml.service(
    name="{name}",
    http={{"host": os.environ.get("BENTOML_HOST", "127.0.0.1")}},
    metrics={{"enabled": False}},
    logging={{"access": {{"enabled": False}}}},
    tracing={{"excluded_urls": ".*"}},
)
class Service:
    """Mounts the application and adds nothing."""
'''
BENTOFILE = """service: "service:Service"
name: {name}
description: "{title}, made by mlspec"
labels:
  model_version: "{version}"
include:
  - "*.json"
  - "*.onnx"
  - "*.py"
  - "*.md"
python:
  requirements_txt: ./requirements.txt
  lock_packages: false
  wheels:
    - ./{wheel}
docker:
  python_version: "3.11"
  env:
    BENTOML_HOST: "0.0.0.0"
    BENTOML_DO_NOT_TRACK: "True"
"""
README = """# {title}

A model as a web service, packed by mlspec. Nothing but this folder is needed.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt ./{wheel}
    .venv/bin/bentoml serve . --port {port}

    bentoml build . && bentoml containerize {name}:latest

POST a row, a list of rows or `{{"rows": [...]}}` to `/predict`; `/openapi.json` names the columns. Any ONNX
Runtime answers with `model.onnx` as well: `contract.json` says what its inputs are, `conformance.json` holds
rows and answers to check a client with. `MLSPEC_MONITOR=<folder>` makes the service write whylogs profiles of
rows and answers there; `mlspec monitor . --folder <folder>` compares them with the references in here.
{asks}"""
ASKS = """
Who asks must show a token, `Authorization: Bearer <token>`; `/healthz` and `/readyz` stay open. The token
is what the environment variable `{variable}` holds when the service starts (`docker run -e {variable} ...`).
"""


def pack(export: Path, deployment: Mapping[str, Any], references: Mapping[str, Path], output: Path) -> None:
    """Write a package.

    Args:
        export: Folder with `model.onnx`, `contract.json` and, where there is one, `conformance.json`.
        deployment: `name`, `deployment`, `kind` and the options of the service; becomes `deployment.json`.
        references: `inputs` and `answers`: JSON files that monitoring compares with; each may be absent.
        output: An empty folder.

    Raises:
        StepError: the export has no model or no contract.
        MissingError: the parts of mlspec that serve are not installed as a whole.
    """
    for needed in ("model.onnx", "contract.json"):
        if not (export / needed).is_file():
            raise StepError(f"the export has no '{needed}'", fix="choose an export of the kind onnx")
    contract = Contract.revive(read_json(export / "contract.json"))
    for file in ("model.onnx", "contract.json", "conformance.json"):
        if (export / file).is_file():
            write_bytes(output / file, (export / file).read_bytes())
    if "inputs" in references:
        write_json(output / "reference.json", _of_inputs(read_json(references["inputs"]), contract))
    if "answers" in references:
        write_json(output / "answers.json", read_json(references["answers"]))
    settings = {"version": 1, "model_version": contract.model_version, **deployment}
    write_json(output / "deployment.json", settings)
    _write_bento(output, settings)


def _of_inputs(reference: dict[str, Any], contract: Contract) -> dict[str, Any]:
    """Return the profiles of the inputs. Times are marked: they move on, and only their nulls can drift."""
    known = reference["columns"]
    columns = {
        column.name: {**known[column.name], **({"kind": "datetime"} if column.type == "datetime" else {})}
        for column in contract.inputs
        if column.name in known
    }
    return {"rows": reference["rows"], "columns": columns}


def _write_bento(output: Path, settings: Mapping[str, Any]) -> None:
    built = wheel(output)
    words = {
        "name": f"{settings['name']}_{settings['deployment']}",
        "title": f"{settings['name']} ({settings['deployment']})",
        "version": settings["model_version"],
        "wheel": built.name,
        "port": 3000,
        "asks": ASKS.format(variable=settings["token_variable"]) if "token_variable" in settings else "",
    }
    write_bytes(output / "requirements.txt", "".join(f"{line}\n" for line in requirements()).encode())
    for file, text in {"service.py": SERVICE, "bentofile.yaml": BENTOFILE, "README.md": README}.items():
        write_bytes(output / file, text.format(**words).encode())
