"""Statistics, contract and 20 rules of a table against one DuckDB query of the same, and against others.

    python benchmarks/checking.py [--rows 1000000] [--runs 5] [--files 1] [--folder DIR]
    python benchmarks/checking.py --with great_expectations pandera [--python PATH] [--rows 1000000]

The table has 20 columns (a key, 11 numbers with gaps, 5 categories, 2 times, a target) in Parquet, in row
groups of 122,880 rows, made from a seed. Ours are the steps `ingest` and `validate` in one process that has
loaded its libraries and done a small table before; the floor is one query written by hand, in a DuckDB with
the same threads and memory: exact counts of different values, as ours are, sketches of quantiles and of
frequent values, the contract's counts and the rules'. Each run is a process of its own; they take turns.

`--with` holds only the rules against the same 20 in another checker, which reads the same file: the step
`validate` with a contract that demands nothing but types, against reading with pandas and checking there;
`duckdb` is the shortest query of the rules that we know to write by hand.
`--python` names the interpreter that has it. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PIECE, GROUP = 1_000_000, 122_880
"""Rows that are made at once; rows of a row group."""
SHARES = "[0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]"
NUMBERS = {
    "age": (17, 90), "children": (0, 9), "amount": (0, 1e6), "fee": (0, 1e5), "score": (-9, 9),
    "balance": (-1e5, 1e5), "rate": (0, 1), "distance": (0, 1e4), "speed": (-99, 99),
    "temperature": (-99, 99), "hours": (0, 999),
}  # fmt: skip
"""Columns of numbers, and between which limits they lie."""
CATEGORIES = {"plan": 3, "region": 12, "branch": 200, "product": 2000, "city": 50_000}
"""Columns of categories, and how many values they have."""
DOMAINS = {name: tuple(f"{name} {at}" for at in range(CATEGORIES[name])) for name in ("plan", "region")}
DOMAINS |= {"churn": ("no", "yes")}
RULES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"kind": "unique", "columns": ["id"]}, "count(*) - count(DISTINCT id)"),
    *(
        ({"kind": "not_null", "columns": [name]}, f"count(*) FILTER ({name} IS NULL)")
        for name in ("id", "age", "plan", "opened")
    ),
    *(
        (
            {"kind": "in_range", "column": name, "low": low, "high": high},
            f"count(*) FILTER ({name} NOT BETWEEN {low} AND {high})",
        )
        for name, (low, high) in list(NUMBERS.items())[:8]
    ),
    *(
        (
            {"kind": "one_of", "column": name, "values": list(values)},
            f"count(*) FILTER ({name} NOT IN {values})",
        )
        for name, values in DOMAINS.items()
    ),
    *(
        ({"kind": "expression", "expr": text}, f"count(*) FILTER (NOT ({text}))")
        for text in (
            "fee <= amount",
            "closed >= opened",
            "length(city) between 6 and 10",
            "starts_with(product, 'product ')",
        )
    ),
)
"""The rules as a spec has them, and what the hand-written query counts for each."""


def write_rows(folder: Path, rows: int, files: int) -> None:
    """Write the table in so many files."""
    import pyarrow as pa
    from pyarrow import parquet

    folder.mkdir(parents=True)
    share = -(-rows // files)
    for place in range(files):
        end, writer = min((place + 1) * share, rows), None
        for start in range(place * share, end, PIECE):
            piece = _piece(start, min(PIECE, end - start))
            writer = writer or parquet.ParquetWriter(folder / f"{place:04}.parquet", piece.schema)
            writer.write_table(pa.Table.from_batches([piece]), row_group_size=GROUP)
        if writer is not None:
            writer.close()


def _piece(start: int, count: int) -> Any:
    import numpy as np
    import pyarrow as pa

    rng = np.random.default_rng([11, start])
    amount = np.minimum(np.round(rng.lognormal(4, 1.5, count), 2), 1e6)
    numbers = {
        "age": rng.integers(17, 91, count),
        "children": np.minimum(rng.poisson(1.2, count), 9),
        "amount": amount,
        "fee": np.floor(amount * 3) / 100,
        "score": np.round(rng.normal(size=count), 4),
        "balance": np.round(rng.normal(0, 9000, count), 2),
        "rate": np.round(rng.random(count), 6),
        "distance": rng.exponential(50, count),
        "speed": rng.normal(0, 9, count),
        "temperature": np.round(rng.normal(12, 8, count), 1),
        "hours": np.round(rng.gamma(2, 20, count), 2),
    }
    gaps = {"amount": 0.05, "score": 0.02, "distance": 0.1, "hours": 0.01}
    columns = {"id": pa.array(np.arange(start, start + count))}
    for name, values in numbers.items():
        columns[name] = pa.array(values, mask=rng.random(count) < gaps[name] if name in gaps else None)
    for name, many in CATEGORIES.items():
        codes = pa.array((rng.random(count) ** 2 * many).astype(np.int32))
        known = pa.array([f"{name} {place}" for place in range(many)])
        columns[name] = known.take(codes)
    opened = rng.integers(1_600_000_000, 1_700_000_000, count) * 1_000_000
    closed = opened + rng.integers(0, 10_000_000, count) * 1_000_000
    columns["opened"] = pa.array(opened, pa.timestamp("us", "UTC"))
    columns["closed"] = pa.array(closed, pa.timestamp("us", "UTC"), mask=rng.random(count) < 0.2)
    columns["churn"] = pa.array(["no", "yes"]).take(pa.array((rng.random(count) < 0.3).astype(np.int32)))
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def query(files: str) -> str:
    """Return the hand-written query: statistics of 20 columns, a contract's counts and the rules'."""
    asked = ["count(*)"]
    times = {name: f"epoch_ms({name})" for name in ("opened", "closed")}
    for name, value in ({name: name for name in ("id", *NUMBERS)} | times).items():
        asked += [f"count({name})", f"count(DISTINCT {name})", f"min({value})", f"max({value})"]
        asked += [f"avg({value})", f"stddev_pop({value})", f"approx_quantile({value}, {SHARES})"]
    for name in (*CATEGORIES, "churn"):
        asked += [f"count({name})", f"count(DISTINCT {name})", f"approx_top_k({name}, 20)"]
    for name, (low, high) in NUMBERS.items():
        asked += [f"count(*) FILTER ({name} < {low})", f"count(*) FILTER ({name} > {high})"]
    asked += [f"count(*) FILTER ({name} NOT IN {values})" for name, values in DOMAINS.items()]
    asked += [sql for _, sql in RULES]
    return f"SELECT {', '.join(asked)} FROM read_parquet({files!r})"


def floor(folder: Path, threads: int, memory: str) -> dict[str, float]:
    """Return the seconds of the hand-written query."""
    import duckdb

    with tempfile.TemporaryDirectory() as spill:
        connection = duckdb.connect(
            config={"threads": threads, "memory_limit": memory, "temp_directory": spill}
        )
        small, whole = query(str(folder / "small" / "*.parquet")), query(str(folder / "rows" / "*.parquet"))
        connection.execute(small).fetchall()
        start, busy = time.perf_counter(), time.process_time()
        connection.execute(whole).fetchall()
        return {"query": time.perf_counter() - start, "processor": time.process_time() - busy}


def spec(folder: Path, path: str) -> Path:
    """Write the spec of a table."""
    features = dict.fromkeys(NUMBERS, "number") | dict.fromkeys(CATEGORIES, "category")
    features |= dict.fromkeys(("opened", "closed"), "datetime")
    content = {
        "apiVersion": "mlspec/v1",
        "name": "table",
        "data": {
            "source": {"kind": "parquet", "path": path},
            "key": ["id"],
            "target": {"column": "churn", "kind": "binary", "positive": "yes"},
            "features": features,
        },
        "validation": {"contract": f"{path.partition('/')[0]}.yaml", "rules": [rule for rule, _ in RULES]},
        "model": "linear",
    }
    file = folder / f"{path.partition('/')[0]}.spec.yaml"
    file.write_text(json.dumps(content))  # JSON is YAML
    return file


def ours(folder: Path) -> dict[str, float]:
    """Return the seconds of `ingest` and `validate`, the second time that this process does them."""
    _steps(folder, spec(folder, "small/*.parquet"))
    return _steps(folder, spec(folder, "rows/*.parquet"))


def rules_only(folder: Path) -> dict[str, float]:
    """Return the seconds of `validate` where the contract demands nothing but types."""
    _steps(folder, spec(folder, "small/*.parquet"), contract=False)
    found = _steps(folder, spec(folder, "rows/*.parquet"), contract=False)
    return {"rules": found["validate"], "processor": found["validate_processor"]}


def _steps(folder: Path, file: Path, *, contract: bool = True) -> dict[str, float]:
    from mlspec import build_plan, load_spec
    from mlspec.sdk.context import Context
    from mlspec.steps.ingest import ingest
    from mlspec.steps.validate import validate

    steps = {step.name: step for step in build_plan(load_spec(file), spec_path=file.name).steps}
    found: dict[str, float] = {}
    busy = time.process_time()
    with tempfile.TemporaryDirectory(dir=folder) as made:
        outputs = {name: Path(made) / name for name in ("ingest", "validate")}
        (Path(made) / "scratch").mkdir()
        context = Context(
            folder, scratch=Path(made) / "scratch", parts=Path(made) / "parts", say=lambda line: None
        )
        for name, work in (("ingest", ingest), ("validate", validate)):
            outputs[name].mkdir()
            start, began = time.perf_counter(), time.process_time()
            work(steps[name].parameters, {"ingest": outputs["ingest"]}, outputs[name], context)
            found[name] = time.perf_counter() - start
            found[f"{name}_processor"] = time.process_time() - began
            if name == "ingest":
                agreed = folder / steps["validate"].parameters["validation"]["contract"]
                agreed.write_text(
                    (outputs["ingest"] / "contract.yaml").read_text()
                    if contract
                    else _types(outputs["ingest"])
                )
    return found | {"processor": time.process_time() - busy}


def _types(ingested: Path) -> str:
    """Return a contract that demands types, and nothing else."""
    columns = json.loads((ingested / "manifest.json").read_text())["columns"]
    free = {name: {"type": kind, "max_null": 1} for name, kind in columns.items()}
    return json.dumps({"version": 1, "columns": free})


def great_expectations(folder: Path) -> dict[str, float]:
    """Return the seconds of reading the table with pandas, and of the rules in Great Expectations."""
    import great_expectations as gx
    import pandas as pd

    kinds: dict[str, Any] = {
        "unique": lambda rule: [gx.expectations.ExpectColumnValuesToBeUnique(column=rule["columns"][0])],
        "not_null": lambda rule: [gx.expectations.ExpectColumnValuesToNotBeNull(column=rule["columns"][0])],
        "in_range": lambda rule: [
            gx.expectations.ExpectColumnValuesToBeBetween(
                column=rule["column"], min_value=rule["low"], max_value=rule["high"]
            )
        ],
        "one_of": lambda rule: [
            gx.expectations.ExpectColumnValuesToBeInSet(column=rule["column"], value_set=rule["values"])
        ],
        "expression": lambda rule: [],
    }
    wanted = [item for rule, _ in RULES for item in kinds[rule["kind"]](rule)]
    above = gx.expectations.ExpectColumnPairValuesAToBeGreaterThanB
    wanted += [
        above(column_A="amount", column_B="fee", or_equal=True, ignore_row_if="either_value_is_missing"),
        above(column_A="closed", column_B="opened", or_equal=True, ignore_row_if="either_value_is_missing"),
        gx.expectations.ExpectColumnValueLengthsToBeBetween(column="city", min_value=6, max_value=10),
        gx.expectations.ExpectColumnValuesToMatchRegex(column="product", regex="^product "),
    ]
    assert len(wanted) == len(RULES)
    context = gx.get_context(mode="ephemeral")
    batch = (
        context.data_sources.add_pandas("here")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
    )
    suite = gx.ExpectationSuite(name="rules", expectations=wanted)

    def work(name: str) -> None:
        rows = pd.read_parquet(folder / name)
        told = batch.get_batch(batch_parameters={"dataframe": rows}).validate(suite, result_format="BASIC")
        assert told.success, told

    return _second_time(work)


def pandera(folder: Path) -> dict[str, float]:
    """Return the seconds of reading the table with pandas, and of the rules in pandera."""
    import pandas as pd
    import pandera.pandas as pa

    checks: dict[str, list[Any]] = {}
    null, unique = set(), set()
    for rule, _ in RULES:
        if rule["kind"] == "not_null":
            null.add(rule["columns"][0])
        elif rule["kind"] == "unique":
            unique.add(rule["columns"][0])
        elif rule["kind"] == "in_range":
            checks.setdefault(rule["column"], []).append(pa.Check.in_range(rule["low"], rule["high"]))
        elif rule["kind"] == "one_of":
            checks.setdefault(rule["column"], []).append(pa.Check.isin(rule["values"]))
    checks["city"] = [pa.Check.str_length(6, 10)]
    checks["product"] = [pa.Check.str_startswith("product ")]
    names = {*checks, *null, *unique}
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(None, checks.get(name), nullable=name not in null, unique=name in unique)
            for name in names
        },
        checks=[
            pa.Check(lambda rows: ~(rows["fee"] > rows["amount"])),
            pa.Check(lambda rows: ~(rows["closed"] < rows["opened"])),
        ],
    )

    def work(name: str) -> None:
        schema.validate(pd.read_parquet(folder / name), lazy=True)

    return _second_time(work)


def _second_time(work: Callable[[str], None]) -> dict[str, float]:
    """Return the seconds of a peer's work on the table, after a small one was done."""
    work("small")
    start, busy = time.perf_counter(), time.process_time()
    work("rows")
    return {"rules": time.perf_counter() - start, "processor": time.process_time() - busy}


def duckdb(folder: Path) -> dict[str, float]:
    """Return the seconds of the rules as one query that knows the bounds of the key."""
    import duckdb

    def work(name: str) -> None:
        files = f"read_parquet({str(folder / name / '*.parquet')!r})"
        ((low, high),) = connection.execute(f"SELECT min(id), max(id) FROM {files}").fetchall()
        asked = ["count(*)", f"bit_count(bitstring_agg(id, {low}, {high}))"]
        for rule, _ in RULES[1:]:
            column = rule.get("column") or rule.get("columns", [None])[0]
            if rule["kind"] == "not_null":
                asked.append(f"count({column})")
                continue
            holds = rule.get("expr")
            if rule["kind"] == "in_range":
                holds = f"{column} BETWEEN {float(rule['low'])}::DOUBLE AND {float(rule['high'])}::DOUBLE"
            elif rule["kind"] == "one_of":
                holds = f"list_contains({rule['values']}, {column})"
            asked += [f"count({holds})", f"sum(CAST({holds} AS INTEGER))"]
        connection.execute(f"SELECT {', '.join(asked)} FROM {files}").fetchall()

    with duckdb.connect() as connection:
        return _second_time(work)


PEERS = {"great_expectations": great_expectations, "pandera": pandera, "duckdb": duckdb}


def _child(python: str, *words: str) -> dict[str, float]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, __file__, *words], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{words[1]} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _limits(folder: Path) -> tuple[str, str]:
    """Return the threads and the memory that a step's database takes here."""
    sys.path.insert(0, str(ROOT))
    from mlspec.engine.database import database
    from mlspec.sdk.context import Context

    opened = database(Context(folder, scratch=folder))
    asked = "SELECT current_setting('threads'), current_setting('memory_limit')"
    threads, memory = opened.con.execute(asked).fetchone()
    return str(threads), str(memory)


def _have(python: str, package: str) -> bool:
    found = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", found]).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the table is kept from call to call")
    parser.add_argument("--with", dest="peers", nargs="+", choices=PEERS, default=[])
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has them")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.child:
        way, folder, *limits = told.child
        ways = {"ours": ours, "rules": rules_only} | PEERS
        ways["floor"] = lambda here: floor(here, int(limits[0]), limits[1])
        print(json.dumps(ways[way](Path(folder))))
        return 0
    peers = [name for name in told.peers if _have(told.python, name)]
    for name in set(told.peers) - set(peers):
        print(f"{told.python} has no {name}: it is left out", file=sys.stderr)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (told.folder or Path(temporary)).resolve() / f"{told.rows}-{told.files}"
        if not folder.is_dir():
            write_rows(folder / "small", 1000, told.files)
            write_rows(folder / "rows", told.rows, told.files)
        limits = _limits(folder)
        if told.peers:
            ways = {name: (told.python, "--child", name, str(folder)) for name in ("rules", *peers)}
            ways["rules"] = (sys.executable, *ways["rules"][1:])
        else:
            ways = {
                name: (sys.executable, "--child", name, str(folder), *limits) for name in ("ours", "floor")
            }
        took: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        for _ in range(told.runs):
            for name, command in ways.items():
                took[name].append(_child(*command))
    print(json.dumps(_report(took) | {"rows": told.rows, "runs": told.runs}))
    return 0


def _report(took: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Return the median seconds of each part, and what we are to each other, pair by pair."""
    found: dict[str, Any] = {
        "seconds": {
            name: {part: round(statistics.median(run[part] for run in runs), 2) for part in runs[0]}
            for name, runs in took.items()
        }
    }

    def to(other: str, word: str, mine: str, *parts: str) -> float:
        pairs = zip(took[mine], took[other], strict=True)
        return round(statistics.median(sum(our[part] for part in parts) / run[word] for our, run in pairs), 3)

    if "floor" in took:
        found["times_as_long"] = to("floor", "query", "ours", "ingest", "validate")
        found["times_the_processor"] = to("floor", "processor", "ours", "processor")
    else:
        for part, word in (("rules", "times_faster"), ("processor", "times_less_processor")):
            found[word] = {
                name: round(1 / to(name, part, "rules", part), 1) for name in took if name != "rules"
            }
    return found


if __name__ == "__main__":
    raise SystemExit(main())
