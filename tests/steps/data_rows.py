"""A small table with every kind of column, and the parameters of the data steps that read it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlspec.sdk.context import Context
from mlspec.steps.ingest import ingest
from mlspec.steps.prepare import prepare

FEATURES: dict[str, Any] = {
    "age": {"kind": "number"},
    "job": {"kind": "category"},
    "member": {"kind": "binary"},
    "seen": {"kind": "datetime", "timezone": "Europe/Berlin"},
}


def rows(count: int = 600) -> pd.DataFrame:
    """Return rows with gaps, an id, a weight, a slice column and one that is ignored."""
    random = np.random.default_rng(3)
    age = random.integers(17, 90, count).astype(float)
    job = random.choice(["a", "b", "c", ""], count).astype(object)
    score = (age > 50) + (job == "a") + random.normal(0, 0.5, count)
    return pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(count)],
            "age": pd.Series(age).mask(random.random(count) < 0.1),
            "job": pd.Series(job).mask(random.random(count) < 0.1),
            "member": random.choice(["yes", "no"], count),
            "seen": pd.date_range("2024-01-01", periods=count, freq="7h").strftime("%Y-%m-%d %H:%M:%S"),
            "w": random.random(count).round(3),
            "region": random.choice(["north", "south"], count),
            "secret": "s",
            "income": np.where(score > 1, "high", "low"),
        }
    )


def data(**changes: Any) -> dict[str, Any]:
    """Return the `data` parameters."""
    return {
        "source": {"kind": "csv", "path": "t.csv"},
        "key": ["id"],
        "weight": "w",
        "ignore": ["secret"],
        "event_time": None,
        "target": {"column": "income", "kind": "binary", "positive": "high"},
        "features": FEATURES,
        "split": {"kind": "random"},
        "max_rejects": 0.0,
        **changes,
    }


def context(folder: Path, frame: pd.DataFrame | None = None) -> Context:
    """Return a context in a folder that holds the rows as `t.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    (rows() if frame is None else frame).to_csv(folder / "t.csv", index=False)
    return Context(folder, name="data-people", scratch=folder, say=lambda line: None)


def prepared(folder: Path, parameters: dict[str, Any], here: Context, seed: int = 7) -> Path:
    """Run `ingest` and `prepare` below a folder and return what the second wrote."""
    for name in ("ingest", "prepare"):
        (folder / name).mkdir(parents=True)
    ingest({"data": parameters}, {}, folder / "ingest", here)
    prepare({"seed": seed, "data": parameters}, {"ingest": folder / "ingest"}, folder / "prepare", here)
    return folder / "prepare"


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
