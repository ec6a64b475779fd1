"""The drift test on exact memories: error rate, power, and what it says when it cannot know."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from mlspec.engine.checking.quantiles import interpolated
from mlspec.engine.watching.drift import drift
from mlspec.engine.watching.seen import Seen


def numbers(values: np.ndarray) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    return {
        "kind": "number",
        "quantiles": list(np.quantile(known, np.arange(1001) / 1000)),
        "nulls": int(np.isnan(values).sum()),
    }


def categories(values: list[str | None], limit: int = 1000) -> dict[str, Any]:
    tally = Counter(value for value in values if value is not None)
    kept = dict(tally.most_common(limit))
    other = sum(tally.values()) - sum(kept.values())
    return {"kind": "category", "counts": kept, "other": other, "nulls": values.count(None)}


def verdict(report: dict[str, Any], column: str) -> str:
    return next(c["verdict"] for c in report["columns"] if c["column"] == column)


def population(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Eight columns such as tables have: skewed, tied, mostly zero, with nulls, few and many categories."""
    tied = np.where(rng.uniform(size=rows) < 0.9, 0.0, rng.lognormal(8, 1, rows))
    holes = np.where(rng.uniform(size=rows) < 0.2, np.nan, rng.normal(size=rows))
    many = (rng.zipf(1.5, size=rows) % 500).astype(str)
    few = rng.choice(["a", "b", "c"], p=[0.7, 0.25, 0.05], size=rows)
    gaps = [None if hole else str(v) for v, hole in zip(few, rng.uniform(size=rows) < 0.1, strict=True)]
    return {
        "fare": rng.lognormal(2.5, 0.6, rows), "tied": tied, "whole": rng.poisson(3, rows).astype(float),
        "holes": holes, "flat": rng.uniform(size=rows), "few": list(few), "many": list(many), "gaps": gaps,
    }  # fmt: skip


def profile(columns: dict[str, Any]) -> dict[str, Any]:
    rows = len(columns["fare"])
    made = {
        n: numbers(v) if isinstance(v, np.ndarray) else categories(v, limit=200) for n, v in columns.items()
    }
    return {"rows": rows, "columns": made}


def observed(columns: dict[str, Any]) -> dict[str, Seen]:
    return {
        n: Seen.of_numbers(v) if isinstance(v, np.ndarray) else Seen.of_categories(v)
        for n, v in columns.items()
    }


@pytest.mark.parametrize(("known", "rows"), [(3000, 30), (3000, 100), (3000, 2000), (300, 2000)])
def test_unchanged_data_raises_no_more_alarms_than_stated(known: int, rows: int) -> None:
    rng = np.random.default_rng([7, known, rows])
    trials, alarms = 120, 0
    for _ in range(trials):
        reference = profile(population(rng, known))
        alarms += drift(reference, observed(population(rng, rows)), smallest_effect=0.0)["drift"]
    # Nothing changed, so every alarm is false: at most 5 % of the looks may raise one; three sigma of room.
    assert alarms <= trials * (0.05 + 3 * np.sqrt(0.05 * 0.95 / trials))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [100, 500, 2000, 100_000])
def test_the_stated_rate_of_false_alarms_holds_from_few_rows_to_many(rows: int) -> None:
    rng = np.random.default_rng([23, rows])
    trials = 40 if rows == 100_000 else 150
    alarms = dict.fromkeys((0.0, 0.1), 0)
    for _ in range(trials):
        reference, now = profile(population(rng, 15_000)), observed(population(rng, rows))
        for smallest in alarms:
            alarms[smallest] += drift(reference, now, smallest_effect=smallest)["drift"]
    assert max(alarms.values()) <= trials * (0.05 + 3 * np.sqrt(0.05 * 0.95 / trials))


@pytest.mark.slow
def test_a_column_scaled_by_a_half_more_is_found_in_a_hundred_rows() -> None:
    rng = np.random.default_rng(29)
    found = 0
    for _ in range(100):
        reference, now = profile(population(rng, 15_000)), population(rng, 100)
        now["fare"] = now["fare"] * 1.5
        found += verdict(drift(reference, observed(now)), "fare") == "drift"
    assert found >= 90


def test_a_column_scaled_by_a_half_more_is_found_among_eight() -> None:
    rng = np.random.default_rng(11)
    found = 0
    for _ in range(40):
        reference, now = profile(population(rng, 3000)), population(rng, 500)
        now["fare"] = now["fare"] * 1.5
        report = drift(reference, observed(now))
        found += verdict(report, "fare") == "drift"
        assert verdict(report, "flat") != "drift"
    assert found >= 38


def test_a_lost_category_and_a_new_one_and_more_nulls_are_found() -> None:
    rng = np.random.default_rng(12)
    reference, now = profile(population(rng, 3000)), population(rng, 1500)
    now["few"] = ["z" if value == "b" else value for value in now["few"]]
    now["gaps"] = [None if i % 3 == 0 else value for i, value in enumerate(now["gaps"])]
    now["holes"] = np.where(np.arange(1500) % 2 == 0, np.nan, now["holes"])
    report = drift(reference, observed(now))
    told = {c["column"]: (c["verdict"], c["what"]) for c in report["columns"] if c["verdict"] == "drift"}
    assert told == {"few": ("drift", "values"), "gaps": ("drift", "nulls"), "holes": ("drift", "nulls")}


def test_few_rows_are_said_to_be_few_and_many_to_be_stable() -> None:
    rng = np.random.default_rng(13)
    reference = profile(population(rng, 5000))
    few = drift(reference, observed(population(rng, 40)))
    many = drift(reference, observed(population(rng, 5000)))
    assert not few["drift"] and verdict(few, "flat") == "too_few_rows"
    assert not many["drift"] and verdict(many, "flat") == "stable"


def test_a_small_reference_is_few_rows_too() -> None:
    rng = np.random.default_rng(14)
    report = drift(profile(population(rng, 60)), observed(population(rng, 100_000)))
    assert verdict(report, "flat") == "too_few_rows"


def test_a_change_too_small_to_matter_is_no_drift() -> None:
    rng = np.random.default_rng(15)
    known, now = rng.normal(size=50_000), rng.normal(loc=0.1, size=50_000)
    reference = {"rows": 50_000, "columns": {"x": numbers(known)}}
    assert not drift(reference, {"x": Seen.of_numbers(now)})["drift"]
    assert drift(reference, {"x": Seen.of_numbers(now)}, smallest_effect=0.02)["drift"]


def test_the_distance_is_that_of_the_samples_to_within_the_grid() -> None:
    from scipy import stats

    rng = np.random.default_rng(16)
    known, now = rng.poisson(3, 20_000).astype(float), rng.poisson(4, 3_000).astype(float)
    report = drift({"rows": 20_000, "columns": {"x": numbers(known)}}, {"x": Seen.of_numbers(now)})
    expected = stats.ks_2samp(known, now).statistic
    assert report["columns"][0]["effect"] == pytest.approx(expected, abs=0.0025)


def test_what_a_sketch_may_have_lost_speaks_against_drift() -> None:
    rng = np.random.default_rng(17)
    reference = {"rows": 20_000, "columns": {"x": categories([str(i % 50) for i in range(20_000)])}}
    sure = Seen.of_categories([str(i % 40) for i in range(2000)])

    def vague(texts: Any) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(texts)), np.full(len(texts), 2000.0)

    assert drift(reference, {"x": sure})["drift"]
    assert not drift(reference, {"x": Seen(rows=2000, nulls=0, counts=vague)})["drift"]
    numbers_reference = {"rows": 20_000, "columns": {"x": numbers(rng.normal(size=20_000))}}
    shifted = Seen.of_numbers(rng.normal(loc=0.4, size=2000))
    assert drift(numbers_reference, {"x": shifted})["drift"]
    loose = Seen(rows=2000, nulls=0, shares=shifted.shares, rank_error=0.2)
    assert not drift(numbers_reference, {"x": loose})["drift"]


def test_odd_columns_are_judged_without_a_fault() -> None:
    empty = {"kind": "number", "quantiles": [], "nulls": 1000}
    constant = {"kind": "number", "quantiles": [5.0] * 1001, "nulls": 0}
    none = {"kind": "category", "counts": {}, "other": 0, "nulls": 1000}
    one = {"kind": "category", "counts": {"a": 1000}, "other": 0, "nulls": 0}
    reference = {
        "rows": 1000,
        "columns": {"empty": empty, "constant": constant, "none": none, "one": one, "gone": one},
    }
    same = {
        "empty": Seen.of_numbers(np.full(1000, np.nan)), "constant": Seen.of_numbers(np.full(1000, 5.0)),
        "none": Seen.of_categories([None] * 1000), "one": Seen.of_categories(["a"] * 1000),
    }  # fmt: skip
    report = drift(reference, same)
    assert [c["verdict"] for c in report["columns"]] == ["stable"] * 4 + ["not_observed"]
    changed = {
        "empty": Seen.of_numbers(np.zeros(1000)), "constant": Seen.of_numbers(np.full(1000, 6.0)),
        "none": Seen.of_categories(["a"] * 1000), "one": Seen.of_categories(["b"] * 1000),
    }  # fmt: skip
    assert [c["verdict"] for c in drift(reference, changed)["columns"]] == ["drift"] * 4 + ["not_observed"]


def test_a_column_of_few_distinct_numbers_does_not_drift_from_itself() -> None:
    # Ties between quantiles of a reference must stay ties: off by one bit they look like a gap.
    random = np.random.default_rng(5)
    places = 41.0 + np.sort(random.random(60)) / 7
    share = random.dirichlet(np.full(60, 0.4))
    then, now = (np.sort(random.choice(places, size, p=share)) for size in (10_483, 800))
    reference = interpolated(then, [step / 1000 for step in range(1001)])
    report = drift(
        {"rows": len(then), "columns": {"x": {"kind": "number", "quantiles": reference, "nulls": 0}}},
        {"x": Seen.of_numbers(now)},
    )
    exact = np.abs(
        np.searchsorted(then, places, "right") / len(then) - np.searchsorted(now, places, "right") / len(now)
    ).max()
    assert report["columns"][0]["effect"] <= exact + 0.001
