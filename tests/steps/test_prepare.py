"""The step `prepare`."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from mlspec.engine.builder import CODES, NUMBERS
from mlspec.engine.files import read_json
from mlspec.engine.graph.features import read_features
from mlspec.engine.graph.session import Session
from mlspec.engine.preparing.fit_target import fit_target
from mlspec.engine.preparing.shards import open_shards
from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.steps.prepare import prepare
from tests.steps.data_rows import FEATURES, context, data, digests, prepared, rows

TIMES = {"seen": pa.timestamp("ms", "UTC")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepare")
    return prepared(folder / "out", data(), context(folder))


def test_it_writes_what_the_architecture_says(made: Path) -> None:
    files = {"numbers.npy", "codes.npy"}
    shards = {
        f"shards/{split}/{name}"
        for split in ("train", "val")
        for name in (*files, "target.npy", "weight.npy")
    }
    assert set(digests(made)) == {
        "features.onnx",
        "features.json",
        "target.json",
        "reference.json",
        "ledger.json",
        "warnings.json",
        "provenance.json",
        "rows/train.parquet",
        "rows/test.parquet",
        "rows/parity.parquet",
        *shards,
        *(f"shards/parity/{name}" for name in files),
    }


def test_two_folders_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = prepared(tmp_path / "elsewhere" / "out", data(), context(tmp_path / "elsewhere"))
    assert digests(again) == digests(made)


def test_another_seed_moves_rows(made: Path, tmp_path: Path) -> None:
    other = prepared(tmp_path / "out", data(), context(tmp_path), seed=8)
    assert digests(other)["rows/test.parquet"] != digests(made)["rows/test.parquet"]


def test_the_ledger_accounts_for_every_row(made: Path) -> None:
    ledger = read_json(made / "ledger.json")
    assert ledger["read"] == 600 == ledger["train"] + ledger["val"] + ledger["test"]
    assert ledger["rejected"] == {"rows": 0, "reasons": []}
    assert ledger["train"] == open_shards(made / "shards" / "train").rows == pytest.approx(420, abs=1)
    assert ledger["val"] == open_shards(made / "shards" / "val").rows
    assert ledger["test"] == parquet.read_metadata(made / "rows" / "test.parquet").num_rows


def test_test_rows_are_raw_as_the_door_takes_them(made: Path) -> None:
    table = parquet.read_table(made / "rows" / "test.parquet")
    assert table.schema.names == ["id", "age", "job", "member", "seen", "w", "region", "income"]
    wanted = rows().set_index("id").loc[table["id"].to_pylist()]
    for name, kind in (
        ("age", pa.float64()),
        ("job", pa.string()),
        ("w", pa.float64()),
        ("income", pa.string()),
    ):
        assert table[name].type == kind
        values = [None if pd.isna(value) or value == "" else value for value in wanted[name]]
        assert table[name].to_pylist() == values
    assert table["seen"].type == TIMES["seen"]
    local = pd.to_datetime(wanted["seen"]).dt.tz_localize(
        ZoneInfo("Europe/Berlin"), ambiguous=False, nonexistent="shift_forward"
    )
    assert [value.timestamp() for value in table["seen"].to_pylist()] == [
        value.timestamp() for value in local
    ]


def test_splits_do_not_overlap_and_keep_the_order(made: Path) -> None:
    order = {name: place for place, name in enumerate(rows()["id"])}
    places = [order[name] for name in parquet.read_table(made / "rows" / "test.parquet")["id"].to_pylist()]
    assert places == sorted(set(places))


def test_shards_are_the_feature_graph_of_the_rows(made: Path) -> None:
    frame = rows()
    held_out = set(parquet.read_table(made / "rows" / "test.parquet")["id"].to_pylist())
    kept = frame[~frame["id"].isin(held_out)]
    columns, shape = read_features(made)
    batch = pa.RecordBatch.from_pydict(
        {
            "age": pa.array(kept["age"], from_pandas=True),
            "job": pa.array(
                [None if pd.isna(value) or value == "" else value for value in kept["job"]], pa.string()
            ),
            "member": pa.array(kept["member"], pa.string()),
            "seen": pa.array(pd.to_datetime(kept["seen"]).to_numpy(), pa.timestamp("us")),
        }
    )
    answers = Session(made / "features.onnx", columns, (NUMBERS, CODES)).run(batch)
    shards = [open_shards(made / "shards" / split) for split in ("train", "val")]
    assert shards[0].numbers.shape[1] == shape.numbers and shards[0].codes.shape[1] == len(shape.sizes)
    found = pd.DataFrame(
        np.vstack(
            [
                np.hstack([part.numbers, part.codes, part.target[:, None], part.weight[:, None]])
                for part in shards
            ]
        )
    )  # type: ignore[index]
    target = (kept["income"] == "high").to_numpy(float)[:, None]
    wanted = pd.DataFrame(
        np.hstack([answers[NUMBERS], answers[CODES], target, kept[["w"]].to_numpy(np.float32)])
    )
    pd.testing.assert_frame_equal(
        found.sort_values(list(found.columns), ignore_index=True),
        wanted.sort_values(list(wanted.columns), ignore_index=True),
        check_dtype=False,
    )


def test_parity_rows_are_held_out_and_hostile_and_encoded_from_the_file(made: Path) -> None:
    columns, _ = read_features(made)
    table = parquet.read_table(made / "rows" / "parity.parquet")
    assert table.schema.names == [item.name for item in columns]
    test = parquet.read_table(made / "rows" / "test.parquet").select(table.schema.names)
    assert table.slice(0, test.num_rows).equals(test)
    assert table.num_rows > test.num_rows
    answers = Session(made / "features.onnx", columns, (NUMBERS, CODES)).run(
        table.combine_chunks().to_batches()[0]
    )
    encoded = open_shards(made / "shards" / "parity")
    np.testing.assert_array_equal(encoded.numbers, answers[NUMBERS])
    np.testing.assert_array_equal(encoded.codes, answers[CODES])
    assert len(encoded.target) == 0


def test_the_graph_is_fitted_on_train_alone(made: Path) -> None:
    held_out = set(parquet.read_table(made / "rows" / "test.parquet")["id"].to_pylist())
    target = read_json(made / "target.json")
    train = open_shards(made / "shards" / "train")
    assert target["classes"] == ["low", "high"]
    assert target["counts"] == [int((train.target == code).sum()) for code in (0, 1)]
    reference = read_json(made / "reference.json")
    assert set(reference["columns"]) == set(FEATURES) and reference["rows"] == train.rows
    assert len(reference["columns"]["age"]["quantiles"]) == 1001
    assert len(held_out) == 600 - train.rows - open_shards(made / "shards" / "val").rows
    onnx.checker.check_model(onnx.load(made / "features.onnx"), full_check=True)


@pytest.mark.parametrize(
    ("target", "codes"),
    [
        ({"column": "region", "kind": "category"}, {0.0, 1.0}),
        ({"column": "age", "kind": "number"}, None),
    ],
)
def test_other_targets(tmp_path: Path, target: dict[str, Any], codes: set[float] | None) -> None:
    frame = rows()
    frame["age"] = frame["age"].fillna(40)
    features = {name: kind for name, kind in FEATURES.items() if name != "age"}
    parameters = data(target=target, features=features, ignore=["secret", "income"], weight=None)
    made = prepared(tmp_path / "out", parameters, context(tmp_path, frame))
    train = open_shards(made / "shards" / "train")
    assert train.weight is None
    if codes is None:
        learned = read_json(made / "target.json")
        assert learned["mean"] == pytest.approx(train.target.mean())
        assert learned["std"] == pytest.approx(train.target.std())
    else:
        assert set(train.target) == codes


def test_no_val_is_legal(tmp_path: Path) -> None:
    split = {"kind": "random", "train": 0.8, "val": 0, "test": 0.2}
    made = prepared(tmp_path / "out", data(split=split), context(tmp_path))
    assert open_shards(made / "shards" / "val").rows == 0


def test_rejects_are_in_the_ledger(tmp_path: Path) -> None:
    frame = rows()
    frame.loc[[2, 4], "w"] = [-1.0, np.nan]
    made = prepared(tmp_path / "out", data(max_rejects=0.01), context(tmp_path, frame))
    ledger = read_json(made / "ledger.json")
    assert ledger["read"] == 600 and ledger["rejected"]["rows"] == 2
    assert ledger["train"] + ledger["val"] + ledger["test"] == 598
    assert {item["reason"] for item in ledger["rejected"]["reasons"]} == {"is negative", "is null"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"split": {"kind": "column", "column": "region"}},
            r"column 'region' holds '(north|south)' in row 0",
        ),
        ({"split": {"kind": "time"}}, r"needs data\.event_time"),
        (
            {
                "split": {"kind": "time", "test_from": "2030-01-01"},
                "event_time": {"column": "seen", "timezone": "Europe/Berlin"},
            },
            "leaves no row to test",
        ),
        (
            {
                "split": {"kind": "time", "test_from": "2020-01-01"},
                "event_time": {"column": "seen", "timezone": "Europe/Berlin"},
            },
            "leaves no row to train",
        ),
        ({"target": {"column": "income", "kind": "binary", "positive": None}}, "which one is positive"),
    ],
)
def test_what_cannot_be_prepared_is_told(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(StepError, match=told):
        prepared(tmp_path / "out", data(**changes), context(tmp_path))


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_class_that_training_never_sees_is_told(tmp_path: Path, part: str) -> None:
    frame = rows()
    frame["part"] = np.select([frame.index % 5 == 0, frame.index % 5 == 1], ["test", "val"], "train")
    frame.loc[5, "part"] = part
    frame.loc[5, "region"] = "west"
    split = {"kind": "column", "column": "part"}
    parameters = data(
        split=split, target={"column": "region", "kind": "category"}, ignore=["secret", "income"]
    )
    with pytest.raises(StepError, match=f"class 'west' of 'region' is in {part} and in no training row"):
        prepared(tmp_path / "out", parameters, context(tmp_path, frame))


def test_a_source_that_changed_in_between_is_told(tmp_path: Path) -> None:
    here = context(tmp_path)
    prepared(tmp_path / "out", data(), here)
    context(tmp_path, rows().iloc[::-1])  # as many rows of as many bytes
    (tmp_path / "late").mkdir()
    with pytest.raises(StepError, match="the source changed since 'ingest' read it"):
        prepare({"seed": 7, "data": data()}, {"ingest": tmp_path / "out" / "ingest"}, tmp_path / "late", here)


def test_more_test_rows_than_parity_needs_are_thinned_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlspec.engine.preparing import split_files, work

    monkeypatch.setattr(split_files, "HELD_OUT", 10)
    monkeypatch.setattr(work, "WIDE", 64)
    made = prepared(tmp_path / "out", data(), context(tmp_path))
    test = parquet.read_table(made / "rows" / "test.parquet").select(list(FEATURES))
    thinned = parquet.read_table(made / "rows" / "parity.parquet").slice(0, 10)
    step = test.num_rows / 10
    assert thinned.equals(test.take([int(np.ceil(place * step)) for place in range(10)]))


def test_memory_changes_no_byte(tmp_path: Path) -> None:
    here = context(tmp_path)
    free = prepared(tmp_path / "free", data(), here)
    held = prepared(tmp_path / "held", data(), dataclasses.replace(here, memory=10**9))
    assert digests(free) == digests(held)


def test_a_split_that_loses_rows_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlspec.plugins.split.random import Random

    whole = Random.assign

    def lossy(self: Any, table: Any, seed: int, columns: Any) -> Any:
        return whole(self, table, seed, columns).filter(table.mlspec_row > 3)

    monkeypatch.setattr(Random, "assign", lossy)
    with pytest.raises(StepError, match="does not give each row one place"):
        prepared(tmp_path / "out", data(split={"kind": "random", "stratify": False}), context(tmp_path))


def _in_files(folder: Path, **changes: Any) -> dict[str, Any]:
    """Write the rows as three Parquet files of several row groups, and return parameters that read them."""
    (folder / "rows").mkdir(parents=True)
    frame = rows()
    for number, start in enumerate(range(0, len(frame), 250)):
        frame[start : start + 250].to_parquet(
            folder / "rows" / f"{number}.parquet", index=False, row_group_size=60
        )
    return data(source={"kind": "parquet", "path": "rows"}, **changes)


@pytest.mark.parametrize("split", [{"kind": "random"}, {"kind": "hash", "columns": ["id"]}])
def test_rows_that_lie_in_files_are_prepared_as_those_of_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: dict[str, Any]
) -> None:
    here, asked = context(tmp_path), _in_files(tmp_path, split=split)
    lying = prepared(tmp_path / "lying", asked, here)
    monkeypatch.setattr(
        Reading, "where_it_lies", lambda data, context, readable=None, empty=None: Reading.of(data, context)
    )
    assert digests(lying) == digests(prepared(tmp_path / "table", asked, here))


@pytest.mark.parametrize("garbled", [False, True])
def test_a_file_that_changes_while_it_is_prepared_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, garbled: bool
) -> None:
    here, asked = context(tmp_path), _in_files(tmp_path)
    file = tmp_path / "rows" / "1.parquet"

    def meanwhile(*told: Any) -> Any:
        content = file.read_bytes()
        file.write_bytes(b"PAR1" + b"\xff" * (len(content) - 4) if garbled else content)
        return fit_target(*told)

    monkeypatch.setattr("mlspec.steps.prepare.fit_target", meanwhile)
    with pytest.raises(StepError, match=r"'rows/1\.parquet' changed while it was read"):
        prepared(tmp_path / "out", asked, here)


def test_damage_that_shows_while_rows_are_encoded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, asked = context(tmp_path), _in_files(tmp_path)
    file = tmp_path / "rows" / "1.parquet"
    before = file.stat()

    def meanwhile(*told: Any) -> Any:
        stored = parquet.ParquetFile(file).metadata.row_group(1).column(1)
        with file.open("r+b") as content:
            content.seek(stored.dictionary_page_offset or stored.data_page_offset)
            content.write(b"\xff" * 40)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        return fit_target(*told)

    monkeypatch.setattr("mlspec.steps.prepare.fit_target", meanwhile)
    with pytest.raises(StepError, match=r"'rows/1\.parquet' is damaged: its rows 60 to 119"):
        prepared(tmp_path / "out", asked, here)
