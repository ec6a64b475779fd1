"""What every gate keeps to."""

import math

import pytest

from mlspec import registry
from mlspec.sdk.gate import Gate, Measured, Measures, SliceMeasures

CASES = [
    (kind, example) for kind in registry.kinds("gate") for example in registry.find("gate", kind).examples()
]


def measured(metrics: dict) -> Measured:
    """The same numbers of all rows and of one slice, held against 0.5."""
    then = dict.fromkeys(metrics, 0.5)
    slices = (SliceMeasures("sex", "f", 90, Measures(metrics)), SliceMeasures("sex", "m", 3, None))
    return Measured(Measures(metrics), slices, Measured(Measures(then)))


@pytest.mark.parametrize(("kind", "gate"), CASES)
@pytest.mark.parametrize("metrics", ["missing", None, math.nan])
def test_what_is_not_known_never_passes(kind: str, gate: Gate, metrics: object) -> None:
    verdict = gate.judge(measured({} if metrics == "missing" else {gate.metric: metrics}))
    assert not verdict.passed and gate.metric in verdict.text


@pytest.mark.parametrize(("kind", "gate"), CASES)
def test_a_gate_says_the_measure_and_its_number(kind: str, gate: Gate) -> None:
    verdict = gate.judge(measured({gate.metric: 0.4375}))
    assert gate.metric in verdict.text and "0.4375" in verdict.text


@pytest.mark.parametrize(("kind", "gate"), CASES)
def test_a_gate_can_pass_and_can_fail(kind: str, gate: Gate) -> None:
    verdicts = {
        gate.judge(measured({gate.metric: value})).passed for value in (-1e9, 0.0, 0.25, 0.5, 0.95, 1.0, 1e9)
    }
    assert verdicts == {True, False}
