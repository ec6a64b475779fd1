"""Bad files: a refusal that names the file, or rejects that name file and line; never other rows."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlspec.engine.reading.reading import Reading
from mlspec.engine.reading.typed_stream import TypedStream
from mlspec.errors import CheckFailed, MissingError, MlspecError, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.contract import InputColumn
from mlspec.sdk.slot import Slot
from tests.bad_files import EVERY, GROUPS, Bad, good_csv, good_json, packed, table

FEATURES = {"n": "number", "word": "category", "y": "category"}


def read(folder: Path, source: dict[str, Any], max_rejects: float = 1.0, *, kept: bool = False) -> Reading:
    data = {"source": source, "features": FEATURES, "max_rejects": max_rejects}
    parts = folder / ".parts" if kept else None
    return Reading.of(data, Context(folder, scratch=folder / ".scratch", parts=parts)).check()


def same(value: Any) -> Any:
    """Return a value so that texts of numbers and numbers are one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def are_of(kept: list[Any], every: list[Any]) -> bool:
    """Return whether values stand in this order among others."""
    rest = iter(every)
    return all(value in rest for value in kept)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "of this step"])
@pytest.mark.parametrize("bad", EVERY.values(), ids=EVERY)
def test_a_bad_file_is_refused_or_every_row_of_it_is_accounted_for(
    tmp_path: Path, bad: Bad, kept: bool
) -> None:
    source = bad.write(tmp_path)
    if bad.told:
        with pytest.raises(MlspecError) as refused:
            read(tmp_path, source, kept=kept)
        assert not list((tmp_path / ".parts").glob(".*"))
        assert re.search(bad.told, refused.value.what), refused.value.what
        assert str(tmp_path) not in refused.value.what
        return
    every = bad.count()
    found = read(tmp_path, source, kept=kept)
    assert (found.rows, found.rejected) == (len(every), bad.rejected)
    assert {item.reason for item in found.rejects} == (
        {bad.reason.replace("\\", "")} if bad.reason else set()
    )
    values = found.table.order_by("mlspec_row").execute()["n"].tolist()
    assert len(values) == len(every) - bad.rejected
    assert are_of([same(value) for value in values if value == value], [same(value) for value in every])
    if bad.where:
        assert found.rejects[0].examples[0].startswith(bad.where)
    if bad.rejected:
        with pytest.raises(CheckFailed, match=bad.reason):
            read(tmp_path, source, max_rejects=0.0, kept=kept)


@pytest.mark.parametrize("columns", [("n", "word", "y"), ("n",)], ids=["all columns", "one column"])
@pytest.mark.parametrize("bad", EVERY.values(), ids=EVERY)
def test_scoring_sees_the_same_rows_and_the_same_faults(
    tmp_path: Path, bad: Bad, columns: tuple[str, ...]
) -> None:
    source, context = bad.write(tmp_path), Context(tmp_path, scratch=tmp_path)
    wanted = [
        InputColumn(
            name=name, kind=FEATURES[name], tensor="float64" if name == "n" else "string", type="string"
        )
        for name in columns
    ]

    def rows() -> tuple[int, int]:
        stream = TypedStream(Slot("source").choose(source), wanted, (), context)  # type: ignore[arg-type]
        taken = [*stream]
        good = sum(item.rows.num_rows for item in taken)
        bad_ones = sum(item.refused.num_rows for item in taken) + sum(
            item.rows for item in stream.unreadable()
        )
        return good, bad_ones

    if bad.told and "no rows" not in bad.told:
        with pytest.raises(MlspecError) as refused:
            rows()
        assert re.search(bad.told, refused.value.what), refused.value.what
        return
    good, rejected = rows()
    assert good + rejected == len(bad.count())
    if columns != ("n",):
        assert rejected == bad.rejected


def test_a_row_of_another_encoding_is_a_reject_wherever_it_stands(tmp_path: Path) -> None:
    line = b'{"n": 7, "word": "\xfc", "y": "no"}\n'
    for before in (1, 500, 1200):
        (tmp_path / "t.jsonl").write_bytes(good_json(before) + line + good_json())
        found = read(tmp_path, {"kind": "json", "path": "t.jsonl"})
        assert [item.examples[0].partition(":")[0] for item in found.rejects] == [
            f"t.jsonl line {before + 1}"
        ]


ENDS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "csv": (".csv", lambda rows: good_csv(rows=rows)),
    "json": (".jsonl", good_json),
    "parquet": (".parquet", lambda rows: packed(table(rows))),
}


def changes(file: Path, end: str, content: bytes) -> dict[str, Callable[[], object]]:
    """Return what may happen to a file while it is read, and to the folder around it."""

    def replace() -> None:
        (file.parent / "new").write_bytes(content)
        (file.parent / "new").replace(file)

    return {
        "rewritten": lambda: file.write_bytes(content),
        "replaced": replace,
        "appended to": lambda: file.open("ab").write(content[-20:]),
        "cut": lambda: os.truncate(file, file.stat().st_size // 2),
        "removed": file.unlink,
        "joined by another": lambda: (file.parent / f"z{end}").write_bytes(content),
    }


@pytest.mark.parametrize(
    "what", ["rewritten", "replaced", "appended to", "cut", "removed", "joined by another"]
)
@pytest.mark.parametrize("when", ["before the rows", "behind the rows"])
@pytest.mark.parametrize("kind", ENDS)
def test_a_file_that_changes_while_it_is_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, when: str, what: str
) -> None:
    end, content = ENDS[kind]
    file = tmp_path / "rows" / f"a{end}"
    file.parent.mkdir()
    file.write_bytes(content(40))
    change = changes(file, end, content(39))[what]
    kinds = type(Slot("source").choose({"kind": kind, "path": "rows"}))
    method = "read" if when == "before the rows" else "unreadable"
    before = getattr(kinds, method)

    def disturbed(self: Any, given: Any) -> Any:
        found = before(self, given)
        change()
        return found

    monkeypatch.setattr(kinds, method, disturbed)
    word = {"removed": "went", "joined by another": "came"}.get(what, "changed")
    with pytest.raises(StepError, match=rf"'rows/[az]{end}' {word} while") as told:
        read(tmp_path, {"kind": kind, "path": "rows"})
    assert "run again" in (told.value.fix or "")


def test_what_is_no_file_is_never_passed_over(tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    rows.mkdir()
    (rows / "a.csv").write_bytes(good_csv())
    cases: dict[str, Callable[[Path], object]] = {
        "is a link that leads to no file": lambda file: file.symlink_to("nowhere"),
        "leads to no file": lambda file: file.symlink_to(file.name),
        "a pipe or a device": os.mkfifo,
        "is a folder named like a file": Path.mkdir,
    }
    for told, make in cases.items():
        make(rows / "b.csv")
        for path in ("rows/*.csv", "rows/b.csv", "rows"):
            if told.startswith("is a folder") and path != "rows/*.csv":
                continue
            with pytest.raises(StepError, match=r"'b\.csv' of|'rows/b\.csv'") as caught:
                read(tmp_path, {"kind": "csv", "path": path})
            assert told in caught.value.what
        (rows / "b.csv").rmdir() if told.startswith("is a folder") else (rows / "b.csv").unlink()
    (rows / "again").symlink_to("..", target_is_directory=True)
    with pytest.raises(StepError, match="'again' of 'rows' is a link to a folder"):
        read(tmp_path, {"kind": "csv", "path": "rows"})


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rows" / "a.csv"
    file.parent.mkdir()
    file.write_bytes(good_csv())
    # Whoever runs the tests may be one who may read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != file)
    for path in ("rows", "rows/*.csv", "rows/a.csv"):
        with pytest.raises(MissingError, match=r"a\.csv'.* may not be read"):
            read(tmp_path, {"kind": "csv", "path": path})


def test_a_query_names_the_table_the_file_and_the_row(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(GROUPS[:20] + bytes(400) + GROUPS[420:])
    source = {"kind": "query", "files": {"t": "t.parquet"}, "sql": "SELECT * FROM t"}
    with pytest.raises(StepError, match=r"'t\.parquet' is damaged: its rows 0 to 999"):
        read(tmp_path, source)
