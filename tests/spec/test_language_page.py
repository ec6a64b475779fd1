"""The page that shows the whole language: each of its words is built, or refused by name as not built yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.errors import SpecError
from mlspec.spec.load import load

PAGE = """\
# yaml-language-server: $schema=.mlspec/spec.schema.json
apiVersion: mlspec/v1
name: adult_income
seed: 7

defaults:
  - hardware: cpu
  - _self_

data:
  name: adult
  source: {kind: csv, path: data/adult.csv}
  key: [person_id]
  weight: survey_weight
  ignore: [fnlwgt]
  event_time: {column: seen_at, timezone: UTC}
  target: {column: income, kind: binary, positive: ">50K", threshold: 0.5}
  features:
    age: number
    hours_per_week: {kind: number, impute: median, scale: standard, clip: [1, 99]}
    workclass: {kind: category, min_count: 10, max_size: 1000}
    hired_at: {kind: datetime, parts: [hour, weekday, month]}
    notes: {kind: text, max_size: 5000}
  split: {kind: random, train: 0.7, val: 0.1, test: 0.2, stratify: true}
  max_rejects: 0.001

validation:
  contract: contracts/adult.yaml
  rules:
    - {kind: not_null, columns: [age]}
    - {kind: in_range, column: age, low: 17, high: 90, at_least: 0.999, severity: warn}
    - {kind: expression, expr: "capital_gain >= 0", where: "age > 30", severity: error}
  drift: {against: reference, false_alarms: 0.05, smallest_effect: 0.1, methods: {age: kolmogorov_smirnov}}

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
  devices: 1
  nodes: 1
  precision: fp32
  strategy: {kind: single}
  launcher: {kind: local}

evaluation:
  metrics: [accuracy, auroc, log_loss]
  slices: [sex, race]
  gates:
    - {metric: auroc, at_least: 0.90}
    - {metric: accuracy, against: baseline, may_drop: 0.005}
    - {metric: accuracy, slices: all, at_least: 0.75}

exports:
  main: {kind: onnx, opset: 20, parity: {rows: 1000, atol: 1e-5, rtol: 1e-5}}
  small: {kind: onnx, quantize: weights_int8, gates: [{metric: auroc, against: main, may_drop: 0.002}]}

deployments:
  online: {kind: rest, export: main, port: 3000}

monitoring:
  monitors: {live: {kind: whylogs, of: online, every: 1h}}
  drift: {against: reference, false_alarms: 0.05, smallest_effect: 0.1}

x-owner: anything
"""
LATER = {
    "    notes: {kind: text, max_size: 5000}\n": {"the feature 'text'"},
    "  drift: {against: reference, false_alarms: 0.05, smallest_effect: 0.1, methods: "
    "{age: kolmogorov_smirnov}}\n": {"'validation.drift'"},
    "  small: {kind: onnx, quantize: weights_int8, gates: [{metric: auroc, against: main, "
    "may_drop: 0.002}]}\n": {"'exports.small.quantize'"},
}
"""Lines of the page that this version does not do, and what is refused in each."""


def test_what_is_not_built_is_refused_by_name_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(PAGE, "utf-8")
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), data=False)
    told = {fault.what.removesuffix(" is not available yet") for fault in caught.value.faults}
    assert told == set().union(*LATER.values())
    assert {fault.code for fault in caught.value.faults} == {"MS0207"}
    assert all(fault.fix for fault in caught.value.faults)


def test_the_rest_of_the_page_is_a_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE
    for line in LATER:
        assert line in text
        text = text.replace(line, "")
    Path("spec.yaml").write_text(text, "utf-8")
    assert load(Path("spec.yaml"), data=False).spec.name == "adult_income"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kind: csv", "kind: iceberg"),
        ("kind: rest", "kind: batch"),
        ("kind: rest", "kind: stream"),
    ],
)
def test_words_that_the_page_lists_beside_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(PAGE.replace(one, other), "utf-8")
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), data=False)
    word = other.removeprefix("kind: ").partition(": ")[2] or other.removeprefix("kind: ")
    assert any(word in fault.what for fault in caught.value.faults)
    assert {fault.code for fault in caught.value.faults} == {"MS0207"}
