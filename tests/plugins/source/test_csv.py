"""The CSV source: what csv and pandas read, it reads; what cannot be read is counted and shown."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlspec.plugins.source.csv import Csv

from mlspec.engine.reading.reading import Reading
from mlspec.errors import CheckFailed, MissingError, StepError
from mlspec.sdk.context import Context


def context(folder: Path) -> Context:
    return Context(folder, scratch=folder)


def read(folder: Path, content: bytes, **options: object) -> Reading:
    (folder / "t.csv").write_bytes(content)
    return Reading.of(
        {"source": {"kind": "csv", "path": "t.csv", **options}, "max_rejects": 1.0}, context(folder)
    )


def test_awkward_but_legal_text_is_what_pandas_reads(tmp_path: Path) -> None:
    content = (
        'id,"a ""quoted"" name",text\r\n1,"x,y","two\r\nlines"\r\n2,,"say ""hi"""\r\n'
        '3, space ,é\u4e2d\U0001f600\r\n4,"",last'
    ).encode()
    rows = read(tmp_path, content).table.drop("mlspec_row").execute()
    wanted = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(
        rows.astype(object).where(rows.notna(), None), wanted.astype(object).where(wanted.notna(), None)
    )


def test_columns_come_from_the_header_without_anything_heavy(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('\ufeffa,"b c"\n1,2\n', "utf-8")
    code = (
        "import sys; from pathlib import Path;"
        "from mlspec.plugins.source.csv import Csv; from mlspec.sdk.context import Context;"
        f"assert Csv(kind='csv', path='t.csv').columns(Context(Path({str(tmp_path)!r}))) == ('a', 'b c');"
        "print([name for name in ('numpy', 'pyarrow', 'duckdb', 'ibis', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_ragged_rows_are_counted_and_shown(tmp_path: Path) -> None:
    found = read(tmp_path, b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n1,1,1\n\n")
    assert (found.rows, found.rejected) == (4, 2)
    assert {(item.reason, item.rows, item.examples) for item in found.rejects} == {
        ("too few values for the header", 1, ("t.csv line 3: 4,5",)),
        ("too many values for the header", 1, ("t.csv line 4: 6,7,8,9",)),
    }
    assert found.table.execute()["a"].tolist() == ["1", "1"]


def test_too_many_rejects_fail_with_the_reasons(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n4\n")
    reading = Reading.of({"source": {"kind": "csv", "path": "t.csv"}}, context(tmp_path))
    with pytest.raises(CheckFailed, match=r"1 of 2 rows are unreadable(.|\n)*line 3: 4") as told:
        reading.check()
    assert "data.max_rejects" in (told.value.fix or "")


def test_text_behind_a_closing_quote_is_a_reject(tmp_path: Path) -> None:
    found = read(tmp_path, b'a,b\n1,2\n"bad"q,2\n3,4\n')
    assert [(item.reason, item.rows) for item in found.rejects] == [("text behind a closing quote", 1)]
    assert found.table.execute()["a"].tolist() == ["1", "3"]


@pytest.mark.parametrize(
    "content",
    [b'a,b\n1,2\n3,"4\n' + b"5,6\n" * 50, b'a,b\n1,2\n3,"4\n5,6\n7,"x"\n8,9\n'],
    ids=["to the end", "to the next quote"],
)
def test_a_quote_that_swallows_lines_ends_the_run(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StepError, match=r"'t.csv' line 3 opens a quote"):
        read(tmp_path, content)


def test_bytes_of_another_encoding_are_rejects_and_the_encoding_can_be_said(tmp_path: Path) -> None:
    content = "a,b\n1,Zürich\n2,Rom\n".encode("latin-1")
    found = read(tmp_path, content)
    assert [(item.reason, item.rows) for item in found.rejects] == [
        ("bytes that are not text in this encoding", 1)
    ]
    assert read(tmp_path, content, encoding="latin-1").table.execute()["b"].tolist() == ["Zürich", "Rom"]
    assert read(tmp_path, content.decode("latin-1").encode("utf-16"), encoding="utf-16").table.execute()[
        "b"
    ].tolist() == ["Zürich", "Rom"]


def test_a_header_of_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("größe,b\n1,2\n".encode("latin-1"))
    with pytest.raises(StepError, match=r"'t.csv' is not utf-8 text") as told:
        Csv(kind="csv", path="t.csv").columns(context(tmp_path))
    assert told.value.fix == "set encoding: latin-1 or utf-16"


def test_a_nul_is_kept_by_the_source_and_refused_for_a_category(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,x\x00y\n2,z\n")
    data = {"source": {"kind": "csv", "path": "t.csv"}, "features": {"b": "category"}, "max_rejects": 1.0}
    found = Reading.of(data, context(tmp_path))
    assert [(item.column, item.reason, item.rows) for item in found.rejects] == [("b", "holds NUL", 1)]


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n"])
def test_an_empty_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(StepError, match=r"'t.csv' is empty"):
        Csv(kind="csv", path="t.csv").columns(context(tmp_path))


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    found = read(tmp_path, b"a,b\n")
    assert found.rows == 0
    with pytest.raises(StepError, match="the source has no rows"):
        found.check()


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("a,a", "column 'a' appears twice"),
        ("a,A", "columns 'a' and 'A' differ only in case"),
        (",a", "column 1 has no name"),
        ("mlspec_row,a", "column 'mlspec_row' has a reserved name"),
        ('a,"b', "cannot be read"),
    ],
)
def test_headers_that_cannot_be_told_apart_are_refused(tmp_path: Path, header: str, what: str) -> None:
    (tmp_path / "t.csv").write_text(f"{header}\n1,2\n")
    with pytest.raises(StepError, match=what):
        Csv(kind="csv", path="t.csv").columns(context(tmp_path))


def test_nulls_delimiter_and_quote_are_the_users(tmp_path: Path) -> None:
    found = read(tmp_path, b"a;b\nNA;'x;y'\n?;2\n;3\n", delimiter=";", quote="'", nulls=["", "NA", "?"])
    assert found.table.execute()["a"].isna().tolist() == [True, True, True]
    assert found.table.execute()["b"].tolist() == ["x;y", "2", "3"]


def test_a_glob_reads_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, row in (("b", "3,4"), ("a", "1,2"), ("c", "5,6")):
        (tmp_path / f"part-{name}.csv").write_text(f"x,y\n{row}\n")
    source = Csv(kind="csv", path="part-*.csv")
    assert source.dependencies() is None
    data = {"source": {"kind": "csv", "path": "part-*.csv"}}
    assert Reading.of(data, context(tmp_path)).table.execute()["x"].tolist() == ["1", "3", "5"]
    (tmp_path / "part-d.csv").write_text("y,x\n1,2\n")
    with pytest.raises(StepError, match=r"'part-d.csv' has the columns of 'part-a.csv' in another order"):
        source.columns(context(tmp_path))


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    for path in ("no.csv", "no-*.csv"):
        with pytest.raises(MissingError, match="no"):
            Csv(kind="csv", path=path).columns(context(tmp_path))
    with pytest.raises(MissingError, match=r"the folder '\.' holds no file that ends in \.csv"):
        Csv(kind="csv", path=".").columns(context(tmp_path))


def test_many_rows_keep_their_order_whatever_the_threads(tmp_path: Path) -> None:
    with open(tmp_path / "t.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["n", "text"])
        writer.writerows((number, "x" * (number % 50) + '"\n,') for number in range(120_000))
    data = {"source": {"kind": "csv", "path": "t.csv"}, "features": {"n": "number"}}
    rows = Reading.of(data, context(tmp_path)).check().table.execute()
    assert (rows["n"] == rows["mlspec_row"]).all()
    assert len(rows) == 120_000


def test_a_fingerprint_tells_content_and_no_machine(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a\n1\n")
    source = Csv(kind="csv", path="t.csv")
    first = source.fingerprint(context(tmp_path))
    assert str(tmp_path) not in str(first)
    (tmp_path / "t.csv").write_bytes(b"a\n2\n")
    assert source.fingerprint(context(tmp_path)) != first


def test_mixed_line_ends_are_told_with_a_mend(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"'t.csv' line 2 ends in a carriage return and a line feed") as told:
        read(tmp_path, b"a,b\n1,2\r\n3,4\n")
    assert "same line end" in (told.value.fix or "")
