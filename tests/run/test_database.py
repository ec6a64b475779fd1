"""A whole run on a real PostgreSQL server: what is asked, what is kept, and a password that is nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from mlspec.cli.main import main
from mlspec.engine.files import read_json
from tests.plugins.source.postgres_server import Server, postgres_server

PASSWORD = "hunter2-and-more"
SPEC = """\
apiVersion: mlspec/v1
name: shop
data:
  source: {kind: sql, url: "${oc.env:SHOP_URL}", table: SCHEMA.orders, order_by: [id]}
  key: [id]
  target: {column: late, kind: binary}
  features: {size: number, town: category}
model: linear
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with postgres_server() as found:
        yield found


@pytest.fixture
def shop(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Path) -> Path:
    server.run(
        "CREATE TABLE orders AS SELECT id, id % 17 + 0.5 AS size, 'town ' || id % 3 AS town, "
        "id % 17 > 8 AS late "
        "FROM generate_series(1, 400) AS id"
    )
    host = server.url.rpartition("@")[2].removeprefix("postgresql://")
    monkeypatch.setenv("SHOP_URL", f"postgresql://postgres:{PASSWORD}@{host}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC.replace("SCHEMA", server.schema))
    return tmp_path


def assert_nowhere(folder: Path, told: str) -> None:
    assert PASSWORD not in told
    for file in folder.rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes(), file


@pytest.fixture
def run(shop: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run as far as `prepare`, and return what was told; the password is nowhere."""

    def ran(*words: str, status: int = 0) -> str:
        assert main(["-v", "run", "--until", "prepare", *words]) == status, "".join(capfd.readouterr())
        told = "".join(capfd.readouterr())
        assert_nowhere(shop, told)
        return told

    return ran


@pytest.mark.slow
def test_rows_are_read_once_and_asked_for_again(
    shop: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    run: Callable[..., str],
) -> None:
    assert "ingest" in run()
    kept = shop / "artifacts/data-shop/ingest/rows.parquet"
    assert kept.is_file()
    assert "nothing to do" in run()
    server.run("INSERT INTO orders VALUES (401, 1, 'town 1', true)")
    assert "3 ran" in run()
    assert "nothing to do" in run()
    # The server is away: nothing is asked of it while the rows that were kept are enough.
    there = os.environ["SHOP_URL"]
    monkeypatch.setenv("SHOP_URL", f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/nowhere")
    told = run()
    assert "nothing to do" in told and "cannot check, reused" in told
    assert main(["plan"]) == 0
    assert "look" in capfd.readouterr().out
    told = run("data.split={kind: random, train: 0.5, val: 0.2, test: 0.3}")
    assert "cannot check, reused: the database that 'SHOP_URL' names cannot be reached" in told
    assert "1 ran" in told
    told = run("data.max_rejects=0.5", status=3)
    assert "must run" in told and "cannot be reached: Connection refused" in told
    monkeypatch.delenv("SHOP_URL")
    assert "nothing to do" in run("data.split={kind: random, train: 0.5, val: 0.2, test: 0.3}")
    monkeypatch.setenv("SHOP_URL", there)
    server.run("ALTER TABLE orders RENAME TO gone")
    assert "does not exist" in run(status=2)


def test_where_nothing_was_read_yet_what_is_missing_is_told_with_exit_3(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOP_URL", f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/nowhere")
    for word in ("validate", "plan", "run"):
        assert main(["-v", word]) == 3
        told = "".join(capfd.readouterr())
        assert "spec.yaml:4:" in told and "cannot be reached: Connection refused" in told
        assert_nowhere(shop, told)
    monkeypatch.delenv("SHOP_URL")
    assert main(["validate"]) == 3
    assert "'SHOP_URL' is not set" in capfd.readouterr().err
    assert main(["validate", "--no-data"]) == 0
    capfd.readouterr()
    for url in (f"postgresql://u:{PASSWORD}@h/d", f"postgresql://h/d?password={PASSWORD}"):
        text = Path("spec.yaml").read_text()
        Path("spec.yaml").write_text(text.replace('"${oc.env:SHOP_URL}"', f'"{url}"'))
        assert main(["validate"]) == 2
        told = "".join(capfd.readouterr())
        assert "MS0121" in told or "must not be written out" in told
        assert PASSWORD not in told
        Path("spec.yaml").write_text(text)


def test_features_are_proposed_and_a_url_without_a_password_may_be_written_out(
    shop: Path, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    text = Path("spec.yaml").read_text().replace("{size: number, town: category}", "auto")
    Path("spec.yaml").write_text(text.replace("${oc.env:SHOP_URL}", server.url))
    assert main(["run", "--until", "prepare"]) == 0
    plan = (shop / "pipelines/data-shop/plan.yaml").read_text()
    assert server.url in plan and "town" in plan
    Path("over.yaml").write_text('data: {source: {url: "${oc.env:SHOP_URL}"}}\n')
    assert main(["validate", "-c", "over.yaml"]) == 0
    Path("spec.yaml").write_text(Path("spec.yaml").read_text().replace("kind: binary", "kind: bnary"))
    capfd.readouterr()
    assert main(["validate"]) == 2
    assert server.url not in capfd.readouterr().err  # another line's fault


@pytest.mark.slow
def test_verify_reads_the_rows_again(shop: Path, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--until", "prepare"]) == 0
    capfd.readouterr()
    assert main(["verify", "--until", "prepare"]) == 0, "".join(capfd.readouterr())
    server.run("DELETE FROM orders WHERE id = 5")
    assert main(["verify", "--until", "prepare"]) == 1
    assert "ingest" in "".join(capfd.readouterr())


@pytest.mark.slow
def test_a_server_computes_and_no_rows_are_kept(
    shop: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    run: Callable[..., str],
) -> None:
    run()
    shards = {file.name: file.read_bytes() for file in (shop / "artifacts").rglob("shards/train/*")}
    text = Path("spec.yaml").read_text()
    Path("spec.yaml").write_text(text.replace("order_by: [id]}", "order_by: [id], compute: database}"))
    assert main(["plan"]) == 0
    assert "are computed in the database; prepare moves" in capfd.readouterr().out
    assert "3 ran" in run()
    assert not list((shop / "artifacts").rglob("rows.parquet"))
    assert shards == {file.name: file.read_bytes() for file in (shop / "artifacts").rglob("shards/train/*")}
    assert "nothing to do" in run()
    server.run("INSERT INTO orders VALUES (401, 1, 'town 1', true)")
    assert "3 ran" in run()
    monkeypatch.setenv("SHOP_URL", f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/nowhere")
    assert "cannot check, reused" in run()
    assert "'prepare' must run" in run("seed=9", status=3)


@pytest.mark.slow
def test_equations_are_summed_in_the_database_and_the_model_is_the_same(
    shop: Path, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    server.run(
        "CREATE TABLE trips AS SELECT id, CASE WHEN id % 19 > 0 THEN id % 17 + 0.5 END AS size, "
        "'town ' || id % 7 AS town, id % 3 AS w, id % 17 * 2.0 + id % 7 + (id * 31 % 101) / 50.0 AS took "
        "FROM generate_series(1, 900) AS id"
    )
    text = SPEC.replace("SCHEMA.orders", f"{server.schema}.trips").replace(
        "late, kind: binary", "took, kind: number"
    )
    text = text.replace("model: linear", "model: {kind: linear, solver: normal_equations, ridge: 0.1}")
    text = text.replace("  key: [id]", "  key: [id]\n  weight: w")
    text += "exports: {main: onnx, there: {kind: sql, table: trips}}\n"
    found = {}
    for way in ("here", "database"):
        Path("spec.yaml").write_text(text.replace("order_by: [id]}", f"order_by: [id], compute: {way}}}"))
        assert main(["plan"]) == 0
        planned = capfd.readouterr().out
        assert ("no training row" in planned) == (way == "database")
        assert main(["-v", "run"]) == 0, "".join(capfd.readouterr())
        told = "".join(capfd.readouterr())
        assert ("are not looked for" in told) == (way == "database")
        assert_nowhere(shop, told)
        made = shop / "artifacts/shop"
        found[way] = {name: read_json(made / f"evaluate-{name}/metrics.json") for name in ("main", "there")}
        found[way]["weights"] = load_file(made / "train/weights.safetensors")
        assert (shop / "artifacts/data-shop/prepare/shards/train").exists() == (way == "here")
        assert (shop / "artifacts/data-shop/prepare/sums").exists() == (way == "database")
    for name in ("main", "there"):
        assert found["here"][name] == pytest.approx(found["database"][name], abs=1e-6)
    for name, weight in found["here"]["weights"].items():
        assert np.abs(weight - found["database"]["weights"][name]).max() <= 1e-6
    assert main(["run"]) == 0
    assert "nothing to do" in "".join(capfd.readouterr())
    # Another model needs the rows: `prepare` runs again, and moves them.
    assert main(["-v", "run", "--until", "prepare", "model=gradient_boosting"]) == 0
    assert "1 ran" in "".join(capfd.readouterr())
    assert (shop / "artifacts/data-shop/prepare/shards/train").exists()
