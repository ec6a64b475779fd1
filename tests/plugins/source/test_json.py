"""JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlspec.plugins.source.json import Json

from mlspec.engine.reading.reading import Reading
from mlspec.errors import StepError
from mlspec.sdk.context import Context

GOOD = [{"n": number, "word": f"w{number % 3}", "flag": number % 2 == 0} for number in range(1000)]


def read(folder: Path, lines: list[str], **features: str) -> Reading:
    (folder / "t.jsonl").write_text("\n".join(lines))
    data = {"source": {"kind": "json", "path": "t.jsonl"}, "features": features, "max_rejects": 1.0}
    return Reading.of(data, Context(folder, scratch=folder))


def test_values_are_what_pythons_json_reads(tmp_path: Path) -> None:
    lines = [*GOOD, {"n": None, "word": None}, {"n": 2.5, "word": 'é\n"', "flag": True}]
    found = read(
        tmp_path, [json.dumps(line) for line in lines], n="number", word="category", flag="binary"
    ).check()
    rows = found.table.order_by("mlspec_row").to_pyarrow().to_pylist()
    words = {True: "true", False: "false", None: None}
    assert [(row["n"], row["word"], row["flag"]) for row in rows] == [
        (line.get("n"), line.get("word"), words[line.get("flag")]) for line in lines
    ]
    assert found.types() == {"n": "number", "word": "string", "flag": "boolean"}


def test_lines_that_are_no_fit_objects_are_counted_by_reason(tmp_path: Path) -> None:
    bad = ["{broken", "[1, 2]", '{"n": 1, "n": 2}', '{"later": 1}', '{"n": 1} {"n": 2}']
    found = read(tmp_path, [json.dumps(line) for line in GOOD] + bad, n="number")
    assert found.rows == 1005
    assert {item.reason: item.rows for item in found.rejects} == {
        "no whole JSON value": 2,
        "no JSON object": 1,
        "a key is there twice": 1,
        "a key that the first lines do not have": 1,
    }


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        ('"5"', "number", "is not a JSON number"),
        ("true", "number", "is not a JSON number"),
        ("[1]", "number", "is not a JSON number"),
        ("NaN", "number", "is not a finite number"),
        ("1e400", "number", "is not a finite number"),
        ("9007199254740993", "number", "is an integer beyond 2^53"),
        ("1.5", "category", "is a float, and category takes text, integers or booleans"),
        ('{"a": 1}', "category", "is nested"),
        ('"a\\u0000b"', "category", "holds NUL"),
        ("17", "datetime", "is no ISO 8601 text"),
    ],
)
def test_a_value_of_another_type_is_a_reject(tmp_path: Path, value: str, kind: str, reason: str) -> None:
    found = read(tmp_path, [f'{{"x": {value}}}', '{"x": null}'], x=kind)
    assert [(item.column, item.reason, item.rows) for item in found.rejects] == [("x", reason, 1)]


def test_odd_keys_are_columns(tmp_path: Path) -> None:
    keys = ["a/b", "a~b", 'quo"te', "0", "a b", "é"]
    found = read(tmp_path, [json.dumps({key: key for key in keys})])
    assert found.table.drop("mlspec_row").to_pyarrow().to_pylist() == [{key: key for key in keys}]


@pytest.mark.parametrize("content", [b"", b"1\n", b"not json\n"])
def test_a_file_without_objects_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.jsonl").write_bytes(content)
    with pytest.raises(StepError, match="holds no JSON object"):
        Json(kind="json", path="t.jsonl").columns(Context(tmp_path))


def test_other_encodings_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(b'{"a": "\xff"}\n')
    with pytest.raises(StepError, match="is not UTF-8 text"):
        Json(kind="json", path="t.jsonl").columns(Context(tmp_path))
    (tmp_path / "t.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    with pytest.raises(StepError, match="byte order mark"):
        Json(kind="json", path="t.jsonl").columns(Context(tmp_path))
