"""A quantile is measured as a quantile."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec import build_plan, load_spec
from mlspec.errors import SpecError

TEXT = """apiVersion: mlspec/v1
name: tips
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: number}
  features: {x: number}
  split: {kind: random, train: 0.7, val: 0.1, test: 0.2}
model: {kind: linear}
training:
  loss: {kind: quantile, q: 0.9}
"""


def _written(folder: Path, more: str) -> Path:
    (folder / "rows.csv").write_text("x,y\n1,2\n")
    file = folder / "spec.yaml"
    file.write_text(TEXT + more)
    return file


def test_the_measure_of_a_quantile_comes_with_the_loss(tmp_path: Path) -> None:
    gate = "evaluation: {gates: [{metric: pinball, at_most: 1}]}\n"
    plan = build_plan(load_spec(_written(tmp_path, gate)))
    first, *more = plan.step("evaluate-main").parameters["evaluation"]["metrics"]
    assert (first["kind"], first["q"]) == ("pinball", 0.9) and "mae" in [metric["kind"] for metric in more]


@pytest.mark.parametrize("metric", ["pinball", "{kind: pinball, q: 0.1}"])
def test_the_measure_of_another_quantile_is_refused(tmp_path: Path, metric: str) -> None:
    with pytest.raises(SpecError, match="judges the quantile") as raised:
        load_spec(_written(tmp_path, f"evaluation:\n  metrics:\n    - mae\n    - {metric}\n"))
    fault = raised.value.faults[0]
    assert fault.where.line == 14 and fault.fix == "use {kind: pinball, q: 0.9}"


def test_the_same_quantile_is_taken(tmp_path: Path) -> None:
    load_spec(_written(tmp_path, "evaluation: {metrics: [mae, {kind: pinball, q: 0.9}]}\n"))
