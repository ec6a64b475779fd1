"""A whole run on a real MariaDB server: rows are kept and asked for again, and a password is nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlspec.cli.main import main
from tests.plugins.source.mariadb_server import Server, mariadb_server
from tests.run.test_database import PASSWORD, SPEC, assert_nowhere


@pytest.fixture
def server() -> Iterator[Server]:
    with mariadb_server() as found:
        yield found


def test_rows_are_read_once_and_asked_for_again(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    site: Path,
) -> None:
    reader = f"reader_{server.name[-12:]}"
    server.run(
        "CREATE TABLE orders AS SELECT seq AS id, seq % 17 + 0.5 AS size, concat('town ', seq % 3) AS town, "
        "seq % 17 > 8 AS late FROM seq_1_to_400",
        f"CREATE USER {reader} IDENTIFIED BY '{PASSWORD}'",
        f"GRANT SELECT ON {server.name}.* TO {reader}",
    )
    place = server.url.partition("@")[2]
    monkeypatch.setenv("SHOP_URL", f"mysql://{reader}:{PASSWORD}@{place}")
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(SPEC.replace("SCHEMA", server.name))

    def ran(*words: str, status: int = 0) -> str:
        assert main(["-v", "run", "--until", "prepare", *words]) == status, "".join(capfd.readouterr())
        told = "".join(capfd.readouterr())
        assert_nowhere(tmp_path, told)
        return told

    try:
        assert "3 ran" in ran()
        assert (tmp_path / "artifacts/data-shop/ingest/rows.parquet").is_file()
        assert "nothing to do" in ran()
        server.run("INSERT INTO orders VALUES (401, 1, 'town 1', true)")
        assert "3 ran" in ran()
        server.run("ALTER TABLE orders RENAME TO gone")
        assert "orders" in ran(status=2)
        monkeypatch.setenv("SHOP_URL", f"mysql://{reader}:{PASSWORD}x@{place}")
        told = ran()
        assert "cannot check, reused" in told
        assert main(["-v", "run", "data.max_rejects=0.5"]) == 3
        told = "".join(capfd.readouterr())
        assert "the database that 'SHOP_URL' names cannot be reached: Access denied" in told
        assert_nowhere(tmp_path, told)
    finally:
        server.run(f"DROP USER {reader}")
