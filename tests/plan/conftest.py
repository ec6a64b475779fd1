from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.spec.load import load_spec
from mlspec.spec.spec import Spec

SPEC = """\
apiVersion: mlspec/v1
name: adult
seed: 7
data:
  source: {kind: csv, path: data/rows.csv}
  key: [id]
  weight: w
  ignore: [junk]
  event_time: {column: seen, timezone: UTC}
  target: {column: y, kind: binary, positive: "yes", threshold: 0.4}
  features:
    age: {kind: number, clip: [0, 99]}
    job: {kind: category, min_count: 2}
    hired: {kind: datetime, parts: [hour]}
  split: {kind: random, train: 0.7, val: 0.1, test: 0.2}
  max_rejects: 0.01
validation:
  contract: contracts/mine.yaml
  rules:
    - {kind: not_null, columns: [age]}
    - {kind: in_range, column: age, low: 1, high: 99, at_least: 0.9}
model: {kind: mlp, hidden: [8]}
training:
  epochs: 3
  batch_size: 32
  optimizer: {kind: adamw, lr: 0.001}
  schedule: {kind: one_cycle}
  early_stopping: {metric: auroc, patience: 2}
  class_weights: balanced
  checkpoint: {every: 5m}
hardware: {accelerator: cpu}
evaluation:
  metrics: [accuracy, auroc]
  slices: [job]
  gates:
    - {metric: auroc, at_least: 0.5}
exports:
  main: {kind: onnx, gates: [{metric: auroc, at_least: 0.6}]}
deployments:
  online: {kind: rest, export: main, port: 3000}
monitoring:
  monitors: {live: {kind: whylogs, of: online, every: 1h}}
  drift: {false_alarms: 0.05}
sweep:
  metric: auroc
  trials: 5
  parameters: {model.dropout: {low: 0.0, high: 0.5}, training.batch_size: {low: 8, high: 64, step: 8}}
x-owner: me
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rows.csv").write_text("id,w,junk,seen,y,age,job,hired\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path / "spec.yaml"


@pytest.fixture
def spec(written: Path) -> Spec:
    return load_spec(written)
