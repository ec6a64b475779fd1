"""Rows told apart, what each part is held against, and the error rate that they share."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mlspec.engine.files import write_json
from mlspec.engine.watching._p_values import adjusted, even
from mlspec.engine.watching.drift import drift
from mlspec.engine.watching.seen import Seen
from mlspec.engine.watching.segment_references import FEWEST, MOST, segment_references, segments
from mlspec.engine.watching.segments import FILE, parted, read_segments
from mlspec.errors import StepError
from mlspec.sdk.segment import Segment

TOWNS = ["Bern"] * 60 + ["Zug"] * 50 + [None] * 40 + ["Chur"] * (FEWEST - 1)


def test_frequent_values_have_a_segment_and_all_the_others_one_together() -> None:
    found = segments("town", pa.chunked_array([TOWNS]))
    assert [(one.value, one.others) for one in found] == [
        ("Bern", None), ("Zug", None), (None, None), (None, ("Bern", "Zug", None)),
    ]  # fmt: skip
    many = [f"v{place:02d}" for place in range(MOST + 5) for _ in range(FEWEST)]
    assert len(segments("town", pa.chunked_array([many]))) == MOST + 1
    assert len({one.key for one in found}) == 4


def test_a_segment_of_others_is_another_one_when_what_is_beside_it_changed() -> None:
    assert Segment("town", None, ("Bern",)).key != Segment("town", None, ("Bern", "Zug")).key
    assert Segment("town", "a/../b").key.isalnum() and len(Segment("town", "\udc80").key) == 16
    for one in segments("town", pa.chunked_array([TOWNS])):
        assert Segment.of(one.plain()) == one


@pytest.mark.parametrize(
    "values", [TOWNS, pa.array(TOWNS).dictionary_encode(), pa.array(TOWNS, pa.large_string())]
)
def test_each_row_goes_into_one_segment_of_a_column_with_its_own_answer(values: Any) -> None:
    found = [*segments("town", pa.chunked_array([TOWNS])), Segment("y", "1"), Segment("y", None, ("1",))]
    count = len(TOWNS)
    rows = pa.RecordBatch.from_pydict({"town": values, "y": [place % 3 for place in range(count)]})
    answers = pa.RecordBatch.from_pydict({"value": np.arange(count, dtype=np.float64)})
    told = {segment.text: own["value"].to_pylist() for segment, _, own in parted(found, rows, answers)}
    assert told["town = Bern"] == list(range(60)) and told["town is null"] == list(range(110, 150))
    assert told["town: any other"] == list(range(150, count))
    assert told["y = 1"] == [place for place in range(count) if place % 3 == 1]
    assert sum(len(own) for own in told.values()) == 2 * count


def test_a_reference_holds_the_rows_of_its_segment_and_no_others() -> None:
    ages = np.where(np.array([town == "Zug" for town in TOWNS]), 70.0, 30.0)
    table = pa.table({"town": pa.array(TOWNS), "age": ages})
    answers = pa.table({"label": ["old" if age > 50 else "young" for age in ages]})
    made = segment_references(["town"], table.column, ["town", "age"], answers)
    by_text = {Segment.of(entry).text: entry for entry in made}
    zug = by_text["town = Zug"]
    assert zug["inputs"]["rows"] == 50 and set(zug["inputs"]["columns"]["age"]["quantiles"]) == {70.0}
    assert zug["answers"]["columns"]["label"]["counts"] == {"old": 50}
    assert by_text["town is null"]["inputs"]["columns"]["town"] == {
        "kind": "category", "counts": {}, "other": 0, "nulls": 40,
    }  # fmt: skip
    assert by_text["town: any other"]["inputs"]["columns"]["town"]["counts"] == {"Chur": FEWEST - 1}


def test_a_package_without_segments_has_none_and_a_broken_file_is_named(tmp_path: Path) -> None:
    assert read_segments(tmp_path) == []
    write_json(tmp_path / FILE, {"segments": [{"column": "town"}]})
    with pytest.raises(StepError, match=r"segments\.json"):
        read_segments(tmp_path)


def test_each_family_has_the_same_part_of_the_error_rate() -> None:
    generator = np.random.default_rng(5)
    families = [""] * 10 + ["segments"] * 190
    whole = segment = 0
    for _ in range(2000):
        p = generator.uniform(size=200)
        told = np.array(adjusted(list(p), even(families))) <= 0.1
        whole += told[:10].any()
        segment += told[10:].any()
    assert (whole + segment) / 2000 < 0.12 and 0.03 < whole / 2000 < 0.07 and 0.03 < segment / 2000 < 0.07


def test_many_segments_cost_the_whole_table_half_of_its_error_rate_and_not_more() -> None:
    generator = np.random.default_rng(2)
    grid = np.quantile(generator.normal(size=50_000), np.arange(1001) / 1000).tolist()
    column = {"kind": "number", "quantiles": grid, "nulls": 0}
    moved = Seen.of_numbers(generator.normal(size=400) + 0.3)
    alone = drift({"rows": 50_000, "columns": {"x": column}}, {"x": moved})["columns"][0]
    names = [f"s{place}" for place in range(400)]
    columns = {"x": column, **{name: {**column, "family": "segments"} for name in names}}
    same = {name: Seen.of_numbers(generator.normal(size=400)) for name in names}
    among = drift({"rows": 50_000, "columns": columns}, {"x": moved, **same})["columns"][0]
    assert among["verdict"] == "drift" and among["adjusted_p"] == pytest.approx(2 * alone["adjusted_p"])
