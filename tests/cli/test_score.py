"""`mlspec score` from the command line to the files, over a small exported model."""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from mlspec.cli.main import main
from tests.engine import joined_files as made

BINARY = ["label", "probability_no", "probability_>yes"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for kind in ("binary", "category", "number"):
        (tmp_path / f"{kind}.onnx").write_bytes(made.joined(kind).model.SerializeToString())
    return tmp_path


def rows(count: int) -> pa.Table:
    raw = made.raw_rows(count)
    columns = {name: pa.array(raw[name], from_pandas=True) for name in ("age", "income €")}
    # an empty CSV field is a null, so that the same rows come from every kind of file
    columns["town"] = pa.array(
        [None if town in ("\ufdd0", "") else town for town in raw["town"]], pa.string()
    )
    return pa.table(columns | {"id": pa.array([f"row {place}" for place in range(count)])})


def expected(table: pa.Table, kind: str) -> dict[str, np.ndarray]:
    """The answers of plain ONNX Runtime."""
    session = ort.InferenceSession(f"{kind}.onnx", providers=["CPUExecutionProvider"])
    feeds = {name: table.column(name).to_numpy() for name in ("age", "income €")}
    feeds["town"] = table.column("town").fill_null("\ufdd0").to_numpy().astype(object)
    return dict(zip((item.name for item in session.get_outputs()), session.run(None, feeds), strict=True))


def write(table: pa.Table, name: str) -> str:
    if name.endswith("parquet"):
        pq.write_table(table, name)
    elif name.endswith("csv"):
        csv.write_csv(table, name)
    else:
        Path(name).write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
        )
    return name


@pytest.mark.parametrize("name", ["new.parquet", "new.csv", "new.jsonl"])
def test_a_file_of_any_kind_becomes_the_same_answers(here: Path, name: str) -> None:
    table = rows(20_000)
    assert main(["score", write(table, name), "binary.onnx", "-o", "out.parquet", "--keep", "id"]) == 0
    found = pq.read_table("out.parquet")
    assert found.column_names == ["id", *BINARY]
    assert found.column("id").equals(table.column("id"))
    wanted = expected(table, "binary")
    assert found.column("label").to_pylist() == wanted["label"].tolist()
    assert found.column("probability_>yes").to_numpy().tobytes() == wanted["probabilities"][:, 1].tobytes()
    assert sorted(os.listdir(here)) == sorted(
        ["binary.onnx", "category.onnx", "number.onnx", name, "out.parquet"]
    )


def test_values_go_to_csv_and_back(here: Path) -> None:
    table = rows(300)
    assert main(["score", write(table, "new.parquet"), "number.onnx", "-o", "out.csv", "--keep", "*"]) == 0
    found = csv.read_csv("out.csv")
    assert found.column_names == [*table.column_names, "value"]
    assert found.column("value").to_numpy().tobytes() == expected(table, "number")["value"].tobytes()


def test_stdout_is_csv_and_nothing_else(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["score", write(rows(3), "new.csv"), "category.onnx"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == '"label","probability_a","probability_b","probability_ç"' and len(lines) == 4


def test_the_summary_can_be_json(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["score", write(rows(3), "new.csv"), "number.onnx", "-o", "out.csv", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["rows"] == 3 and told["rejected"] == 0
    assert told["model_version"] == made.joined("number").contract.model_version


BAD = 'id,age,income €,town\n1,30,1200,Bern\n2,abc,900,\n3,41,1e3,"Zürich"\n4,inf,2,Bern\n'


def test_a_bad_row_ends_the_work_with_row_and_column(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("bad.csv").write_text(BAD)
    Path("out.parquet").write_bytes(b"older answers")
    assert main(["score", "bad.csv", "binary.onnx", "-o", "out.parquet"]) == 1
    told = capfd.readouterr().err
    assert "row 1" in told and "'age'" in told and "'abc'" in told and "--rejects" in told
    assert Path("out.parquet").read_bytes() == b"older answers"
    assert not [name for name in os.listdir(here) if name.endswith(".tmp")]


def test_bad_rows_go_apart_and_the_others_are_scored(here: Path) -> None:
    Path("bad.csv").write_text(BAD)
    command = [
        "score",
        "bad.csv",
        "binary.onnx",
        "-o",
        "out.parquet",
        "--keep",
        "id",
        "--rejects",
        "bad_rows.csv",
    ]
    assert main(command) == 0
    assert pq.read_table("out.parquet").column("id").to_pylist() == ["1", "3"]
    apart = csv.read_csv(
        "bad_rows.csv", convert_options=csv.ConvertOptions(strings_can_be_null=False)
    ).to_pylist()
    assert [(row["row"], row["id"], row["age"]) for row in apart] == [(1, 2, "abc"), (3, 4, "inf")]
    assert all("'age'" in row["reason"] for row in apart)


@pytest.mark.parametrize("name", ["nul.parquet", "nul.jsonl", "nul.csv"])
def test_nul_is_refused_in_every_kind_of_file(
    here: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    table = rows(4).set_column(2, "town", pa.array(["Bern", "Bern", "a\0b", None]))
    assert main(["score", write(table, name), "binary.onnx", "-o", "out.csv"]) == 1
    told = capfd.readouterr().err
    assert "row 2" in told and "'town'" in told
    assert main(["score", name, "binary.onnx", "-o", "out.csv", "--rejects", "apart.csv"]) == 0
    assert csv.read_csv("out.csv").num_rows == 3 and csv.read_csv("apart.csv").num_rows == 1


def test_a_ragged_line_is_told_and_counted(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("bad.csv").write_text("age,income €,town\n30,1200,Bern\n41,1e3\n30,1200,Bern\n")
    assert main(["score", "bad.csv", "binary.onnx", "-o", "out.csv"]) == 1
    assert "line 3" in capfd.readouterr().err and not Path("out.csv").exists()
    assert main(["score", "bad.csv", "binary.onnx", "-o", "out.csv", "--rejects", "apart.csv"]) == 0
    assert csv.read_csv("out.csv").num_rows == 2
    assert "line 3" in Path("apart.csv").read_text()


def test_a_missing_column_is_named(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["score", write(rows(3).drop_columns("town"), "new.csv"), "binary.onnx", "-o", "out.csv"]) == 1
    )
    assert "'town'" in capfd.readouterr().err and not Path("out.csv").exists()


@pytest.mark.parametrize("name", ["new.parquet", "new.csv"])
def test_no_rows_give_a_file_without_rows(here: Path, name: str) -> None:
    assert (
        main(["score", write(rows(3).slice(0, 0), name), "binary.onnx", "-o", "out.parquet", "--keep", "id"])
        == 0
    )
    found = pq.read_table("out.parquet")
    assert found.num_rows == 0 and found.column_names == ["id", *BINARY]


def test_an_empty_file_is_refused(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("new.csv").write_text("")
    assert main(["score", "new.csv", "binary.onnx", "-o", "out.csv"]) == 1
    assert "empty" in capfd.readouterr().err


def test_a_float_is_no_category(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    table = rows(3).set_column(2, "town", pa.array([1.5, 2.0, None]))
    assert main(["score", write(table, "new.parquet"), "binary.onnx", "-o", "out.csv"]) == 1
    assert "'town'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["score", "new.csv"], 3, "spec.yaml"),
        (["score", "new.csv", "absent.onnx"], 3, "absent.onnx"),
        (["score", "absent.csv", "binary.onnx"], 3, "absent.csv"),
        (["score", "new.csv", "binary.onnx", "-o", "out.txt"], 2, "out.txt"),
        (["score", "new.csv", "binary.onnx", "-o", "no/such/out.csv"], 3, "no/such"),
        (["score", "new.csv", "binary.onnx", "--keep", "nobody"], 2, "nobody"),
        (["score", "new.csv", "binary.onnx", "--kind", "synthetic"], 2, "synthetic"),
        (["score", "new.csv", "binary.onnx", "seed=1"], 2, "seed=1"),
        (["score", "new.dat", "binary.onnx"], 2, "--kind"),
        (["score", "new.csv", "binary.onnx", "--delimiter", "too long"], 2, "delimiter"),
        (["score", "new.parquet", "binary.onnx", "--null", "NA"], 2, "nulls"),
    ],
)
def test_what_cannot_be_done_is_told(
    here: Path, words: list[str], code: int, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    write(rows(3), "new.csv")
    assert main(words) == code
    assert told in capfd.readouterr().err


def test_a_kept_column_may_not_stand_for_an_answer(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    table = rows(3).append_column("label", pa.array(["a", "b", "c"]))
    assert main(["score", write(table, "new.csv"), "binary.onnx", "--keep", "label"]) == 2
    assert "'label'" in capfd.readouterr().err


def test_a_file_that_is_bad_at_its_end_leaves_the_old_answers(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("answers.csv").write_text("old\n")
    good = Path(write(rows(20_000), "new.csv")).read_bytes()
    Path("new.csv").write_bytes(good + b'1,"2\n3,4,5,6\n')
    before = {file.name for file in here.iterdir()}
    assert main(["score", "new.csv", "binary.onnx", "-o", "answers.csv"]) == 1
    assert "'new.csv' line 20002 opens a quote" in capsys.readouterr().err
    assert Path("answers.csv").read_text() == "old\n"
    assert {file.name for file in here.iterdir()} == before
