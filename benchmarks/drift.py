"""How often the drift test alarms though nothing changed, and how often it finds a column scaled by 1.5.

    python benchmarks/drift.py [--data TABLE.csv] [--rows 100 500 2000 100000] [--trials 400]
        [--segments COLUMN] [--json]

The table is taken as a population. In each trial a reference of as many rows as the table, and the observed
rows, are drawn from it with replacement: nothing changed, every alarm is false. `looks` is the share of
trials with any alarm (the stated rate bounds it), `columns` that of columns told; `any_effect` is the same
where no change is too small to tell; with `--segments COLUMN` the rows of each of its values are looked at
apart as well. Then one numeric column at a time is scaled by 1.5, beside all the
others (`among`) and alone; `effect` is the change of the whole population, small where a column is mostly
zero. Without `--data` a table of eight columns is made. Exit code 1 where the rate is exceeded by more than
three standard errors, or `--column` is found in less than 90 % of trials at the fewest rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mlspec.engine.watching.drift import drift
from mlspec.engine.watching.profile import profile
from mlspec.engine.watching.seen import Seen
from mlspec.engine.watching.segment_references import segments
from mlspec.engine.watching.segments import places

FALSE_ALARMS = 0.05
SCALE = 1.5
POWER = 0.9


def read(path: Path) -> pa.Table:
    """Return a CSV file with float64 for every number and text for the rest."""
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(strings_can_be_null=True))
    return pa.table(
        {
            name: column if pa.types.is_string(column.type) else column.cast(pa.float64())
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )


def made(rows: int = 20_000) -> pa.Table:
    """Return columns such as tables have: skewed, tied, mostly zero, with nulls, few and many categories."""
    rng = np.random.default_rng(3)
    holes = rng.normal(size=rows)
    holes[rng.uniform(size=rows) < 0.2] = np.nan
    columns: dict[str, Any] = {
        "fare": rng.lognormal(2.5, 0.6, rows),
        "tied": np.where(rng.uniform(size=rows) < 0.9, 0.0, rng.lognormal(8, 1, rows)),
        "whole": rng.poisson(3, rows).astype(float),
        "holes": pa.array(holes, from_pandas=True),
        "flat": rng.uniform(size=rows),
        "few": rng.choice(["a", "b", "c"], p=[0.7, 0.25, 0.05], size=rows),
        "many": (rng.zipf(1.5, size=rows) % 500).astype(str),
        "even": rng.choice([f"v{place}" for place in range(40)], size=rows),
    }
    return pa.table(columns)


def seen(column: pa.ChunkedArray) -> Seen:
    """Return what an exact memory of a column holds."""
    if pa.types.is_string(column.type):
        return Seen.of_categories(column.to_pylist())
    return Seen.of_numbers(np.asarray(column.to_numpy(), np.float64))


def drawn(table: pa.Table, rows: int, rng: np.random.Generator) -> pa.Table:
    """Return rows drawn with replacement."""
    return table.take(pa.array(rng.integers(0, table.num_rows, rows)))


def apart(then: pa.Table, now: pa.Table, column: str) -> tuple[dict[str, Any], dict[str, Seen]]:
    """Return the references of the rows of each value of a column, and what was seen of each."""
    known: dict[str, Any] = {}
    observed: dict[str, Seen] = {}
    parts = segments(column, then.column(column))
    there, here = (places(parts, table.column(column)) for table in (then, now))
    for place in range(len(parts)):
        reference = profile(then.filter(pa.array(there == place)))
        own = now.filter(pa.array(here == place))
        for name, found in reference["columns"].items():
            known[f"{place}/{name}"] = {**found, "rows": reference["rows"], "family": "segments"}
            observed[f"{place}/{name}"] = seen(own.column(name))
    return known, observed


def error_rates(table: pa.Table, rows: int, trials: int, segmented: str | None) -> dict[str, Any]:
    """Return the shares of false alarms, as told by default and where any effect is worth telling."""
    rng = np.random.default_rng([17, rows])
    looks, columns = np.zeros(2, int), np.zeros(2, int)
    for _ in range(trials):
        then, now = drawn(table, table.num_rows, rng), drawn(table, rows, rng)
        reference = profile(then)
        observed = {name: seen(now.column(name)) for name in now.column_names}
        if segmented is not None:
            known, more = apart(then, now, segmented)
            reference["columns"] |= known
            observed |= more
        for place, smallest in enumerate((0.1, 0.0)):
            report = drift(reference, observed, false_alarms=FALSE_ALARMS, smallest_effect=smallest)
            looks[place] += report["drift"]
            columns[place] += sum(column["verdict"] == "drift" for column in report["columns"])
    tests = trials * len(reference["columns"])
    return {
        "rows": rows,
        "trials": trials,
        "looks": looks[0] / trials,
        "columns": columns[0] / tests,
        "any_effect": {"looks": looks[1] / trials, "columns": columns[1] / tests},
    }


def power(table: pa.Table, column: str, rows: int, trials: int) -> dict[str, Any]:
    """Return the shares of trials that find one column scaled, beside the others and alone."""
    rng = np.random.default_rng([19, rows])
    scaled = pc.multiply(table.column(column), SCALE)
    population = profile(table.select([column]))
    whole = drift(population, {column: seen(scaled)})["columns"][0]["effect"]
    among = alone = 0
    for _ in range(trials):
        reference = profile(drawn(table, table.num_rows, rng))
        now = drawn(table, rows, rng)
        observed = {name: seen(now.column(name)) for name in now.column_names}
        observed[column] = seen(pc.multiply(now.column(column), SCALE))
        one = {"rows": reference["rows"], "columns": {column: reference["columns"][column]}}
        among += _found(drift(reference, observed, false_alarms=FALSE_ALARMS), column)
        alone += _found(drift(one, observed, false_alarms=FALSE_ALARMS), column)
    return {
        "column": column,
        "rows": rows,
        "trials": trials,
        "effect": round(float(whole), 3),
        "among": among / trials,
        "alone": alone / trials,
    }


def _found(report: dict[str, Any], column: str) -> bool:
    return any(c["column"] == column and c["verdict"] == "drift" for c in report["columns"])


def main() -> int:
    """Measure, print, and say by the exit code whether the promises hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a CSV file; without it a table is made")
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 500, 2_000, 100_000])
    parser.add_argument("--trials", type=int, default=400, help="a quarter of them from 50,000 rows on")
    parser.add_argument("--column", default="fare", help="the column whose power is held to 90 %%")
    parser.add_argument("--scaled", nargs="*", help="columns to scale besides")
    parser.add_argument("--segments", metavar="COLUMN", help="look at the rows of each of its values apart")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    table = read(given.data) if given.data else made()
    start = time.perf_counter()
    errors = [
        error_rates(table, n, given.trials // 4 if n >= 50_000 else given.trials, given.segments)
        for n in given.rows
    ]
    fewest = min(given.rows)
    found = [
        power(table, name, fewest, given.trials) for name in sorted({given.column, *(given.scaled or ())})
    ]
    result = {
        "table": {"rows": table.num_rows, "columns": table.num_columns},
        "stated": FALSE_ALARMS,
        "false_alarms": errors,
        "power": found,
        "seconds": round(time.perf_counter() - start, 1),
    }
    if given.json:
        print(json.dumps(result, indent=1))
    else:
        for entry in errors:
            told = f"{entry['looks']:.1%} of looks, {entry['any_effect']['looks']:.1%} at any effect"
            print(f"{entry['rows']:>7} rows, nothing changed: alarms in {told}")
        for entry in found:
            print(
                f"{entry['column']} x {SCALE} (effect {entry['effect']:.2f}) at {entry['rows']} rows: "
                f"found in {entry['among']:.1%}, alone {entry['alone']:.1%}"
            )
    rooms = [FALSE_ALARMS + 3 * (FALSE_ALARMS * 0.95 / entry["trials"]) ** 0.5 for entry in errors]
    held = all(entry["any_effect"]["looks"] <= room for entry, room in zip(errors, rooms, strict=True))
    return 0 if held and all(e["among"] >= POWER for e in found if e["column"] == given.column) else 1


if __name__ == "__main__":
    sys.exit(main())
