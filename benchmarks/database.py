"""What leaves a PostgreSQL server when the data steps run, computed here and in the database.

    python benchmarks/database.py [--rows 200000] [--equations] [--url postgresql://postgres@127.0.0.1:5432/test]

Makes a table of a schema of its own (a key, 8 numbers, 4 categories, 6 texts that are ignored, a target),
runs `mlspec run --until prepare` over it both ways in new folders, and drops it. Rows and bytes are those of
the Arrow batches that the driver gave, and of answers of few rows: 8 bytes a value, a text its length. Prints
one JSON line a way.

With `--equations` the target is a number, the model is `{kind: linear, solver: normal_equations, ridge: 1}`,
and the run goes on `--until train`; `apart` is how far the answers to the held-out and hostile rows of the
two ways are from each other at most, in deviations of the target.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SPEC = """\
apiVersion: mlspec/v1
name: big
data:
  source: {kind: sql, url: "URL", table: SCHEMA.big, order_by: [id], compute: WAY}
  key: [id]
  ignore: [t0, t1, t2, t3, t4, t5]
  target: {column: y, kind: TARGET}
  features: {FEATURES}
model: MODEL
"""
EQUATIONS = "{kind: linear, solver: normal_equations, ridge: 1}"


def main() -> None:
    """Measure both ways."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--equations", action="store_true")
    parser.add_argument("--url", default="postgresql://postgres@127.0.0.1:5432/test")
    arguments = parser.parse_args()
    from adbc_driver_postgresql import dbapi

    schema = f"mlspec_bench_{uuid.uuid4().hex[:8]}"
    columns = [f"(random() * 100)::float8 AS n{place}" for place in range(8)]
    columns += [f"'v' || (random() * 30)::int AS c{place}" for place in range(4)]
    columns += [f"md5(i::text || {place}) AS t{place}" for place in range(6)]
    truth = "random() * 10 + i % 7" if arguments.equations else "random() < 0.3"
    with dbapi.connect(arguments.url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(
            f"CREATE TABLE {schema}.big AS SELECT i AS id, {', '.join(columns)}, {truth} AS y "
            f"FROM generate_series(1, {arguments.rows}) AS i"
        )
        cursor.execute(f"CREATE UNIQUE INDEX ON {schema}.big (id)")
        connection.commit()
        try:
            answers = []
            for way in ("here", "database"):
                found, answer = measured(arguments.url, schema, way, arguments.equations)
                print(json.dumps({"compute": way} | found), flush=True)
                answers += [] if answer is None else [answer]
            if len(answers) == 2:
                print(json.dumps({"apart": float(abs(answers[0] - answers[1]).max())}), flush=True)
        finally:
            cursor.execute(f"DROP SCHEMA {schema} CASCADE")
            connection.commit()


def measured(url: str, schema: str, way: str, equations: bool) -> tuple[dict[str, Any], Any]:
    """Return seconds, and the rows and bytes that left the server; and a trained model's answers."""
    import numpy as np

    from mlspec.cli.main import main as mlspec
    from mlspec.engine.pushdown.snapshot import Snapshot
    from mlspec.engine.reading.postgres import ServerAnswer

    moved = {"rows": 0, "bytes": 0}

    def counted(batches: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def give(*arguments: Any) -> Iterator[Any]:
            for batch in batches(*arguments):
                moved["rows"] += batch.num_rows
                moved["bytes"] += batch.nbytes
                yield batch

        return give

    def counted_rows(ask: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def give(*arguments: Any) -> list[Any]:
            found = ask(*arguments)
            moved["rows"] += len(found)
            moved["bytes"] += sum(len(one) if isinstance(one, str) else 8 for row in found for one in row)
            return found

        return give

    kinds = [f"n{place}: number" for place in range(8)] + [f"c{place}: category" for place in range(4)]
    text = SPEC.replace("URL", url).replace("SCHEMA", schema).replace("WAY", way)
    text = text.replace("TARGET", "number" if equations else "binary")
    text = text.replace("MODEL", EQUATIONS if equations else "linear")
    first, second, third = Snapshot.batches, ServerAnswer.batches, Snapshot.rows
    Snapshot.batches, ServerAnswer.batches = counted(first), counted(second)  # type: ignore[method-assign]
    Snapshot.rows = counted_rows(third)  # type: ignore[method-assign]
    before = Path.cwd()
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            Path("spec.yaml").write_text(text.replace("FEATURES", ", ".join(kinds)))
            start = time.perf_counter()
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                status = mlspec(["run", "--until", "train" if equations else "prepare"])
            seconds = time.perf_counter() - start
            answers = [np.load(file) for file in Path(folder).rglob("train/expected.npy")]
            os.chdir(before)
    finally:
        os.chdir(before)
        Snapshot.batches, ServerAnswer.batches = first, second  # type: ignore[method-assign]
        Snapshot.rows = third  # type: ignore[method-assign]
    found = {"status": status, "seconds": round(seconds, 1), **moved}
    return found, (answers[0] if answers else None)


if __name__ == "__main__":
    main()
