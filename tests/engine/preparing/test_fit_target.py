"""What is learned of the target."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from mlspec.engine.preparing.fit_target import fit_target
from mlspec.errors import StepError
from mlspec.sdk.contract import FittedTarget
from tests.tables import table


def fitted(values: list[str], kind: str = "binary", positive: str | None = None) -> FittedTarget:
    return fit_target(table(pa.table({"y": values})), "y", kind, positive)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["0", "1"], ("0", "1")),
        (["true", "false"], ("false", "true")),
        (["True", "False"], ("False", "True")),
        (["Yes", "No"], ("No", "Yes")),
    ],
)
def test_plain_pairs_need_no_positive(values: list[str], classes: tuple[str, ...]) -> None:
    found = fitted([*values, values[0]])
    assert found.classes == classes
    assert dict(zip(found.classes, found.counts, strict=True)) == {values[0]: 2, values[1]: 1}


def test_the_positive_class_is_the_last() -> None:
    assert fitted(["a", "b"], positive="a").classes == ("b", "a")
    assert fitted(["0", "1"], positive="0").classes == ("1", "0")


@pytest.mark.parametrize(
    ("values", "kind", "positive", "told", "fix"),
    [
        (["a", "b"], "binary", None, "'a', 'b': which one is positive", 'positive: "b"'),
        (["a", "b"], "binary", "c", "'c' is no value of 'y'", None),
        (["a", "b", "c"], "binary", "a", "has 3 values: 'a', 'b', 'c'", "kind: category"),
        (["a", "a"], "binary", "a", "is always 'a'", None),
        (["a", "a"], "category", None, "is always 'a'", None),
        (["a", "b"], "category", "a", "only a binary target", "take it out"),
        (
            [str(number) for number in range(10_001)],
            "category",
            None,
            "has 10001 classes",
            "is its kind number",
        ),
    ],
)
def test_classes_that_do_not_suit_are_told(
    values: list[str], kind: str, positive: str | None, told: str, fix: str | None
) -> None:
    with pytest.raises(StepError, match=told) as caught:
        fitted(values, kind, positive)
    assert (fix or "") in (caught.value.fix or "")


def test_classes_are_in_the_order_of_their_numbers_or_texts() -> None:
    assert fitted([str(number) for number in range(12)], "category").classes == tuple(
        str(number) for number in range(12)
    )
    assert fitted(["b", "a", "B", "é"], "category").classes == ("B", "a", "b", "é")


def test_a_number_has_mean_and_deviation() -> None:
    values = np.random.default_rng(0).normal(5, 3, 1000)
    found = fit_target(table(pa.table({"y": values})), "y", "number", None)
    assert found.mean == pytest.approx(values.mean(), rel=1e-9)
    assert found.std == pytest.approx(values.std(), rel=1e-9)
    with pytest.raises(StepError, match="is 3 in every training row"):
        fit_target(table(pa.table({"y": [3.0, 3.0]})), "y", "number", None)
