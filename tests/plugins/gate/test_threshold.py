import math

import pytest
from pydantic import ValidationError

from mlspec.sdk.slot import Slot


def threshold(**options: object):
    return Slot("gate", default="threshold").choose({"metric": "auroc", **options})


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
    assert threshold(**options).judge({"auroc": value}).passed is passed


@pytest.mark.parametrize("metrics", [{}, {"auroc": None}, {"auroc": math.nan}])
@pytest.mark.parametrize("options", [{"at_least": 0.0}, {"at_most": 1.0}])
def test_what_is_not_known_never_passes(metrics: dict, options: dict) -> None:
    verdict = threshold(**options).judge(metrics)
    assert not verdict.passed and "auroc" in verdict.text


def test_text_says_both_numbers_with_the_digits_that_tell_them_apart() -> None:
    assert threshold(at_least=0.9).judge({"auroc": 0.8812}).text == "auroc is 0.8812, must be at least 0.9"
    assert "0.8999999" in threshold(at_least=0.9).judge({"auroc": 0.8999999}).text


@pytest.mark.parametrize("options", [{}, {"at_least": math.nan}, {"at_least": 0.9, "at_most": 0.1}])
def test_a_gate_that_cannot_judge_is_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        threshold(**options)
