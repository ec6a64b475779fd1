"""What a run will take, told and looked for before it starts."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from mlspec.cli.main import main
from mlspec.errors import MissingError, PlanError
from mlspec.run import room as module
from mlspec.run.planned import planned
from mlspec.run.room import Room, check_room, room

ROWS = 30_000
SPEC = """\
apiVersion: mlspec/v1
name: small
data:
  source: {kind: parquet, path: rows.parquet}
  target: {column: y, kind: binary, positive: "yes"}
  features: {a: number, b: number, c: category}
  split: {kind: random, train: 0.5, val: 0.1, test: 0.4}
model: {kind: mlp, hidden: [4]}
training: {epochs: 1, batch_size: 1024}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(1)
    a = rng.normal(size=ROWS)
    columns = {
        "a": a,
        "b": rng.normal(size=ROWS),
        "c": rng.choice(["x", "y"], ROWS),
        "y": np.where(a > 0, "yes", "no"),
    }
    parquet.write_table(pa.table(columns), tmp_path / "rows.parquet", row_group_size=10_000)
    (tmp_path / "spec.yaml").write_text(SPEC)
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(here: Path, *overrides: str) -> Room:
    taken = room(planned(here / "spec.yaml", overrides).plan.steps, here)
    assert taken is not None
    return taken


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_disk_that_is_told_is_near_what_is_taken(here: Path, form: str, files: int) -> None:
    rows = parquet.read_table(here / "rows.parquet")
    for part in range(files):
        some = rows.slice(part * ROWS // files, ROWS // files)
        if form == "csv":
            csv.write_csv(some, here / f"part-{part}.csv")
        else:
            parquet.write_table(some, here / f"part-{part}.parquet")
    source = f"data.source={{kind: {form}, path: 'part-*.{form}'}}"
    steps = planned(here / "spec.yaml", (source,)).plan.steps
    told = room([step for step in steps if step.kind in module.DATA], here)
    assert told is not None and told.disk is not None
    assert told.rows == (None if form == "csv" else ROWS)
    assert main(["run", source, "--until", "prepare"]) == 0
    left = [*(here / "artifacts").rglob("*"), *(here / ".mlspec").rglob("*")]
    taken = sum(file.stat().st_size for file in left if file.is_file())
    assert taken / 2 < told.disk < taken * 2


def test_less_memory_takes_no_more_disk(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large(monkeypatch, 10**8)
    assert found(here, "data.memory=2GB").disk == found(here, "data.memory=64GB").disk


def test_sizes_of_files_tell_bytes_and_no_rows(here: Path) -> None:
    (here / "rows.csv").write_text("a,b,c,y\n" + "1,2,x,yes\n3,4,y,no\n" * 5000)
    taken = found(here, "data.source={kind: csv, path: rows.csv}")
    assert taken.rows is None and taken.disk is not None and taken.memory is not None


def test_a_database_is_not_asked(here: Path) -> None:
    source = "data.source={kind: sql, url: 'sqlite:///rows.db', table: t}"
    plan = planned(here / "spec.yaml", (source,), data=False).plan
    taken = room(plan.steps, here)
    assert taken is not None and taken.disk is taken.memory is taken.rows is None
    assert taken.line(None) == "takes: disk and memory unknown before the rows are read"
    assert taken.line(2 * 10**9) == "takes: at most 2 GB of memory; disk unknown before the rows are read"


def test_a_sample_takes_less(here: Path) -> None:
    plan = planned(here / "spec.yaml", sample=300).plan
    taken = room(plan.steps, here)
    assert taken is not None and taken.rows == 300
    assert taken.disk is not None and taken.disk < (found(here).disk or 0) / 2  # all rows are looked at


def test_a_plan_tells_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan"]) == 0
    assert f"of memory ({ROWS:,} rows)" in capsys.readouterr().out
    assert main(["plan", "--json"]) == 0
    takes = json.loads(capsys.readouterr().out)["takes"]
    assert takes["rows"] == ROWS and takes["disk"] > 10**6 and takes["memory"] > 10**8
    assert main(["run", "--until", "evaluate"]) == 0
    capsys.readouterr()
    assert main(["plan"]) == 0
    assert "takes:" not in capsys.readouterr().out  # what is left to do is small


def test_a_run_does_not_start_where_the_disk_is_too_small(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**6))
    assert main(["run"]) == 3
    told = capsys.readouterr().err
    assert "of disk, and 1 MB are free here" in told and "make room on the disk of" in told
    assert not (here / "artifacts" / "data-small" / "ingest").exists()


def test_a_run_does_not_start_where_memory_is_too_small(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_free_memory", lambda: 100_000_000)
    with pytest.raises(MissingError, match="of memory, and 100 MB are free here"):
        check_room(planned(here / "spec.yaml").plan.steps, here)
    assert main(["run"]) == 3


def large(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Let the footer tell more rows than there are."""
    from mlspec.plugins.source.parquet import Parquet

    from mlspec.sdk.source import Extent

    monkeypatch.setattr(Parquet, "extent", lambda self, context: Extent(rows, rows * 40))


def test_rows_that_are_drawn_anew_take_memory_for_each(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large(monkeypatch, 100_000_000)
    drawn, once = (found(here, *more).least for more in (("training.sampling=balanced",), ()))
    assert drawn >= 100_000_000 * 0.6 * 12 and drawn > once


def test_memory_that_is_promised_and_not_there_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large(monkeypatch, 100_000_000)
    monkeypatch.setattr(module, "_free_memory", lambda: 6_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**13))
    steps = planned(here / "spec.yaml", ("data.memory=9GB",)).plan.steps
    with pytest.raises(MissingError) as told:
        check_room(steps, here)
    assert told.value.fix == "set data.memory: 6GB or less, or free some"
    check_room(planned(here / "spec.yaml", ("data.memory=5GB",)).plan.steps, here)


@pytest.mark.parametrize(
    ("model", "rows"), [("{kind: mlp, hidden: [4]}", 10**9), ("{kind: gradient_boosting}", 10**8)]
)
def test_rows_that_do_not_fit_name_the_smallest_memory_that_works(
    model: str, rows: int, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    large(monkeypatch, rows)
    (here / "spec.yaml").write_text(SPEC.partition("training:")[0])
    overrides = [f"model={model}"]
    assert main(["plan", *overrides, "data.memory=1GB"]) == 2
    told = capsys.readouterr().err
    assert f"a run of {rows:,} rows cannot work in data.memory: 1GB" in told
    least = told.partition("set data.memory: ")[2].split()[0]
    assert main(["plan", *overrides, f"data.memory={least}"]) == 0


def test_more_rows_never_take_less(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    for rows in (10**4, 10**6, 10**8):
        large(monkeypatch, rows)
        taken.append(found(here, "data.memory=8GB"))
    for few, many in pairwise(taken):
        assert few.disk < many.disk and few.memory <= many.memory and few.least <= many.least


def test_a_promise_that_holds_is_no_fault() -> None:
    module.check_promise(Room(10, 10, 10, 10), None)
    module.check_promise(Room(10, 10, 10, 10), 10)
    with pytest.raises(PlanError, match="a run of 10 rows cannot work"):
        module.check_promise(Room(10, 10, 10, 11), 10)
