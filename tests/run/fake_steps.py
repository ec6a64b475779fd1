"""Tiny steps in the place of the real ones: they write what their parameters and inputs say."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import types
from pathlib import Path

from mlspec.errors import MissingError
from mlspec.sdk.frozen import freeze
from mlspec.sdk.slot import Slot

SPEC = """\
apiVersion: mlspec/v1
name: small
data:
  source: {kind: csv, path: data/rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features:
    a: number
    b: number
model: {kind: mlp, hidden: [4]}
training: {epochs: 2, optimizer: {kind: adamw, lr: 0.001}}
x-owner: me
"""
FILES = {
    "ingest": ("manifest.json", "statistics.json", "rejects.json", "contract.yaml"),
    "validate": ("report.json", "passed"),
    "prepare": ("features.json", "target.json", "features.onnx", "shards/train/0.bin", "rows/test.parquet",
                "rows/parity.parquet", "reference.json", "ledger.json"),
    "train": ("weights.safetensors", "model.json"),
    "export": ("model.onnx", "contract.json", "parity.json"),
    "evaluate": ("metrics.json", "intervals.json", "slices.json", "answers.json"),
    "gate": ("report.json", "passed"),
    "package": ("package.json",),
}  # fmt: skip


class FakeSteps:
    """Counts the steps that ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.failing: dict[str, Exception] = {}

    def install(self, put=sys.modules.__setitem__) -> None:
        """Stand in for the real steps."""
        for kind in FILES:
            module = types.ModuleType(f"mlspec.steps.{kind}")
            setattr(module, kind, self.work)
            put(module.__name__, module)

    def work(self, parameters, inputs, output: Path, context) -> None:
        self.ran.append(context.step)
        time.sleep(float(os.environ.get("FAKE_STEP_SECONDS", "0")))
        kind = context.step.partition("-")[0]
        read = {
            str(file.relative_to(context.workspace)): file.read_text()
            for folder in inputs.values()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
        if kind == "ingest":
            path = parameters["data"]["source"]["path"]
            files = sorted(context.workspace.glob(f"{path}/*.csv")) or sorted(context.workspace.glob(path))
            if not files:
                raise MissingError("there is no file")
            read["source"] = [file.read_text() for file in files]
        for name in FILES[kind]:
            content = {"file": name, "parameters": parameters, "inputs": hash_of(read)}
            if name == "manifest.json":
                source = Slot("source").choose(freeze(parameters["data"]["source"]))
                content["fingerprint"] = source.fingerprint(context)
            text = "passed\n" if name == "passed" else json.dumps(content, sort_keys=True)
            if name == "metrics.json":
                text = json.dumps({"accuracy": 0.9})
            if name == "intervals.json":
                text = json.dumps(
                    {"confidence": 0.95, "metrics": {"accuracy": [0.85, 0.95]}, "resamples": 500}
                )
            if name == "slices.json":
                text = json.dumps({"slices": {}})
            if context.step == "gate" and name == "report.json":
                text = json.dumps({"gates": [{"passed": True, "text": "accuracy is 0.9"}]})
            if context.step in self.failing and name == "passed":
                continue
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            (output / name).write_text(text)
        if context.step in self.failing:
            raise self.failing[context.step]

    def take(self) -> list[str]:
        ran, self.ran = self.ran, []
        return ran


def hash_of(value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
