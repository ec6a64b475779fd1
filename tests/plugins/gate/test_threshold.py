import math

import pytest
from pydantic import ValidationError

from mlspec.sdk.gate import Measured, Measures, SliceMeasures
from mlspec.sdk.slot import Slot


def threshold(**options: object):
    return Slot("gate", default="threshold").choose({"metric": "auroc", **options})


def told(value: object, then: object = None, interval: object = None) -> Measured:
    other = None if then is None else Measured(Measures({"auroc": then}))
    return Measured(Measures({"auroc": value}, {"auroc": interval}), (), other)


def parts(**values: object) -> tuple[SliceMeasures, ...]:
    """Slices of `sex`; None has too few rows."""
    return tuple(
        SliceMeasures("sex", name, 40, None if value is None else Measures({"auroc": value}))
        for name, value in values.items()
    )


@pytest.mark.parametrize(
    ("value", "options", "passed"),
    [
        (0.9, {"at_least": 0.9}, True),
        (0.89999, {"at_least": 0.9}, False),
        (0.9, {"at_most": 0.9}, True),
        (0.90001, {"at_most": 0.9}, False),
        (0.5, {"at_least": 0.4, "at_most": 0.6}, True),
        (0.7, {"at_least": 0.4, "at_most": 0.6}, False),
        (float("inf"), {"at_most": 0.6}, False),
        (1, {"at_least": 1}, True),
    ],
)
def test_bounds_are_part_of_what_passes(value: float, options: dict, passed: bool) -> None:
    assert threshold(**options).judge(told(value)).passed is passed


@pytest.mark.parametrize("metrics", [{}, {"auroc": None}, {"auroc": math.nan}])
@pytest.mark.parametrize("options", [{"at_least": 0.0}, {"at_most": 1.0}])
def test_what_is_not_known_never_passes(metrics: dict, options: dict) -> None:
    verdict = threshold(**options).judge(Measured(Measures(metrics)))
    assert not verdict.passed and "auroc" in verdict.text


def test_text_says_both_numbers_with_the_digits_that_tell_them_apart() -> None:
    assert threshold(at_least=0.9).judge(told(0.8812)).text == "auroc is 0.8812, must be at least 0.9"
    assert "0.8999999" in threshold(at_least=0.9).judge(told(0.8999999)).text


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"at_least": math.nan},
        {"at_least": 0.9, "at_most": 0.1},
        {"against": "baseline"},
        {"may_drop": 0.1},
        {"against": "baseline", "may_drop": -0.1},
        {"slices": "all"},
    ],
)
def test_a_gate_that_cannot_judge_is_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        threshold(**options)


@pytest.mark.parametrize(
    ("value", "then", "options", "passed"),
    [
        (0.895, 0.9, {"may_drop": 0.005}, True),
        (0.8949, 0.9, {"may_drop": 0.005}, False),
        (0.99, 0.9, {"may_drop": 0}, True),
        (0.905, 0.9, {"may_rise": 0.005}, True),
        (0.9051, 0.9, {"may_rise": 0.005}, False),
        (0.1, 0.9, {"may_rise": 0}, True),
        (0.86, 0.9, {"may_drop": 0.1, "at_least": 0.87}, False),
    ],
)
def test_a_change_from_the_baseline_is_held(value: float, then: float, options: dict, passed: bool) -> None:
    verdict = threshold(against="baseline", **options).judge(told(value, then))
    assert verdict.passed is passed and "0.9" in verdict.text


def test_the_text_says_the_interval_and_what_it_is_held_against() -> None:
    verdict = threshold(against="baseline", may_drop=0.005).judge(told(0.89, 0.9, (0.871, 0.913)))
    assert verdict.text == (
        "auroc is 0.89 (0.87-0.91), must be at least 0.895 (the baseline's 0.9 may drop by 0.005)"
    )


def test_without_a_baseline_fixed_bounds_still_hold_and_it_is_said() -> None:
    alone = threshold(against="baseline", may_drop=0.005).judge(told(0.2))
    assert alone.passed and "mlspec accept" in alone.text
    both = threshold(against="baseline", may_drop=0.005, at_least=0.5).judge(told(0.2))
    assert not both.passed and "mlspec accept" in both.text


def test_an_export_without_the_number_passes_nothing() -> None:
    verdict = threshold(against="other", may_drop=0.005).judge(told(0.2))
    assert not verdict.passed and "'other'" in verdict.text


def test_each_slice_must_pass_and_the_failing_ones_are_named() -> None:
    found = Measured(Measures({"auroc": 0.9}), parts(f=0.7, m=0.95, x=None))
    verdict = threshold(slices="all", at_least=0.75).judge(found)
    assert not verdict.passed
    assert "auroc of sex=f (40 rows) is 0.7, must be at least 0.75" in verdict.text
    assert "sex=m" not in verdict.text and "1 of 3 slices have too few rows" in verdict.text
    passed = threshold(slices="all", at_least=0.7).judge(found)
    assert passed.passed and "sex=f" in passed.text
    worst = threshold(slices="all", at_most=0.95).judge(found)
    assert worst.passed and "sex=m" in worst.text


def test_slices_can_be_named() -> None:
    found = Measured(Measures({"auroc": 0.9}), parts(f=0.7, m=0.95))
    assert threshold(slices=("sex=m",), at_least=0.9).judge(found).passed
    assert not threshold(slices=("sex",), at_least=0.9).judge(found).passed
    strange = threshold(slices=("sex=m", "sex=q"), at_least=0.9).judge(found)
    assert not strange.passed and "no slice 'sex=q'" in strange.text


@pytest.mark.parametrize("slices", [(), parts(f=None)])
def test_slices_that_cannot_tell_pass_nothing(slices: tuple) -> None:
    verdict = threshold(slices="all", at_least=0.1).judge(Measured(Measures({"auroc": 0.9}), slices))
    assert not verdict.passed and "auroc" in verdict.text


def test_a_slice_is_held_against_the_same_slice() -> None:
    then = Measured(Measures({"auroc": 0.9}), parts(f=0.9, m=0.5))
    found = Measured(Measures({"auroc": 0.9}), parts(f=0.8, m=0.6, x=0.1), then)
    verdict = threshold(slices="all", against="baseline", may_drop=0.01).judge(found)
    assert not verdict.passed and "sex=f" in verdict.text and "sex=m" not in verdict.text
