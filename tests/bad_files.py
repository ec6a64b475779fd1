"""Files as they come: cut off, torn, of another encoding, ragged; all made here, the same bytes each time.

Each entry says what must become of it: a refusal that names the file, or how many of its rows are rejects.
How many rows there are is never said here: `count` asks a reader that is not ours.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import feather, parquet

ROWS = 30
CODECS = {"utf-8": "utf-8-sig", "latin-1": "latin-1", "utf-16": "utf-16"}


@dataclass(frozen=True)
class Bad:
    """One source of rows, and what must become of it."""

    name: str
    kind: str
    files: Mapping[str, bytes | Callable[[], bytes]]
    told: str | None = None
    """A pattern of the refusal; None where the rows are read."""
    rejected: int = 0
    """Rows that are rejects."""
    reason: str = ""
    """Of the rejects."""
    path: str = ""
    """The file where there is one; else what stands for all of them."""
    options: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    """What the first example of the rejects names."""

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the files, and return the `source` section that reads them."""
        for name, content in self.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content())
        return {"kind": self.kind, "path": self.path or next(iter(self.files)), **self.options}

    def count(self) -> list[Any]:
        """Return the first value of every row, as a reader that is not ours sees the rows."""
        found: list[Any] = []
        for name in sorted(self.files):
            content = self.files[name]
            raw = content if isinstance(content, bytes) else content()
            raw = gzip.decompress(raw) if name.endswith(".gz") else raw
            raw = pa.decompress(raw, codec="zstd", decompressed_size=10**6) if name.endswith(".zst") else raw
            found += COUNTS[self.kind](raw, self.options)
        return found


def _csv(raw: bytes, options: Mapping[str, Any]) -> list[Any]:
    text = raw.decode(CODECS[options.get("encoding", "utf-8")], "surrogateescape")
    rows = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    return [row[0] or None for row in rows if row][1:]


def _json(raw: bytes, options: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for line in raw.split(b"\n"):
        if line.strip():
            try:
                value = json.loads(line)
                found.append(value.get("n") if isinstance(value, dict) else None)
            except (ValueError, RecursionError):
                found.append(None)
    return found


def _parquet(raw: bytes, options: Mapping[str, Any]) -> list[Any]:
    return parquet.read_table(io.BytesIO(raw)).column("n").to_pylist()  # type: ignore[no-any-return]


def _arrow(raw: bytes, options: Mapping[str, Any]) -> list[Any]:
    return pa.ipc.open_file(raw).read_all().column("n").to_pylist()  # type: ignore[no-any-return]


COUNTS = {"csv": _csv, "json": _json, "parquet": _parquet, "arrow": _arrow}


def good_csv(end: bytes = b"\n", head: bytes = b"n,word,y", rows: int = ROWS) -> bytes:
    """Return a file without a fault."""
    lines = [b"%d,w%d,%s" % (at, at % 3, b"yes" if at % 2 else b"no") for at in range(rows)]
    return end.join([head, *lines]) + end


def good_json(rows: int = ROWS) -> bytes:
    """Return a file without a fault."""
    lines = ({"n": at, "word": f"w{at % 3}", "y": "yes" if at % 2 else "no"} for at in range(rows))
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def table(rows: int = ROWS) -> pa.Table:
    """Return rows with types."""
    places = range(rows)
    return pa.table(
        {
            "n": [*places],
            "word": [f"w{at % 3}" for at in places],
            "y": ["yes" if at % 2 else "no" for at in places],
        }
    )


def packed(rows: pa.Table, **options: Any) -> bytes:
    """Return rows as Parquet."""
    content = io.BytesIO()
    parquet.write_table(rows, content, **options)
    return content.getvalue()


def feathered(rows: pa.Table, **options: Any) -> bytes:
    """Return rows as a file of Arrow's IPC format."""
    content = io.BytesIO()
    feather.write_feather(rows, content, **options)
    return content.getvalue()


def _with(*lines: bytes, end: bytes = b"\n") -> bytes:
    """Return a CSV file with other lines behind the good ones."""
    return good_csv(end) + b"".join(line + end for line in lines)


def _and(*lines: bytes) -> bytes:
    """Return a JSON file with other lines between the good ones."""
    return good_json() + b"".join(line + b"\n" for line in lines) + good_json()


def _flip(content: bytes, first: int, count: int) -> bytes:
    return (
        content[:first]
        + bytes(byte ^ 0xFF for byte in content[first : first + count])
        + content[first + count :]
    )


def _first_byte(content: bytes, group: int) -> int:
    """Return where the values of a row group begin."""
    column = parquet.read_metadata(io.BytesIO(content)).row_group(group).column(0)
    return int(column.dictionary_page_offset or column.data_page_offset)


def _one(
    kind: str, name: str, content: bytes | Callable[[], bytes], *more: Any, end: str, **options: Any
) -> Bad:
    return Bad(f"{kind}: {name}", kind, {f"t{end}": content}, *more, **options)


def _c(name: str, content: bytes | Callable[[], bytes], *more: Any, end: str = ".csv", **options: Any) -> Bad:
    return _one("csv", name, content, *more, end=end, **options)


def _j(
    name: str, content: bytes | Callable[[], bytes], *more: Any, end: str = ".jsonl", **options: Any
) -> Bad:
    return _one("json", name, content, *more, end=end, **options)


def _p(name: str, content: bytes, *more: Any, **options: Any) -> Bad:
    return _one("parquet", name, content, *more, end=".parquet", **options)


def _a(name: str, content: bytes, *more: Any, **options: Any) -> Bad:
    return _one("arrow", name, content, *more, end=".arrow", **options)


BIG = 100 * 2**20
GROUPS = packed(table(3000), row_group_size=1000, compression="zstd")
FEATHER = feathered(table(3000), compression="zstd")
FEW, MANY = "too few values for the header", "too many values for the header"
NO_JSON, ENCODING = "no whole JSON value", "bytes that are not text in this encoding"

CSV = (
    _c("good", good_csv()),
    _c("empty", b"", r"'t\.csv' is empty"),
    _c("blank lines only", b"\n\n", r"'t\.csv' is empty"),
    _c("header only", b"n,word,y\n", "the source has no rows"),
    _c("header without a line end", b"n,word,y", "the source has no rows"),
    _c("a header name twice", good_csv(head=b"n,word,n"), r"'t\.csv': column 'n' appears twice"),
    _c("a header name in another case", good_csv(head=b"n,word,N"), r"'n' and 'N' differ only in case"),
    _c("a header without a name", good_csv(head=b"n,,y"), r"'t\.csv': column 2 has no name"),
    _c("an open quote in the header", good_csv(head=b'n,"word,y'), r"header of 't\.csv' cannot be read"),
    _c("no last line end", good_csv()[:-1]),
    _c("blank lines between", good_csv().replace(b"\n", b"\n\n")),
    _c("too few values", _with(b"7,w", b"8"), None, 2, FEW, where="t.csv line 32: 7,w"),
    _c("too many values", _with(b"7,w,no,4", b"8,w,no,,,5"), None, 2, MANY, where="t.csv line 32"),
    _c(
        "ragged after blank lines and a value of two lines",
        _with(b'7,"a\nb",no', b"", b"8,w"),
        None,
        1,
        FEW,
        where="t.csv line 35: 8,w",
    ),
    _c("empty values behind the last column", _with(b"7,w,no,", b"8,w,yes,,")),
    _c(
        "text behind a quote",
        _with(b'7,"w"x,no'),
        None,
        1,
        "text behind a closing quote",
        where='t.csv line 32: 7,"w"x,no',
    ),
    _c("two faults in a row", _with(b'""x,""y', b"8,w,no"), None, 1, "text behind a closing quote"),
    _c("a quote inside a bare value", _with(b'7,5" w,no')),
    _c("spaces around quotes", _with(b'7, "two\nlines" ,no')),
    _c("a quote never closed", _with(b'7,"w,no', b"8,w,no"), r"'t\.csv' line 32 opens a quote"),
    _c(
        "a quote closed by the next one", _with(b'7,"w,no', b'8,"x",no', b"9,w,no"), r"'t\.csv' line 32 opens"
    ),
    _c("a quote that ends a file", _with(b'7,w,"'), None, 1, "text behind a closing quote"),
    _c("a bad quote over several lines", _with(b'7,"a\n"b\nc",no'), r"'t\.csv' line 32 opens"),
    _c(
        "latin-1 in one row",
        _with(b"7,Z\xfcrich,no"),
        None,
        1,
        ENCODING,
        where=r"t.csv line 32: 7,Z\udcfcrich",
    ),
    _c("latin-1 in the header", good_csv(head=b"n,gr\xf6\xdfe,y"), r"'t\.csv' is not utf-8 text"),
    _c("latin-1, said", _with(b"7,Z\xfcrich,no"), options={"encoding": "latin-1"}),
    _c("utf-8 mark first", b"\xef\xbb\xbf" + good_csv()),
    _c("utf-8 mark between", _with(b"\xef\xbb\xbf7,w,no"), None, 1, "is not a finite number"),
    _c("utf-16 with its mark, said", good_csv().decode().encode("utf-16"), options={"encoding": "utf-16"}),
    _c("utf-16 with its mark", good_csv().decode().encode("utf-16"), r"'t\.csv' is not utf-8 text"),
    _c(
        "utf-16 without its mark",
        good_csv().decode().encode("utf-16-le"),
        r"the header of 't\.csv' holds NUL",
    ),
    _c("a surrogate as bytes", _with(b"7,\xed\xa0\x80,no"), None, 1, ENCODING),
    _c("NUL in a value", _with(b"7,w\x00,no"), None, 1, "holds NUL"),
    _c("NUL only", b"\0" * 4096, r"'t\.csv'"),
    _c("NUL behind the rows", good_csv() + b"\0" * 512, None, 1, FEW),
    _c("carriage returns and line feeds", good_csv(b"\r\n")),
    _c("carriage returns alone", good_csv(b"\r")),
    _c(
        "line feeds, then both",
        good_csv() + b"7,w,no\r\n",
        r"'t\.csv' line 32 ends in a carriage return and a line",
    ),
    _c(
        "both, then line feeds",
        good_csv(b"\r\n") + b"7,w,no\n8,w,no\n",
        r"'t\.csv' line 32 ends in a line feed",
    ),
    _c(
        "carriage returns, then line feeds",
        good_csv(b"\r") + b"7,w,no\n",
        r"'t\.csv' line 32 ends in a line feed",
    ),
    _c("a field of 100 MB", lambda: _with(b'7,"' + b"w" * BIG + b'",no'), r"'t\.csv' line 32 is longer"),
    _c("a first line of 100 MB", lambda: b"n" * BIG, r"'t\.csv' line 1 is longer"),
    _c(
        "numbers that are none",
        _with(b"1e400,w,no", b"NaN,w,no", b"inf,w,yes", b"1_000,w,no", b"x,w,no"),
        None,
        5,
        "is not a finite number",
    ),
    _c(
        "integers beyond 2^53",
        _with(b"9223372036854775808,w,no", b"-9007199254740993,w,no"),
        None,
        2,
        "is an integer beyond 2\\^53",
    ),
    _c("packed", gzip.compress(good_csv(), mtime=0), end=".csv.gz"),
    _c(
        "packed, cut",
        gzip.compress(good_csv(), mtime=0)[:-20],
        r"'t\.csv\.gz' is no whole compressed file",
        end=".csv.gz",
    ),
    _c(
        "packed, torn",
        _flip(gzip.compress(good_csv(), mtime=0), 40, 9),
        r"'t\.csv\.gz' is no whole",
        end=".csv.gz",
    ),
    _c(
        "packed, with ragged rows",
        gzip.compress(_with(b"7"), mtime=0),
        None,
        1,
        FEW,
        end=".csv.gz",
        where="t.csv.gz line 32: 7",
    ),
    _c(
        "packed twice in one file",
        gzip.compress(good_csv(), mtime=0) + gzip.compress(b"7,w,no\n", mtime=0),
        end=".csv.gz",
    ),
    _c(
        "packed, and something behind",
        gzip.compress(good_csv(), mtime=0) + b"rest",
        r"'t\.csv\.gz' is no whole",
        end=".csv.gz",
    ),
    _c("not packed", good_csv(), r"'t\.csv\.gz' is no whole compressed file", end=".csv.gz"),
    _c(
        "zstd, cut",
        pa.compress(good_csv(), "zstd", asbytes=True)[:-9],
        r"'t\.csv\.zst' is no whole",
        end=".csv.zst",
    ),
    Bad(
        "csv: a file of other columns",
        "csv",
        {"d/a.csv": good_csv(), "d/b.csv": good_csv(head=b"n,word,z")},
        r"'d/b\.csv' has other columns",
        path="d",
    ),
    Bad(
        "csv: a file of the columns in another order",
        "csv",
        {"d/a.csv": good_csv(), "d/b.csv": good_csv(head=b"word,n,y")},
        r"'d/b\.csv' has the columns of",
        path="d",
    ),
    Bad(
        "csv: an empty file among others",
        "csv",
        {"d/a.csv": good_csv(), "d/b.csv": b""},
        r"'d/b\.csv' is empty",
        path="d",
    ),
    Bad(
        "csv: a bad row in the second file of a name",
        "csv",
        {"d/1/t.csv": good_csv(), "d/2/t.csv": _with(b"7")},
        None,
        1,
        FEW,
        path="d",
        where="d/2/t.csv line 32: 7",
    ),
    Bad(
        "csv: each file its own line ends",
        "csv",
        {"a.csv": good_csv(), "b.csv": good_csv(b"\r\n")},
        path="*.csv",
    ),
)
JSON = (
    _j("good", good_json()),
    _j("empty", b"", r"'t\.jsonl' holds no JSON object"),
    _j("no last line end", good_json()[:-1]),
    _j("an array", b'[{"n": 1}, {"n": 2}]', r"'t\.jsonl' begins with '\['"),
    _j("an array over lines", b'[\n{"n": 1},\n{"n": 2}\n]\n', r"'t\.jsonl' begins with '\['"),
    _j("objects over lines", b'{\n"n": 1\n}\n', r"first object of 't\.jsonl' has several lines"),
    _j("cut", _and(b'{"n": 7, "wo')[: -len(good_json()) - 1], None, 1, NO_JSON, where="t.jsonl line 31"),
    _j("a cut line between", _and(b'{"n": 7, "wo'), None, 1, NO_JSON, where='t.jsonl line 31: {"n": 7, "wo'),
    _j("something behind an object", _and(b'{"n": 7} x', b'{"n": 7}{"n": 8}'), None, 2, NO_JSON),
    _j("a key twice", _and(b'{"n": 7, "n": 8}'), None, 1, "a key is there twice", where="t.jsonl line 31"),
    _j("a key twice, written otherwise", _and(b'{"n": 7, "\\u006e": 8}'), None, 1, "a key is there twice"),
    _j(
        "a later key",
        good_json(1200) + b'{"n": 7, "late": 8}\n',
        None,
        1,
        "a key that the first lines do not have",
        where="t.jsonl line 1201",
    ),
    _j("no objects", _and(b"5", b'"x"', b"null", b"[1]"), None, 4, "no JSON object"),
    _j("blank lines", good_json().replace(b"\n", b"\n\n \t\n")),
    _j("nested values", _and(b'{"n": {"a": 1}, "word": "w", "y": "no"}'), None, 1, "is not a JSON number"),
    _j(
        "deep nesting",
        _and(b'{"n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        None,
        1,
        "is not a JSON number",
    ),
    _j("deep nesting, never closed", _and(b'{"n": ' + b"[" * 100_000), None, 1, NO_JSON),
    _j(
        "numbers that are none",
        _and(b'{"n": 1e400}', b'{"n": NaN}', b'{"n": -Infinity}'),
        None,
        3,
        "is not a finite number",
    ),
    _j(
        "integers beyond int64",
        _and(b'{"n": 9223372036854775808}', b'{"n": 1' + b"0" * 40 + b"}"),
        None,
        2,
        "is an integer beyond 2\\^53",
    ),
    _j("latin-1 in one row", _and(b'{"n": 7, "word": "\xfc"}'), None, 1, NO_JSON, where=r"t.jsonl line 31"),
    _j("latin-1 first", b'{"word": "\xfc"}\n', r"'t\.jsonl' is not UTF-8 text"),
    _j("utf-8 mark first", b"\xef\xbb\xbf" + good_json(), r"'t\.jsonl' begins with a byte order mark"),
    _j("utf-16", good_json().decode().encode("utf-16"), r"'t\.jsonl' is UTF-16 text"),
    _j("utf-16 without its mark", good_json().decode().encode("utf-16-be"), r"'t\.jsonl' is UTF-16 text"),
    _j("a lone surrogate", _and(b'{"n": 7, "word": "\\ud800"}'), None, 1, NO_JSON),
    _j("a lone surrogate in a key", _and(b'{"n\\ud800": 7}'), None, 1, NO_JSON),
    _j("NUL in a value", _and(b'{"n": 7, "word": "a\\u0000"}'), None, 1, "holds NUL"),
    _j("NUL between", _and(b"\0\0\0"), None, 1, NO_JSON),
    _j("NUL behind the rows", good_json() + b"\0" * 512, None, 1, NO_JSON),
    _j("a line end in a text", _and(b'{"n": 7, "word": "a\nb"}'), None, 2, NO_JSON),
    _j("mixed line ends", good_json() + good_json().replace(b"\n", b"\r\n")),
    _j("carriage returns alone", good_json().replace(b"\n", b"\r"), r"'t\.jsonl' holds no JSON object"),
    _j(
        "a field of 100 MB",
        lambda: _and(b'{"n": 7, "word": "' + b"w" * BIG + b'"}'),
        r"'t\.jsonl' line 31 is longer",
    ),
    _j(
        "packed, cut",
        gzip.compress(good_json(), mtime=0)[:-20],
        r"'t\.jsonl\.gz' is no whole",
        end=".jsonl.gz",
    ),
    _j(
        "packed, a bad row",
        gzip.compress(_and(b"{"), mtime=0),
        None,
        1,
        NO_JSON,
        end=".jsonl.gz",
        where="t.jsonl.gz line 31: {",
    ),
    Bad(
        "json: a bad row in the second file",
        "json",
        {"d/1/t.jsonl": good_json(), "d/2/t.jsonl": _and(b"{")},
        None,
        1,
        NO_JSON,
        path="d",
        where="d/2/t.jsonl line 31: {",
    ),
    Bad(
        "json: an array in the second file",
        "json",
        {"a.jsonl": good_json(), "b.jsonl": b'[{"n": 1}]\n'},
        None,
        1,
        "no JSON object",
        path="*.jsonl",
        where="b.jsonl line 1",
    ),
)
PARQUET = (
    _p("good", GROUPS),
    _p("empty", b"", r"'t\.parquet' is no whole Parquet file"),
    _p("no rows", packed(table(0)), "the source has no rows"),
    _p("the footer cut", GROUPS[:-200], r"'t\.parquet' is no whole Parquet file"),
    _p("half of it", GROUPS[: len(GROUPS) // 2], r"'t\.parquet' is no whole Parquet file"),
    _p("another file's first bytes", b"PK\3\4" + GROUPS[4:]),
    _p("another file's last bytes", GROUPS[:-4] + b"PK\3\4", r"'t\.parquet' is no whole Parquet file"),
    _p("zeros", bytes(len(GROUPS)), r"'t\.parquet' is no whole Parquet file"),
    _p("text", good_csv(), r"'t\.parquet' is no whole Parquet file"),
    _p("torn pages", _flip(GROUPS, 20, 400), r"'t\.parquet' is damaged: its rows 0 to 999"),
    _p("torn pages of the last rows", _flip(GROUPS, _first_byte(GROUPS, 2), 60),
       r"'t\.parquet' is damaged: its rows 2000 to 2999"),
    _p("a torn footer", _flip(GROUPS, len(GROUPS) - 300, 200), r"'t\.parquet'"),
    _p("some bytes of a page gone", GROUPS[:200] + GROUPS[220:], r"'t\.parquet'"),
    _p("a column name twice", packed(pa.Table.from_arrays([pa.array([1])] * 2, names=["n", "n"])),
       "column 'n' appears twice"),
    _p("infinities",
       packed(pa.table({"n": [1.0, float("inf"), float("nan")], "word": ["w"] * 3, "y": ["no"] * 3})),
       None, 1, "is infinite"),
    _p("integers beyond 2^53", packed(pa.table({"n": [1, 2**63 - 1], "word": ["w"] * 2, "y": ["no"] * 2})),
       None, 1, "is an integer beyond 2\\^53"),
    Bad("parquet: another type in a later file", "parquet",
        {"a.parquet": GROUPS, "b.parquet": packed(table().set_column(0, "n", pa.array([1.5] * ROWS)))},
        r"column 'n' holds double in 'b\.parquet' and int64 in 'a\.parquet'", path="*.parquet"),
    Bad("parquet: another column in a later file", "parquet",
        {"d/a.parquet": GROUPS, "d/b.parquet": packed(table().rename_columns(["n", "word", "z"]))},
        r"'d/b\.parquet' has other columns", path="d"),
    Bad("parquet: a damaged file among others", "parquet",
        {"d/1/t.parquet": GROUPS, "d/2/t.parquet": _flip(GROUPS, 20, 400)}, r"'d/2/t\.parquet' is damaged",
        path="d"),
    Bad("parquet: an empty file among others", "parquet", {"d/a.parquet": GROUPS, "d/b.parquet": b""},
        r"'d/b\.parquet' is no whole Parquet file", path="d"),
)  # fmt: skip
ARROW = (
    _a("good", feathered(table())),
    _a("empty", b"", r"'t\.arrow' is no whole file"),
    _a("no rows", feathered(table(0)), "the source has no rows"),
    _a("half of it", feathered(table(3000))[:9000], r"'t\.arrow' is no whole file"),
    _a("zeros", bytes(4096), r"'t\.arrow' is no whole file"),
    _a("torn", _flip(FEATHER, len(FEATHER) // 3, 800), r"'t\.arrow' is damaged"),
    Bad("arrow: another column in a later file", "arrow",
        {"a.arrow": feathered(table()), "b.arrow": feathered(table().rename_columns(["n", "word", "z"]))},
        r"'b\.arrow' has other columns", path="*.arrow"),
)  # fmt: skip
EVERY = {item.name: item for item in (*CSV, *JSON, *PARQUET, *ARROW)}
