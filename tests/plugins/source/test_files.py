"""What all sources of files do with folders, globs, partitions and compressed files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import dataset, feather, parquet

from mlspec.engine.reading.reading import Reading
from mlspec.errors import MissingError, StepError
from mlspec.sdk.context import Context
from mlspec.sdk.slot import Slot

ENDS = {"csv": ".csv", "json": ".jsonl", "parquet": ".parquet", "arrow": ".feather"}


def write(file: Path, rows: list[dict[str, Any]], kind: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if kind == "csv":
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        file.write_text("\n".join(lines) + "\n")
    elif kind == "json":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        table = pa.Table.from_pylist(rows)
        (parquet.write_table if kind == "parquet" else feather.write_feather)(table, str(file))


def read(folder: Path, kind: str, path: str, **options: Any) -> list[dict[str, Any]]:
    features = options.pop("features", {"n": "number"})
    source = {"kind": kind, "path": path, **options}
    reading = Reading.of({"source": source, "features": features}, Context(folder, scratch=folder)).check()
    return reading.table.order_by("mlspec_row").drop("mlspec_row").to_pyarrow().to_pylist()  # type: ignore[no-any-return]


def source(kind: str, path: str, **options: Any) -> Any:
    return Slot("source").choose({"kind": kind, "path": path, **options})


@pytest.mark.parametrize("kind", ENDS)
def test_a_folder_is_read_in_the_order_of_its_paths_and_marks_of_other_tools_are_left_out(
    tmp_path: Path, kind: str
) -> None:
    end = ENDS[kind]
    for name, number in ((f"b{end}", 4), (f"a/z{end}", 2), (f"a/c{end}", 1), (f"a{end}", 3)):
        write(tmp_path / "rows" / name, [{"n": number}, {"n": number + 0.5}], kind)
    (tmp_path / "rows" / "_SUCCESS").touch()
    (tmp_path / "rows" / "README.md").write_text("words")
    write(tmp_path / "rows" / ".hidden" / f"x{end}", [{"other": 9}], kind)
    write(tmp_path / "rows" / f"_metadata{end}", [{"other": 9}], kind)
    wanted = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]
    for path in ("rows", "rows/", str(tmp_path / "rows")):
        assert [row["n"] for row in read(tmp_path, kind, path)] == wanted
    assert source(kind, "rows/").dependencies() == ("rows",)
    names = [entry["name"] for entry in source(kind, "rows").fingerprint(Context(tmp_path))["files"]]
    assert names == [f"rows/{name}{end}" for name in ("a/c", "a/z", "a", "b")]


@pytest.mark.parametrize("kind", ENDS)
def test_files_outside_of_the_workspace_are_told_apart_and_no_path_of_the_machine_is_noted(
    tmp_path: Path, kind: str
) -> None:
    for year in (1, 2):
        write(tmp_path / "far" / str(year) / f"t{ENDS[kind]}", [{"n": year}], kind)
    (tmp_path / "here").mkdir()
    found = source(kind, str(tmp_path / "far")).fingerprint(Context(tmp_path / "here"))["files"]
    assert [entry["name"] for entry in found] == [f"{year}/t{ENDS[kind]}" for year in (1, 2)]


@pytest.mark.parametrize("kind", ENDS)
def test_folders_named_like_columns_are_columns(tmp_path: Path, kind: str) -> None:
    end, below = ENDS[kind], tmp_path / "city=none" / "rows"
    for place, (year, city) in enumerate([("2023", "a b%c"), ("2024", "x"), ("2024", "\u00e9")]):
        name = city.replace("%", "%25").replace(" ", "%20")
        write(below / f"year={year}" / f"city={name}" / f"t{end}", [{"n": place}], kind)
    write(below / "year=2024" / "city=__HIVE_DEFAULT_PARTITION__" / f"t{end}", [{"n": 3}], kind)
    features = {"n": "number", "year": "number", "city": "category"}
    found = read(tmp_path, kind, "city=none/rows", hive=True, features=features)
    wanted = [(2023.0, "a b%c", 0), (2024.0, None, 3), (2024.0, "x", 1), (2024.0, "\u00e9", 2)]
    assert [(row["year"], row["city"], row["n"]) for row in found] == wanted
    assert source(kind, "city=none/rows", hive=True).columns(Context(tmp_path)) == ("n", "year", "city")
    one = read(tmp_path, kind, f"city=none/rows/year=2024/*/*{end}", hive=True)
    assert [row["city"] for row in one] == [None, "x", "\u00e9"] and "year" not in one[0]
    assert set(read(tmp_path, kind, "city=none/rows", hive=False)[0]) == {"n"}


def test_partitions_are_what_pyarrow_reads(tmp_path: Path) -> None:
    table = pa.table({"n": range(100), "k": [f"v{place % 7}" for place in range(100)]})
    parquet.write_to_dataset(table, str(tmp_path / "rows"), partition_cols=["k"])
    wanted = dataset.dataset(str(tmp_path / "rows"), partitioning="hive").to_table().to_pylist()
    found = read(tmp_path, "parquet", "rows", hive=True, features={"n": "number", "k": "category"})
    key = lambda row: row["n"]  # noqa: E731
    assert sorted(found, key=key) == sorted(wanted, key=key)


@pytest.mark.parametrize("kind", ENDS)
def test_what_folders_say_is_asked_for_and_must_agree(tmp_path: Path, kind: str) -> None:
    end, here = ENDS[kind], Context(tmp_path)
    write(tmp_path / "rows" / "k=1" / f"a{end}", [{"n": 1}], kind)
    with pytest.raises(StepError, match=r"named like columns: 'k=\.\.\.'") as told:
        source(kind, "rows").columns(here)
    assert "hive: true" in (told.value.fix or "") and "hive: false" in (told.value.fix or "")
    with pytest.raises(StepError, match="no folder below 'rows/k=1' is named like column=value"):
        source(kind, "rows/k=1", hive=True).columns(here)
    write(tmp_path / "rows" / "j=1" / f"a{end}", [{"n": 1}], kind)
    with pytest.raises(StepError, match=r"folders of 'rows/k=1/a\.\w+' name other columns \(k\)"):
        source(kind, "rows", hive=True).columns(here)
    write(tmp_path / "twice" / "n=1" / f"a{end}", [{"n": 1}], kind)
    with pytest.raises(StepError, match="column 'n' appears twice"):
        source(kind, "twice", hive=True).columns(here)


@pytest.mark.parametrize("kind", ENDS)
def test_an_empty_folder_and_one_of_other_files_are_told(tmp_path: Path, kind: str) -> None:
    (tmp_path / "rows").mkdir()
    with pytest.raises(MissingError, match="the folder 'rows' holds no file that ends in") as told:
        source(kind, "rows").columns(Context(tmp_path))
    assert told.value.fix == "it is empty"
    (tmp_path / "rows" / "book.xlsx").touch()
    with pytest.raises(MissingError) as told:
        source(kind, "rows").read(Context(tmp_path))
    assert "1 of .xlsx" in (told.value.fix or "")


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_a_file_with_other_columns_is_named(tmp_path: Path, kind: str) -> None:
    write(tmp_path / "rows" / f"a{ENDS[kind]}", [{"n": 1, "m": 2}], kind)
    write(tmp_path / "rows" / f"b{ENDS[kind]}", [{"n": 1, "q": 2}], kind)
    with pytest.raises(StepError, match=r"'rows/b.* lacks 'm' and has 'q' besides"):
        source(kind, "rows").columns(Context(tmp_path))


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_file_with_other_types_is_named_and_ways_to_store_a_text_are_one_type(
    tmp_path: Path, kind: str
) -> None:
    put = parquet.write_table if kind == "parquet" else feather.write_feather
    texts = pa.array(["a", "b"])
    for name, column in (
        ("a", texts),
        ("b", texts.dictionary_encode()),
        ("c", texts.cast(pa.large_string())),
    ):
        put(pa.table({"t": column}), str(tmp_path / f"{name}{ENDS[kind]}"))
    found = read(tmp_path, kind, f"*{ENDS[kind]}", features={"t": "category"})
    assert [row["t"] for row in found] == ["a", "b"] * 3
    put(pa.table({"t": [1.5]}), str(tmp_path / f"d{ENDS[kind]}"))
    with pytest.raises(StepError, match=r"column 't' holds double in 'd.* and string in 'a"):
        source(kind, f"*{ENDS[kind]}").read(Context(tmp_path))


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_compressed_files_are_read_and_damaged_ones_are_told(tmp_path: Path, kind: str, packed: str) -> None:
    plain = tmp_path / f"t{ENDS[kind]}"
    write(plain, [{"n": number, "text": f"w{number * 7919 % 10007}"} for number in range(20_000)], kind)
    content = plain.read_bytes()
    file = tmp_path / (plain.name + packed)

    def pack(text: bytes) -> bytes:
        return gzip.compress(text) if packed == ".gz" else pa.compress(text, "zstd", asbytes=True)  # type: ignore[no-any-return]

    file.write_bytes(pack(content))
    wanted = read(tmp_path, kind, plain.name)
    assert read(tmp_path, kind, file.name) == wanted
    with_both = read(tmp_path, kind, f"t{ENDS[kind]}*")
    assert with_both == wanted * 2
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(StepError, match="is no whole compressed file"):
        read(tmp_path, kind, file.name)
    if packed == ".gz":
        file.write_bytes(whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:])
        with pytest.raises(StepError, match="its checksum is wrong"):
            read(tmp_path, kind, file.name)
    file.write_bytes(content)
    with pytest.raises(StepError, match="is no whole compressed file"):
        source(kind, file.name).columns(Context(tmp_path))


@pytest.mark.parametrize("kind", ENDS)
def test_signs_of_a_glob_in_names_stand_for_themselves(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "[work]*"
    for name, number in (("a[1]", 1), ("a1", 2), ("a?", 3)):
        write(folder / "rows" / f"{name}{ENDS[kind]}", [{"n": number}], kind)
    assert [row["n"] for row in read(folder, kind, "rows")] == [2, 3, 1]
    assert [row["n"] for row in read(folder, kind, f"rows/a*{ENDS[kind]}")] == [2, 3, 1]


def test_a_damaged_arrow_file_is_told_before_anything_reads_it(tmp_path: Path) -> None:
    table = pa.table({"t": ["abc", "d", "efgh"] * 100})
    feather.write_feather(table, str(tmp_path / "t.arrow"), compression="uncompressed")
    content = bytearray((tmp_path / "t.arrow").read_bytes())
    at = content.index((3).to_bytes(4, "little") + (4).to_bytes(4, "little"))
    content[at : at + 4] = (2**30).to_bytes(4, "little")
    (tmp_path / "t.arrow").write_bytes(content)
    with pytest.raises(StepError, match=r"'t\.arrow' is damaged"):
        source("arrow", "t.arrow").read(Context(tmp_path))
    for bad in (b"", b"ARROW1\0\0junk", bytes(content[: len(content) // 2])):
        (tmp_path / "t.arrow").write_bytes(bad)
        with pytest.raises(StepError, match=r"'t\.arrow' is no whole file of Arrow's IPC format"):
            source("arrow", "t.arrow").columns(Context(tmp_path))


def test_arrow_rows_keep_their_order_and_types(tmp_path: Path) -> None:
    for place in range(3):
        numbers = pa.array(range(place * 200_000, (place + 1) * 200_000))
        feather.write_feather(
            pa.table({"n": numbers, "t": numbers.cast(pa.string())}), str(tmp_path / f"{place}.arrow")
        )
    rows = read(tmp_path, "arrow", "*.arrow", features={"n": "number", "t": "category"})
    assert [row["n"] for row in rows] == list(range(600_000))
    assert rows[123_456]["t"] == "123456"
