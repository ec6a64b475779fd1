"""A spec that uses most of the language, and the header of its data."""

from __future__ import annotations

from pathlib import Path

HEADER = "person_id,survey_weight,fnlwgt,seen_at,income,age,hours per week,workclass,hired_at,citizen,sex\n"
TEXT = """\
apiVersion: mlspec/v1
name: adult_income
seed: 7
x-owner: anyone

defaults:
  - hardware: cpu
  - _self_

data:
  name: adult
  source: {kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}
  key: [person_id]
  weight: survey_weight
  ignore: [fnlwgt]
  event_time: {column: seen_at, timezone: UTC}
  target:
    column: income
    kind: binary
    positive: ">50K"
    threshold: 0.5
  features:
    age: number
    hours per week: {kind: number, impute: median, scale: standard, clip: [1, 99]}
    workclass: {kind: category, min_count: 10, max_size: 1000}
    hired_at: {kind: datetime, parts: [hour, weekday, month]}
    citizen: binary
  split: {kind: random, train: 0.7, val: 0.1, test: 0.2, stratify: true}
  max_rejects: 0.001

validation:
  contract: contracts/adult.yaml
  rules:
    - {kind: not_null, columns: [age]}
    - {kind: in_range, column: age, low: 17, high: 90, at_least: 0.999, severity: warn}

model: {kind: mlp, hidden: [128, 128], dropout: 0.1}

training:
  epochs: 5
  batch_size: 256
  optimizer: {kind: adamw, lr: 1e-3, weight_decay: 0.01}
  schedule: {kind: one_cycle}
  early_stopping: {metric: auroc, patience: 3}
  class_weights: balanced
  checkpoint: {every: 5m}

hardware:
  accelerator: auto
  precision: fp32

evaluation:
  metrics: [accuracy, auroc, log_loss]
  slices: [sex]
  gates:
    - {metric: auroc, at_least: 0.90}
    - {metric: accuracy, against: baseline, may_drop: 0.005}
    - {metric: accuracy, slices: all, at_least: 0.75}

exports:
  main: {kind: onnx, opset: 20, parity: {rows: 1000}, gates: [{at_least: 0.6, metric: auroc}]}

deployments:
  online: {kind: rest, export: main, port: 3000}

monitoring:
  monitors:
    live: {kind: whylogs, of: online}
  segments: [workclass]
  drift:
    against: reference
    false_alarms: 0.05
    smallest_effect: 0.1
    methods:
      hours per week: kolmogorov_smirnov
      workclass: {method: population_stability_index, threshold: 0.2}
"""


def write_full(folder: Path, text: str = TEXT) -> Path:
    """Write a spec and a data file with a header, and return the spec's path."""
    (folder / "adult.csv").write_text(HEADER)
    spec = folder / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    return spec
