"""What every source must do, by existing."""

from __future__ import annotations

import contextlib
import gzip
import json
import sqlite3
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pytest
from pyarrow import csv, feather, parquet

from mlspec import registry
from mlspec.sdk.context import Context
from mlspec.sdk.file_source import FileSource
from mlspec.sdk.source import Source

EXAMPLES = [
    pytest.param(example, id=f"{kind}-{place}")
    for kind in registry.kinds("source")
    for place, example in enumerate(registry.find("source", kind).examples())
]
ROWS = pa.table({"number": [1.5, None, -3.0], "word": ["a", "b", None], "flag": ["true", "false", "true"]})


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Return a context in a folder that holds the files that the examples name."""
    for folder in (tmp_path, *(tmp_path / "parts" / name for name in ("year=2023", "year=2024"))):
        folder.mkdir(parents=True, exist_ok=True)
        csv.write_csv(ROWS, folder / "table.csv")
        parquet.write_table(ROWS, folder / "table.parquet")
        feather.write_feather(ROWS, folder / "table.arrow")
        (folder / "table.jsonl").write_text("\n".join(map(json.dumps, ROWS.to_pylist())))
    with duckdb.connect(str(tmp_path / "table.duckdb")) as made:
        made.register("given", ROWS)
        made.execute("CREATE TABLE rows AS SELECT * FROM given")
    with contextlib.closing(sqlite3.connect(tmp_path / "table.sqlite")) as made:
        made.execute("CREATE TABLE rows (number REAL, word TEXT, flag TEXT)")
        made.executemany("INSERT INTO rows VALUES (:number, :word, :flag)", ROWS.to_pylist())
        made.commit()
    (tmp_path / "packed").mkdir()
    with gzip.open(tmp_path / "packed" / "table.csv.gz", "wb") as packed:
        packed.write((tmp_path / "table.csv").read_bytes())
    with pa.CompressedOutputStream(str(tmp_path / "packed" / "table.jsonl.zst"), "zstd") as packed:
        packed.write((tmp_path / "table.jsonl").read_bytes())
    return Context(tmp_path, scratch=tmp_path)


@pytest.mark.parametrize("source", EXAMPLES)
def test_the_table_has_the_columns_that_were_told(source: Source, context: Context) -> None:
    table = source.read(context)
    assert isinstance(table, ibis.Table)
    assert tuple(table.columns) == source.columns(context)
    assert len(set(table.columns)) == len(table.columns) > 0


@pytest.mark.parametrize("source", EXAMPLES)
def test_rows_come_in_the_same_order_each_time(source: Source, context: Context) -> None:
    table = source.read(context)
    first, second = table.to_pyarrow(), source.read(context).to_pyarrow()
    assert first.equals(second)
    assert first.num_rows > 0
    assert source.unreadable(table) == ()


@pytest.mark.parametrize("source", EXAMPLES)
def test_the_fingerprint_is_plain_and_names_no_machine(source: Source, context: Context) -> None:
    found = source.fingerprint(context)
    assert found == source.fingerprint(context)
    assert str(context.workspace) not in json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("source", [item for item in EXAMPLES if item.values[0].keeps])
def test_rows_that_were_taken_have_the_fingerprint_of_the_source(source: Source, context: Context) -> None:
    assert source.taken(source.read(context)) == source.fingerprint(context)


@pytest.mark.parametrize("source", EXAMPLES)
def test_dependencies_are_files_of_the_workspace_or_unknown(source: Source, context: Context) -> None:
    found = source.dependencies()
    assert found is None or all((context.workspace / path).exists() for path in found)


@pytest.mark.parametrize("source", [item for item in EXAMPLES if isinstance(item.values[0], FileSource)])
def test_a_changed_file_changes_the_fingerprint(source: Source, context: Context) -> None:
    before = source.fingerprint(context)
    for file in context.workspace.rglob("table.*"):
        file.write_bytes(file.read_bytes() + b"\n")
    assert source.fingerprint(context) != before


@pytest.mark.parametrize("source", [item for item in EXAMPLES if hasattr(item.values[0], "path")])
def test_a_missing_file_is_told(source: Source, tmp_path: Path) -> None:
    from mlspec.errors import MissingError

    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(MissingError, match=r"table|no file"):
        source.columns(Context(empty))
