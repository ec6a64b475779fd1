"""Each way to tell a change against SciPy, on the samples themselves; and what luck makes of a distance."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from mlspec.engine.watching.drift import drift
from mlspec.engine.watching.seen import Seen
from mlspec.sdk.drift_method import METHODS
from mlspec.spec.monitoring import Drift, DriftDistance
from tests.engine.watching.test_drift import categories, numbers


def told(known: dict[str, Any], rows: int, seen: Seen, method: str, threshold: float | None = None) -> Any:
    asked = {"method": method} | ({} if threshold is None else {"threshold": threshold})
    report = drift({"rows": rows, "columns": {"x": {**known, "method": asked}}}, {"x": seen})
    return report["columns"][0]


def test_the_words_of_the_language_are_those_that_are_built() -> None:
    words = get_args(get_args(get_args(Drift.model_fields["methods"].annotation)[1])[0])
    distances = get_args(DriftDistance.model_fields["method"].annotation)
    assert set(words) == set(METHODS)
    assert set(distances) == {name for name, method in METHODS.items() if method.threshold}


SHAPES = {
    "skewed": lambda rng, n: rng.lognormal(2.5, 0.6, n),
    "whole": lambda rng, n: rng.poisson(3, n).astype(float),
    "mostly zero": lambda rng, n: np.where(rng.uniform(size=n) < 0.8, 0.0, rng.lognormal(2, 1, n)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [1.0, 1.2])
def test_mann_whitney_is_that_of_scipy(shape: str, scale: float) -> None:
    rng = np.random.default_rng(31)
    then, now = SHAPES[shape](rng, 15_000), SHAPES[shape](rng, 400) * scale
    found = told(numbers(then), len(then), Seen.of_numbers(now), "mann_whitney")
    expected = stats.mannwhitneyu(now, then, method="asymptotic", use_continuity=False)
    delta = abs(2 * expected.statistic / (len(then) * len(now)) - 1)
    assert found["test"] == "mann_whitney" and found["effect"] == pytest.approx(delta, abs=0.004)
    assert math.log10(found["p"]) == pytest.approx(math.log10(expected.pvalue), rel=0.05, abs=0.05)


def test_mann_whitney_raises_no_more_alarms_than_stated() -> None:
    rng = np.random.default_rng(33)
    for shape in SHAPES.values():
        alarms = 0
        for _ in range(300):
            known = {**numbers(shape(rng, 2000)), "method": {"method": "mann_whitney"}}
            seen = {"x": Seen.of_numbers(shape(rng, 100))}
            report = drift({"rows": 2000, "columns": {"x": known}}, seen, smallest_effect=0.0)
            alarms += report["drift"]
        assert alarms <= 300 * (0.05 + 3 * math.sqrt(0.05 * 0.95 / 300))


def test_without_values_numbers_are_told_by_the_sketch() -> None:
    rng = np.random.default_rng(34)
    whole = Seen.of_numbers(rng.normal(size=500))
    sketch = Seen(rows=500, nulls=0, shares=whole.shares)
    assert told(numbers(rng.normal(size=5000)), 5000, sketch, "mann_whitney")["test"] == "kolmogorov_smirnov"


@pytest.mark.parametrize("count", [2, 4])
def test_chi_square_is_that_of_scipy(count: int) -> None:
    rng = np.random.default_rng(35)
    names = [f"v{i}" for i in range(count)]
    then = list(rng.choice(names, size=4000))
    now = list(rng.choice(names, p=np.arange(1, count + 1) / sum(range(1, count + 1)), size=300))
    found = told(categories(then), 4000, Seen.of_categories(now), "chi_square")
    table = [[side.count(name) for name in names] for side in (then, now)]
    expected = stats.chi2_contingency(table, correction=False).pvalue
    assert found["test"] == "chi_square" and found["p"] == pytest.approx(expected, rel=1e-9)


def test_fisher_exact_looks_at_the_most_common_value_against_all_others() -> None:
    then = ["a"] * 900 + ["b"] * 70 + ["c"] * 30
    now = ["a"] * 80 + ["b"] * 10 + ["c"] * 10
    found = told(categories(then), 1000, Seen.of_categories(now), "fisher_exact")
    low, high = (
        stats.fisher_exact([[900, 100], [80, 20]], alternative=side).pvalue for side in ("less", "greater")
    )
    assert found["test"] == "fisher_exact" and found["p"] == pytest.approx(2 * min(low, high), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_wasserstein_is_that_of_scipy_to_within_the_grid(shape: str) -> None:
    rng = np.random.default_rng(36)
    then, now = SHAPES[shape](rng, 20_000), SHAPES[shape](rng, 3000) * 1.5
    found = told(numbers(then), len(then), Seen.of_numbers(now), "wasserstein", 0.5)
    assert found["effect"] == pytest.approx(stats.wasserstein_distance(then, now), rel=0.02)
    assert (found["verdict"], found["p"], found["adjusted_p"]) == ("drift", None, None)


def binned(then: np.ndarray, now: np.ndarray) -> list[np.ndarray]:
    edges = np.unique(np.quantile(then, np.arange(1, 10) / 10))
    return [np.bincount(np.searchsorted(edges, side), minlength=10) / len(side) for side in (then, now)]


def test_distances_of_shares_are_those_between_the_deciles() -> None:
    rng = np.random.default_rng(37)
    then, now = rng.normal(size=20_000), rng.normal(loc=0.3, size=2000)
    known, seen = numbers(then), Seen.of_numbers(now)
    old, new = binned(then, now)
    expected = jensenshannon(old, new, base=2)
    assert told(known, 20_000, seen, "jensen_shannon", 0.05)["effect"] == pytest.approx(expected, abs=0.002)
    index = ((new - old) * np.log(new / old)).sum()
    found = told(known, 20_000, seen, "population_stability_index", 0.05)
    assert found["effect"] == pytest.approx(index, rel=0.03) and found["threshold"] == 0.05


def test_distances_of_categories_are_exact() -> None:
    then, now = ["a"] * 500 + ["b"] * 300 + ["c"] * 200, ["a"] * 30 + ["b"] * 50 + ["c"] * 20
    known, seen = categories(then), Seen.of_categories(now)
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.3, 0.5, 0.2])
    found = told(known, 1000, seen, "jensen_shannon", 0.1)
    assert found["effect"] == pytest.approx(jensenshannon(old, new, base=2), rel=1e-12)
    found = told(known, 1000, seen, "population_stability_index", 0.1)
    assert found["effect"] == pytest.approx(((new - old) * np.log(new / old)).sum(), rel=1e-12)
    gone = told(known, 1000, Seen.of_categories(["a"] * 100), "population_stability_index", 0.1)
    assert math.isfinite(gone["effect"]) and gone["verdict"] == "drift"


def test_what_luck_makes_of_a_distance_is_about_what_it_is_said_to_make() -> None:
    rng = np.random.default_rng(38)
    then = rng.lognormal(0, 0.7, 20_000)
    known = numbers(then)
    for method, power in (("wasserstein", 1), ("jensen_shannon", 2), ("population_stability_index", 1)):
        found = [
            told(known, 20_000, Seen.of_numbers(rng.lognormal(0, 0.7, 200)), method, 1e-9) for _ in range(120)
        ]
        assert {column["verdict"] for column in found} == {"too_few_rows"}
        mean = np.mean([column["effect"] ** power for column in found]) ** (1 / power)
        least, most = mean / 1.3, mean * 1.3
        at = [told(known, 20_000, Seen.of_numbers(then[:200]), method, limit) for limit in (least, most)]
        assert at[0]["verdict"] == "too_few_rows" and at[1]["verdict"] != "too_few_rows", method


def test_nulls_beside_a_distance_are_tested_as_ever() -> None:
    rng = np.random.default_rng(39)
    known = numbers(rng.normal(size=5000))
    holes = Seen.of_numbers(np.where(rng.uniform(size=800) < 0.3, np.nan, rng.normal(size=800)))
    found = told(known, 5000, holes, "wasserstein", 0.5)
    assert (found["verdict"], found["what"], found["test"]) == ("drift", "nulls", "null_share")


def test_a_distance_does_not_loosen_the_error_rate_of_the_others() -> None:
    rng = np.random.default_rng(40)
    then, now = rng.normal(size=5000), rng.normal(loc=0.2, size=300)
    alone = drift({"rows": 5000, "columns": {"x": numbers(then)}}, {"x": Seen.of_numbers(now)})
    far = {**numbers(then), "method": {"method": "wasserstein", "threshold": 0.1}}
    both = drift(
        {"rows": 5000, "columns": {"x": numbers(then), "y": far}},
        {"x": Seen.of_numbers(now), "y": Seen.of_numbers(now + 9)},
    )
    assert both["columns"][0]["adjusted_p"] == alone["columns"][0]["adjusted_p"]
    assert both["columns"][1]["verdict"] == "drift"
