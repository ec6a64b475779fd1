"""Statistics, quantiles and the reference, against pandas and numpy."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mlspec.engine.checking import quantiles as quantiles_file
from mlspec.engine.checking.quantiles import quantiles
from mlspec.engine.checking.statistics import statistics
from mlspec.engine.preparing.reference import MOST, reference
from tests.tables import table


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    random = np.random.default_rng(2)
    number = random.lognormal(3, 2, 5000)
    number[::17] = np.nan
    text = random.choice(["a", "b", "c", "é", ""], 5000, p=[0.5, 0.2, 0.1, 0.1, 0.1]).astype(object)
    text[::13] = None
    times = pa.array(random.integers(-(10**15), 2 * 10**15, 5000), pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "mlspec_row": np.arange(5000),
            "number": pa.array(number, from_pandas=True),
            "whole": random.integers(-5, 5, 5000),
            "text": pa.array(text, pa.string()),
            "flag": pa.array(random.random(5000) < 0.3),
            "time": times.cast(pa.timestamp("ms", "UTC"), safe=False),
            "empty": pa.nulls(5000, pa.float64()),
        }
    )


def test_numbers_are_summed_up_as_numpy_does(rows: pa.Table) -> None:
    found = statistics(table(rows))
    assert found["rows"] == 5000
    data = rows.to_pandas()
    data["time"] = rows["time"].cast(pa.int64()).to_pandas()
    for name in ("number", "whole", "time"):
        values, entry = data[name].dropna().to_numpy(float), found["columns"][name]
        assert (entry["nulls"], entry["distinct"]) == (data[name].isna().sum(), data[name].nunique())
        assert (entry["min"], entry["max"]) == (values.min(), values.max())
        assert entry["mean"] == pytest.approx(values.mean(), rel=1e-9, abs=1e-9)
        assert entry["std"] == pytest.approx(values.std(), rel=1e-6)
        for share, value in entry["quantiles"].items():
            assert value == pytest.approx(np.quantile(values, float(share)), rel=1e-12)


def test_texts_are_counted_as_pandas_does(rows: pa.Table) -> None:
    found = statistics(table(rows))["columns"]
    for name, data in (
        ("text", rows["text"].to_pandas()),
        ("flag", rows["flag"].to_pandas().map({True: "true", False: "false"})),
    ):
        assert dict(found[name]["top"]) == data.value_counts().to_dict()
        assert [count for _, count in found[name]["top"]] == sorted(data.value_counts(), reverse=True)
        assert found[name]["values"] == sorted(data.dropna().unique())


def test_an_empty_column_and_an_empty_table_have_statistics(rows: pa.Table) -> None:
    found = statistics(table(rows))["columns"]["empty"]
    assert found == {
        "nulls": 5000,
        "distinct": 0,
        "quantiles": {},
        "min": None,
        "max": None,
        "mean": None,
        "std": None,
    }
    none = statistics(table(rows.slice(0, 0)))
    assert none["rows"] == 0 and none["columns"]["text"]["top"] == []


def test_extreme_numbers_stay_plain_json() -> None:
    values = pa.table(
        {
            "mlspec_row": [0, 1, 2, 3],
            "x": [1e308, -1e308, 5e-324, float("nan")],
            "y": [float("inf"), 1.0, 2.0, 3.0],
        }
    )
    text = json.dumps(statistics(table(values)), allow_nan=False)
    assert "1e+308" in text


def test_the_reference_has_a_thousand_steps(rows: pa.Table) -> None:
    nulls = {name: int(rows[name].to_pandas().isna().sum()) for name in rows.column_names}
    found = reference(table(rows), nulls)
    number = rows["number"].to_pandas().dropna()
    assert found["rows"] == 5000
    entry = found["columns"]["number"]
    assert entry["nulls"] == nulls["number"] and len(entry["quantiles"]) == 1001
    np.testing.assert_allclose(entry["quantiles"], np.quantile(number, np.linspace(0, 1, 1001)), rtol=1e-12)
    text = found["columns"]["text"]
    assert sum(text["counts"].values()) + text["other"] + text["nulls"] == 5000
    assert found["columns"]["time"]["kind"] == "number"


def test_rare_values_become_others() -> None:
    values = [f"v{number:05}" for number in range(MOST + 50)]
    rows = table(pa.table({"mlspec_row": range(len(values)), "x": values}))
    found = reference(rows, {"x": 0})["columns"]["x"]
    assert (len(found["counts"]), found["other"], found["nulls"]) == (MOST, 50, 0)
    assert list(found["counts"]) == values[:MOST]


def test_large_tables_are_sampled_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantiles_file, "MOST", 20_000)
    rows = 200_000
    values = pd.DataFrame({"mlspec_row": np.arange(rows), "x": np.arange(rows) % 1000 / 1000.0})
    found = quantiles(table(values), "x", [0.1, 0.5, 0.9], rows)
    np.testing.assert_allclose(found, [0.1, 0.5, 0.9], atol=0.02)
