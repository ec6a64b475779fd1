"""Files that were read before are reused, and every byte is as if all were read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather

from mlspec.engine.checking import file_profiles
from mlspec.engine.files import read_json
from mlspec.engine.parts import Part, Parts
from mlspec.engine.preparing.work import Work
from mlspec.engine.reading import by_file
from mlspec.engine.reading.by_file import ByFile, Fresh
from mlspec.errors import StepError
from mlspec.sdk.context import Context
from mlspec.steps.ingest import ingest
from mlspec.steps.prepare import prepare
from mlspec.steps.validate import validate
from tests.steps.data_rows import data, digests, rows

FORMS = ("csv", "csv.gz", "json", "parquet", "arrow", "hive")
ENDS = {"hive": "csv"}
PIECE = 60


def _write(folder: Path, name: str, frame: pd.DataFrame, form: str) -> None:
    file = folder / f"{name}.{ENDS.get(form, form)}"
    file.parent.mkdir(parents=True, exist_ok=True)
    if form in ("csv", "csv.gz", "hive"):
        frame.to_csv(file, index=False)
    elif form == "json":
        frame.to_json(file, orient="records", lines=True)
    elif form == "parquet":
        frame.to_parquet(file, index=False)
    else:
        feather.write_feather(pa.Table.from_pandas(frame, preserve_index=False), str(file))


def _name(number: int, form: str) -> str:
    return f"month={number:02}/rows" if form == "hive" else f"part-{number:02}"


def _pieces(form: str) -> dict[str, pd.DataFrame]:
    frame = rows(PIECE * 8)
    return {_name(at, form): frame[at * PIECE : (at + 1) * PIECE] for at in range(8)}


def _source(form: str) -> dict[str, Any]:
    kind = {"hive": "csv", "csv.gz": "csv"}.get(form, form)
    return {"kind": kind, "path": "rows"} | ({"hive": True} if form == "hive" else {})


def _work(
    workspace: Path,
    parts: Path | None,
    out: Path,
    form: str,
    steps: Sequence[str] = ("ingest",),
    before: Path | None = None,
    **changes: Any,
) -> tuple[dict[str, str], list[str]]:
    """Do some data steps, and return the hash of each file and what was told."""
    said: list[str] = []
    context = Context(
        workspace=workspace,
        name="here",
        scratch=workspace / "scratch",
        parts=parts,
        before=lambda: before,
        say=said.append,
    )
    asked = data(source=_source(form), max_rejects=0.2, **changes)
    for name in steps:
        (out / name).mkdir(parents=True)
    inputs = {name: out / name for name in ("ingest", "validate")}
    ingest({"data": asked}, {}, out / "ingest", context)
    if "validate" in steps:
        shutil.copy(out / "ingest" / "contract.yaml", workspace / "contract.yaml")
        told = {"contract": "contract.yaml", "rules": [{"kind": "unique", "columns": ["id"]}]}
        validate({"data": asked, "validation": told}, inputs, out / "validate", context)
        prepare({"seed": 1, "data": asked}, inputs, out / "prepare", context)
    return digests(out), said


def _append(folder: Path, pieces: dict[str, pd.DataFrame], form: str) -> None:
    _write(folder, _name(7, form), pieces[_name(7, form)], form)


def _insert(folder: Path, pieces: dict[str, pd.DataFrame], form: str) -> None:
    _write(folder, _name(3, form), pieces[_name(3, form)], form)


def _change(folder: Path, pieces: dict[str, pd.DataFrame], form: str) -> None:
    _write(folder, _name(1, form), pieces[_name(1, form)].assign(age=33.0), form)


def _remove(folder: Path, pieces: dict[str, pd.DataFrame], form: str) -> None:
    next(path for path in folder.rglob(f"{_name(0, form)}.*")).unlink()


def _rename(folder: Path, pieces: dict[str, pd.DataFrame], form: str) -> None:
    old = next(path for path in folder.rglob(f"{_name(2, form)}.*"))
    new = old.with_name(old.name.replace("rows", "lines").replace("part-02", "q-other"))
    old.rename(new)


def _nothing(folder: Path, pieces: dict[str, pd.DataFrame], form: str) -> None:
    for file in folder.rglob("*.*"):
        os.utime(file, (1, 1))


CHANGES: dict[str, tuple[Callable[[Path, dict[str, pd.DataFrame], str], None], int]] = {
    "append": (_append, 1),
    "insert": (_insert, 1),
    "change": (_change, 1),
    "remove": (_remove, 0),
    "rename": (_rename, 0),
    "nothing": (_nothing, 0),
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of files whose rows were read, as that happens."""
    found: list[str] = []
    inner = ByFile.open

    def spy(self: ByFile, places: Sequence[int], *told: int) -> Fresh:
        found.extend(self.names[place] for place in places)
        return inner(self, places, *told)

    monkeypatch.setattr(ByFile, "open", spy)
    return found


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many files of text were parsed together, each time that happens."""
    found: list[int] = []
    inner = ByFile._read

    def spy(self: ByFile, places: Sequence[int], before: int, whole: int) -> dict[int, Part]:
        found.append(len(places))
        return inner(self, places, before, whole)

    monkeypatch.setattr(ByFile, "_read", spy)
    return found


def _begin(workspace: Path, form: str) -> tuple[Path, dict[str, pd.DataFrame]]:
    pieces, folder = _pieces(form), workspace / "rows"
    for number in (0, 1, 2, 4, 5, 6):
        _write(folder, _name(number, form), pieces[_name(number, form)], form)
    return folder, pieces


@pytest.mark.parametrize("form", FORMS)
def test_ingest_reads_only_what_is_new_and_tells_what_all_files_hold(
    tmp_path: Path, form: str, read: list[str]
) -> None:
    folder, pieces = _begin(tmp_path, form)
    before, said = _work(tmp_path, tmp_path / "parts", tmp_path / "before", form)
    assert (len(read), said) == (6, [])
    for change, (act, new) in CHANGES.items():
        act(folder, pieces, form)
        read.clear()
        found, said = _work(tmp_path, tmp_path / "parts", tmp_path / change, form)
        assert len(read) == new, change
        files = len([file for file in folder.rglob("*") if file.is_file()])
        assert said[0].startswith(f"{new or 'none'} of {files} file"), change
        assert found == _work(tmp_path, None, tmp_path / f"{change}-all", form)[0], change
        assert (found == before) == (change == "nothing"), change
        before = found


@pytest.mark.parametrize(("form", "change"), [("csv", "insert"), ("json", "append"), ("parquet", "change")])
def test_every_file_of_the_data_steps_is_that_of_doing_it_all(
    tmp_path: Path, form: str, change: str, read: list[str]
) -> None:
    steps = ("ingest", "validate", "prepare")
    folder, pieces = _begin(tmp_path, form)
    _work(tmp_path, tmp_path / "parts", tmp_path / "before", form, steps)
    assert len(read) == 6  # once: later steps take what was kept
    CHANGES[change][0](folder, pieces, form)
    read.clear()
    found, _ = _work(tmp_path, tmp_path / "parts", tmp_path / "again", form, steps)
    assert len(read) == 1
    assert found == _work(tmp_path, tmp_path / "empty", tmp_path / "kept", form, steps)[0]
    at_once, _ = _work(tmp_path, None, tmp_path / "all", form, steps)
    told = found.pop("prepare/encoded.json")
    assert found == {name: digest for name, digest in at_once.items() if name != "prepare/encoded.json"}
    assert at_once.get("prepare/encoded.json") == (told if form == "parquet" else None)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "json"])
def test_one_file_of_text_is_parsed_once_and_gives_the_bytes_of_parsing_it_in_each_step(
    tmp_path: Path, form: str, parsed: list[int]
) -> None:
    steps = ("ingest", "validate", "prepare")
    _write(tmp_path / "rows", "all", rows(PIECE * 8), form)
    found, said = _work(tmp_path, tmp_path / "parts", tmp_path / "kept", form, steps)
    assert parsed == [1] and not [line for line in said if "files" in line]
    assert _work(tmp_path, tmp_path / "parts", tmp_path / "again", form, steps)[0] == found
    assert parsed == [1]
    assert _work(tmp_path, None, tmp_path / "all", form, steps)[0] == found
    assert parsed == [1] and list((tmp_path / "scratch").glob("rows-*/*"))
    _write(tmp_path / "rows", "all", rows(PIECE * 8).assign(age=33.0), form)
    assert _work(tmp_path, tmp_path / "parts", tmp_path / "changed", form, steps)[0] != found
    assert parsed == [1, 1]


def test_files_of_text_that_are_new_to_a_later_step_are_read_a_few_at_once(
    tmp_path: Path, parsed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = _begin(tmp_path, "csv")
    monkeypatch.setattr(by_file, "TOGETHER", 2 * (folder / "part-00.csv").stat().st_size + 2000)
    steps = ("ingest", "validate", "prepare")
    found, _ = _work(tmp_path, tmp_path / "parts", tmp_path / "one", "csv", steps)
    assert sum(parsed) == 6 and 2 <= max(parsed) < 4
    parsed.clear()
    shutil.rmtree(tmp_path / "parts")
    inputs = {name: tmp_path / "one" / name for name in ("ingest", "validate")}
    context = Context(workspace=tmp_path, name="here", scratch=tmp_path / "scratch", parts=tmp_path / "parts")
    (tmp_path / "later").mkdir()
    asked = data(source=_source("csv"), max_rejects=0.2)
    prepare({"seed": 1, "data": asked}, inputs, tmp_path / "later", context)
    assert sum(parsed) == 6 and 2 <= max(parsed) < 4
    assert digests(tmp_path / "later") == {
        name.removeprefix("prepare/"): digest for name, digest in found.items() if name.startswith("prepare/")
    }


TIMES = {
    "event_time": {"column": "seen", "timezone": "Europe/Berlin"},
    "split": {
        "kind": "time",
        "val_from": "2024-02-22T12:00:00+01:00",
        "test_from": "2024-04-15T00:00:00+02:00",
    },
}
"""The first three files train, the next three choose, the last two judge."""


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many rows were encoded for training at once, as that happens."""
    found: list[int] = []
    inner = Work.encoded

    def spy(self: Any, batch: pa.RecordBatch, splits: pa.Array) -> Any:
        found.append(batch.num_rows)
        return inner(self, batch, splits)

    monkeypatch.setattr(Work, "encoded", spy)
    return found


@pytest.mark.parametrize(
    ("form", "changes"),
    [("csv", [*CHANGES]), ("parquet", ["insert", "change"]), ("arrow", ["append"]), ("hive", ["insert"])],
)
def test_files_whose_graph_and_split_stay_are_not_encoded_again(
    tmp_path: Path, form: str, changes: list[str], encoded: list[int]
) -> None:
    steps = ("ingest", "validate", "prepare")
    folder, pieces = _begin(tmp_path, form)
    _, said = _work(tmp_path, tmp_path / "parts", tmp_path / "before", form, steps, **TIMES)
    assert sum(encoded) == 300
    assert not [line for line in said if "encoded" in line]
    expected = {
        "append": (0, "1 of 7 files"),  # its rows judge: they are kept as they are
        "insert": (60, "1 of 8 files"),
        "change": (360, None),  # other rows train: so another graph encodes
        "remove": (300, None),
        "rename": (0, "0 of 7 files"),
        "nothing": (0, "0 of 7 files"),
    }
    last = tmp_path / "before" / "prepare"
    for change in changes:
        CHANGES[change][0](folder, pieces, form)
        encoded.clear()
        found, said = _work(
            tmp_path, tmp_path / "parts", tmp_path / change, form, steps, before=last, **TIMES
        )
        told = [line[: line.index(" encoded")] for line in said if "encoded" in line]
        many, line = expected[change]
        if change == "insert" and form != "csv":
            line = "1 of 7 files"  # nothing was appended before
        assert (sum(encoded), told) == (many, [line] if line else []), change
        assert (
            found == _work(tmp_path, tmp_path / "parts", tmp_path / f"{change}-all", form, steps, **TIMES)[0]
        )
        last = tmp_path / change / "prepare"


@pytest.mark.parametrize("damage", ["cut", "other rows", "gone"])
def test_encoded_rows_that_do_not_fit_their_list_are_encoded_again(
    tmp_path: Path, damage: str, encoded: list[int]
) -> None:
    steps = ("ingest", "validate", "prepare")
    _begin(tmp_path, "parquet")
    whole, _ = _work(tmp_path, tmp_path / "parts", tmp_path / "before", "parquet", steps, **TIMES)
    last = tmp_path / "before" / "prepare"
    if damage == "cut":
        (last / "encoded.json").write_bytes((last / "encoded.json").read_bytes()[:-40])
    elif damage == "other rows":
        (last / "shards" / "train" / "numbers.npy").write_bytes(
            (last / "shards" / "val" / "numbers.npy").read_bytes()
        )
    else:
        (last / "shards" / "val" / "codes.npy").unlink()
    encoded.clear()
    found, said = _work(
        tmp_path, tmp_path / "parts", tmp_path / "again", "parquet", steps, before=last, **TIMES
    )
    assert (sum(encoded), found) == (300, whole)
    assert not [line for line in said if "encoded" in line]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_rejects_keep_their_places_when_files_come_before_them(tmp_path: Path, form: str) -> None:
    folder, pieces = _begin(tmp_path, form)

    def spoil(number: int) -> None:
        name = _name(number, form)
        frame = pieces[name].astype({"age": object})
        frame.loc[frame.index[[3, 5, 8, 9]], "age"] = "old"
        _write(folder, name, frame, form)
        with open(folder / f"{name}.{form}", "a") as file:
            file.write("1,2\n[]\n{\n")

    spoil(1)
    spoil(4)
    _work(tmp_path, tmp_path / "parts", tmp_path / "before", form)
    (folder / f"part-04.{form}").rename(folder / f"part-00a.{form}")
    _insert(folder, pieces, form)
    found, _ = _work(tmp_path, tmp_path / "parts", tmp_path / "again", form)
    assert found == _work(tmp_path, None, tmp_path / "all", form)[0]
    rejects = read_json(tmp_path / "again" / "ingest" / "rejects.json")
    assert rejects["rows"] == 2 * (4 + 3)
    shown = [text for item in rejects["reasons"] for text in item["examples"]]
    assert any(text.startswith("rows/part-00a.") for text in shown)


def test_other_columns_are_refused_as_if_all_were_read(tmp_path: Path) -> None:
    folder, pieces = _begin(tmp_path, "csv")
    _work(tmp_path, tmp_path / "parts", tmp_path / "before", "csv")
    _write(folder, "part-09", pieces["part-07"].drop(columns="age"), "csv")
    with pytest.raises(StepError, match=r"'rows/part-09\.csv' has other columns than 'rows/part-00\.csv'"):
        _work(tmp_path, tmp_path / "parts", tmp_path / "again", "csv")


def test_other_options_or_columns_read_anew(tmp_path: Path, read: list[str]) -> None:
    _begin(tmp_path, "csv")
    _work(tmp_path, tmp_path / "parts", tmp_path / "before", "csv")
    context = Context(workspace=tmp_path, scratch=tmp_path, parts=tmp_path / "parts", say=lambda line: None)
    for number, changes in enumerate(
        (
            {"source": {**_source("csv"), "nulls": ("", "a")}},
            {"features": {"age": {"kind": "category"}}},
            {"ignore": []},
        )
    ):
        read.clear()
        out = tmp_path / f"out-{number}"
        out.mkdir()
        ingest({"data": data(**{"source": _source("csv"), **changes})}, {}, out, context)
        assert len(read) == 6


def test_what_was_tampered_with_is_read_anew(tmp_path: Path, read: list[str]) -> None:
    _begin(tmp_path, "csv")
    steps = ("ingest", "validate", "prepare")
    before, _ = _work(tmp_path, tmp_path / "parts", tmp_path / "before", "csv", steps)
    files = [file for file in sorted((tmp_path / "parts").rglob("*")) if file.is_file()]
    for file in files[::3]:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    read.clear()
    assert _work(tmp_path, tmp_path / "parts", tmp_path / "again", "csv", steps)[0] == before
    assert read


def test_what_a_killed_run_had_read_is_not_read_again(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _begin(tmp_path, "csv")
    inner, done = Parts.put, []

    def put(self: Parts, key: str, fill: Any) -> Any:
        if len(done) == 9:  # six files' rows are kept, and three of their profiles
            raise KeyboardInterrupt
        done.append(key)
        return inner(self, key, fill)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "put", put)
        with pytest.raises(KeyboardInterrupt):
            _work(tmp_path, tmp_path / "parts", tmp_path / "killed", "csv")
    read.clear()
    found, _ = _work(tmp_path, tmp_path / "parts", tmp_path / "again", "csv")
    assert len(read) == 3
    assert found == _work(tmp_path, None, tmp_path / "all", "csv")[0]


@pytest.mark.parametrize("form", FORMS)
def test_files_that_are_read_in_groups_give_the_bytes_of_all_at_once(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begin(tmp_path, form)
    whole, _ = _work(tmp_path, tmp_path / "parts", tmp_path / "whole", form)
    monkeypatch.setattr(by_file, "TOGETHER", 1)
    monkeypatch.setattr(by_file, "FILES", 4)
    monkeypatch.setattr(file_profiles, "CELLS", 1)
    opened: list[int] = []
    inner = ByFile.open

    def spy(self: ByFile, places: Sequence[int], *told: int) -> Fresh:
        opened.append(len(places))
        return inner(self, places, *told)

    monkeypatch.setattr(ByFile, "open", spy)
    assert _work(tmp_path, tmp_path / "others", tmp_path / "groups", form)[0] == whole
    assert opened == ([4, 2] if form in ("parquet", "arrow") else [1] * 6)


def test_rows_of_parquet_that_cannot_be_read_are_told_as_those_of_a_table(tmp_path: Path) -> None:
    folder, pieces = _begin(tmp_path, "parquet")
    for name in (_name(1, "parquet"), _name(4, "parquet")):
        frame = pieces[name].copy()
        frame.loc[frame.index[[3, 5, 8, 9]], "age"] = float("inf")
        _write(folder, name, frame, "parquet")
    _write(folder, _name(5, "parquet"), pieces[_name(5, "parquet")][:0], "parquet")
    found, _ = _work(tmp_path, tmp_path / "parts", tmp_path / "found", "parquet")
    assert found == _work(tmp_path, None, tmp_path / "all", "parquet")[0]
    assert read_json(tmp_path / "found" / "ingest" / "rejects.json")["rows"] == 8


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_of_a_file_that_changes_while_it_is_read_nothing_is_kept(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = _begin(tmp_path, form)
    inner = file_profiles.write_profile

    def change(*asked: Any) -> dict[str, Any]:
        found = inner(*asked)
        os.utime(folder / f"part-00.{form}", (1, 1))
        return found

    monkeypatch.setattr(file_profiles, "write_profile", change)
    with pytest.raises(StepError, match=rf"'rows/part-00\.{form}' changed while it was read"):
        _work(tmp_path, tmp_path / "parts", tmp_path / "found", form)
    assert not list((tmp_path / "parts").rglob("numbers.bin"))


@pytest.mark.parametrize(
    ("form", "changes"),
    [
        ("csv", {"source": _source("csv"), "sample": 50}),
        ("parquet", {"source": {"kind": "parquet", "path": "rows/part-00.parquet"}}),
        ("arrow", {"source": {"kind": "arrow", "path": "rows/part-00.arrow"}}),
    ],
    ids=["a sample", "one file of Parquet", "one file of Arrow"],
)
def test_of_a_sample_and_of_a_single_file_that_needs_no_parsing_nothing_is_kept(
    tmp_path: Path, form: str, changes: dict[str, Any]
) -> None:
    _begin(tmp_path, form)
    context = Context(workspace=tmp_path, scratch=tmp_path, parts=tmp_path / "parts", say=lambda line: None)
    (tmp_path / "out").mkdir()
    ingest({"data": data(**changes)}, {}, tmp_path / "out", context)
    assert not (tmp_path / "parts").exists()
