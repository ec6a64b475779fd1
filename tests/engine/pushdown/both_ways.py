"""The data steps over one table of a real server, computed here and there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mlspec.errors import MlspecError
from mlspec.sdk.context import Context
from mlspec.steps.ingest import ingest
from mlspec.steps.prepare import prepare
from mlspec.steps.validate import validate
from tests.hostile import ZONE, legal
from tests.plugins.source.postgres_server import Server

TIMES = {"kind": "datetime", "timezone": ZONE}
FEATURES: Mapping[str, Mapping[str, Any]] = {
    "number": {"kind": "number", "clip": [-100.0, 1000.0], "impute": "median"},
    "whole": {"kind": "number", "scale": "minmax"},
    "exact": {"kind": "number", "impute": "median"},
    "single": {"kind": "number"},
    "text": {"kind": "category", "min_count": 2},
    "code": {"kind": "category"},
    "padded": {"kind": "category"},
    "flag": {"kind": "binary"},
    "word": {"kind": "binary"},
    "moment": {"kind": "datetime"},
    "local": {"kind": "datetime", "timezone": "Australia/Lord_Howe"},
    "day": {"kind": "datetime", "timezone": "UTC"},
}


def hostile_table(server: Server, rows: int = 2000, seed: int = 0) -> str:
    """Make a table of the worst values a column may hold, in no order, and return its name."""
    from adbc_driver_postgresql import dbapi

    rng = np.random.default_rng(seed)
    table = pa.Table.from_batches([legal(seed, rows)])
    more = {
        "id": pa.array(rng.permutation(rows)),
        "label": pa.array(np.array(["no", "yes"])[rng.integers(0, 2, rows)]),
        "part": pa.array(np.array(["train", "val", "test"])[rng.integers(0, 3, rows)]),
        "w": pa.array(rng.integers(0, 5, rows).astype(np.float64)),
        "group": pa.array([f"g{place}" for place in rng.integers(0, 40, rows)], mask=rng.random(rows) < 0.1),
        "cents": pa.array(rng.integers(-(10**9), 10**9, rows)),
        "single": pa.array(rng.normal(size=rows).astype(np.float32)),
        "seen": pa.array(rng.integers(0, 50, rows) * 86_400_123_456, pa.timestamp("us", "UTC")),
        "unused": pa.array([f"never moved {place}" for place in range(rows)]),
    }
    for name, column in more.items():
        table = table.append_column(name, column)
    with dbapi.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {server.schema}")
        cursor.adbc_ingest("raw", table, mode="replace")
        cursor.execute(
            "CREATE TABLE hostile AS SELECT raw.*, (cents / 100.0)::numeric(20, 4) AS exact, "
            "CASE WHEN cents % 7 > 0 THEN (cents % 3)::char(3) END AS padded FROM raw"
        )
        connection.commit()
    return f"{server.schema}.hostile"


def options(server: Server, **changes: Any) -> dict[str, Any]:
    """Return a `data` section over the hostile table."""
    found = {
        "source": {"kind": "sql", "url": server.url, "table": f"{server.schema}.hostile", "order_by": ["id"]},
        "features": dict(FEATURES),
        "key": ["id"],
        "target": {"column": "label", "kind": "binary", "positive": "yes"},
        "weight": "w",
        "event_time": {"column": "seen"},
        "ignore": ["cents", "unused"],
        "max_rejects": 0.0,
        "split": {"kind": "random", "train": 0.6, "val": 0.2, "test": 0.2},
    }
    return found | changes


def run(
    folder: Path,
    data: Mapping[str, Any],
    rules: Sequence[Mapping[str, Any]] = (),
    until: str = "prepare",
    **more: Any,
) -> tuple[dict[str, Path], str | None]:
    """Do the data steps in a folder, `prepare` with more parameters; return theirs, and the error of the one
    that failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    done: dict[str, Path] = {}
    steps = {
        "ingest": (ingest, {"data": data}),
        "validate": (
            validate,
            {"data": data, "validation": {"contract": "ingest/contract.yaml", "rules": list(rules)}},
        ),
        "prepare": (prepare, {"data": data, "seed": 7, "revisions": {}} | more),
    }
    for name, (step, parameters) in steps.items():
        output = folder / name
        output.mkdir(parents=True)
        context = Context(folder, name="data-shop", step=name, scratch=folder, say=lambda _: None)
        done[name] = output
        try:
            step(parameters, {key: done[key] for key in done if key != name}, output, context)
        except MlspecError as error:
            return done, f"{name}: {error.what}"
        if name == until:
            break
    return done, None


def there(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same section, computed in the database."""
    return {**data, "source": {**data["source"], "compute": "database"}}
