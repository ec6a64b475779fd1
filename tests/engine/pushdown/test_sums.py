"""Sums made in the database: scikit-learn's answers, and those of rows that are here, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from mlspec.engine.files import read_json
from mlspec.engine.preparing import server_sums
from mlspec.engine.training.normal_equations import normal_equations
from mlspec.engine.training.prepared import Prepared, prepared
from mlspec.engine.training.row_sums import row_sums
from mlspec.sdk.encoded import Encoded
from tests.engine.pushdown.both_ways import FEATURES, hostile_table, options, run, there
from tests.plugins.source.postgres_server import Server, postgres_server

SUMS = {"training_rows": "sums"}
HOMES = """
CREATE TABLE homes AS SELECT id, 'town ' || (id * id) % 23 AS town,
    CASE WHEN id % 11 > 0 THEN 'kind ' || (id / 7) % 5 END AS kind, id % 3 = 0 AS sold,
    CASE WHEN id % 13 > 0 THEN (id * 7919 % 1000) / 10.0 END::float8 AS size,
    (1e6 + (id * 104729 % 1000))::float8 AS far, ((id * 31 % 97) ^ 3)::float8 AS long, id % 6 AS w,
    ((id * 7919 % 1000) * 3 + (id * id) % 23 + (id * 15485863 % 1009) / 50.0)::float8 AS price
FROM generate_series(1::bigint, 4000) AS id
"""
"""Numbers with nulls, far from 0 and of a long tail; texts, some null; weights, some 0."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as found:
        hostile_table(found)
        found.run(HOMES, "CREATE TABLE shuffled AS SELECT * FROM homes ORDER BY md5(id::text)")
        yield found


def homes(server: Server, table: str = "homes", **changes: Any) -> dict[str, Any]:
    features: dict[str, Any] = {
        "town": {"kind": "category", "min_count": 2},
        "kind": {"kind": "category"},
        "sold": {"kind": "binary"},
        "size": {"kind": "number", "impute": "median"},
        "far": {"kind": "number", "scale": "none"},
        "long": {"kind": "number"},
    }
    source = {"kind": "sql", "url": server.url, "table": f"{server.schema}.{table}", "order_by": ["id"]}
    split = {"kind": "random", "stratify": False, "train": 0.6, "val": 0.2, "test": 0.2}
    target = {"column": "price", "kind": "number"}
    found = options(server, source=source, features=features, split=split, target=target)
    return found | {"ignore": [], "event_time": None} | changes


def both(data: dict[str, Any], folder: Path) -> tuple[Prepared, Prepared]:
    """What the rows become here, and where they stay in the database."""
    done, failed = run(folder / "here", data)
    assert failed is None
    away, failed = run(folder / "there", there(data), **SUMS)
    assert failed is None
    return prepared(done["prepare"]), prepared(away["prepare"])


def matrix(rows: Encoded, sizes: tuple[int, ...]) -> np.ndarray:
    codes = [np.eye(size)[rows.codes[:, at]] for at, size in enumerate(sizes)]
    return np.concatenate([rows.numbers.astype(np.float64), *codes], axis=1)


def answers(found: tuple[float, np.ndarray], rows: Encoded, sizes: tuple[int, ...]) -> np.ndarray:
    return found[0] + matrix(rows, sizes) @ found[1]


@pytest.mark.slow
@pytest.mark.parametrize("weight", [None, "w"])
def test_answers_are_those_of_scikit_learn_and_of_rows_that_are_here(
    server: Server, tmp_path: Path, weight: str | None
) -> None:
    data = homes(server, weight=weight, ignore=[] if weight else ["w"])
    here, away = both(data, tmp_path)
    assert away.sums is not None and away.sums.rows == here.train.rows and not away.train.rows
    sizes, target = here.inputs.sizes, here.target
    seen, truth = matrix(here.train, sizes), (here.train.target - target.mean) / target.std
    for ridge in (0.0, 0.5, 50.0):
        found = normal_equations(away.sums, ridge)
        same = normal_equations(row_sums(here.train, here.inputs, target), ridge)
        middle, spread = (0.0, 1.0) if ridge else (seen.mean(axis=0), seen.std(axis=0))
        scaled = (seen - middle) / np.where(spread, spread, 1.0)
        learner = Ridge(alpha=ridge, solver="svd") if ridge else LinearRegression(tol=1e-12)
        expected = learner.fit(scaled, truth, sample_weight=here.train.weight).predict(scaled)
        told = answers(found, here.train, sizes)
        counted = slice(None) if here.train.weight is None else here.train.weight > 0
        assert np.abs(told - expected)[counted].max() <= 1e-6
        for rows in (here.train, here.val):
            assert rows is not None
            assert np.abs(answers(found, rows, sizes) - answers(same, rows, sizes)).max() <= 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("weight", [None, "w"])
def test_every_kind_of_feature_is_summed_as_it_is_encoded_here(
    server: Server, tmp_path: Path, weight: str | None
) -> None:
    features = {name: feature for name, feature in FEATURES.items() if name != "single"}
    data = options(
        server,
        target={"column": "single", "kind": "number"},
        features=features,
        weight=weight,
        ignore=["cents", "unused", "label", *([] if weight else ["w"])],
        split={"kind": "hash", "columns": ["group"]},
    )
    here, away = both(data, tmp_path)
    sizes, ours = here.inputs.sizes, row_sums(here.train, here.inputs, here.target)
    assert away.sums is not None and np.array_equal(away.sums.counts, ours.counts)
    assert read_json(tmp_path / "here/prepare/reference.json") == read_json(
        tmp_path / "there/prepare/reference.json"
    )
    assert here.val is not None and away.val is not None
    for name, array in here.val.arrays().items():
        assert np.array_equal(array, away.val.arrays()[name])
    assert np.array_equal(here.parity.numbers, away.parity.numbers)
    for ridge in (0.0, 1.0):
        one, other = normal_equations(ours, ridge), normal_equations(away.sums, ridge)
        for rows in (here.train, here.val):
            assert np.abs(answers(one, rows, sizes) - answers(other, rows, sizes)).max() <= 1e-6


def test_the_order_in_which_rows_lie_changes_no_byte(server: Server, tmp_path: Path) -> None:
    made = []
    for table in ("homes", "shuffled"):
        done, failed = run(tmp_path / table, there(homes(server, table)), **SUMS)
        assert failed is None
        files = sorted((done["prepare"] / "sums").iterdir())
        made.append({file.name: file.read_bytes() for file in files})
    assert len(made[0]) == 6 and made[0] == made[1]


@pytest.mark.slow
def test_copies_across_splits_are_found_there(server: Server, tmp_path: Path) -> None:
    server.run(
        "DROP TABLE IF EXISTS twice",
        "CREATE TABLE twice AS SELECT * FROM homes UNION ALL SELECT id + 4000, town, kind, sold, size, far, "
        "long, w, price FROM homes WHERE id % 9 = 0",
    )
    data = homes(server, "twice")
    found = []
    for name, asked, more in (("here", data, {}), ("there", there(data), SUMS)):
        done, failed = run(tmp_path / name, asked, **more)
        assert failed is None
        found.append(read_json(done["prepare"] / "warnings.json"))
    copies = [one for one in found[0]["warnings"] if one["kind"] == "repeated_rows"]
    assert len(copies) == 2 and copies == found[1]["warnings"]
    assert "not_looked_for" not in found[0] and "ids, are not looked for" in found[1]["not_looked_for"]


@pytest.mark.slow
@pytest.mark.parametrize("only", [{"far": {"kind": "number"}}, {"town": {"kind": "category"}}])
def test_numbers_alone_and_codes_alone_are_summed(
    server: Server, tmp_path: Path, only: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_sums, "_AT_ONCE", 2)
    others = {"town", "kind", "sold", "size", "far", "long"} - {*only}
    here, away = both(homes(server, features=only, ignore=sorted(others)), tmp_path)
    ours = normal_equations(row_sums(here.train, here.inputs, here.target), 0.1)
    assert away.sums is not None
    told = normal_equations(away.sums, 0.1)
    sizes = here.inputs.sizes
    assert np.abs(answers(ours, here.train, sizes) - answers(told, here.train, sizes)).max() <= 1e-6


@pytest.mark.slow
def test_too_much_for_a_server_and_rows_that_weigh_nothing_are_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most, told in (
        ("WIDEST", 20, "numbers and codes are too many"),
        ("NUMBERS", 2, "numbers are too many"),
        ("COLUMNS", 1, "columns of codes are too many"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(server_sums, name, most)
            _, failed = run(tmp_path, there(homes(server)), **SUMS)
            assert failed is not None and told in failed
    for weight, told in (("0.0", "every row's weight is zero"), ("1e39", "negative or not finite")):
        server.run(
            "DROP TABLE IF EXISTS odd", f"CREATE TABLE odd AS SELECT *, {weight}::float8 AS v FROM homes"
        )
        data = homes(server, "odd", weight="v", ignore=["w"])
        _, failed = run(tmp_path, there(data), **SUMS)
        assert failed is not None and told in failed
