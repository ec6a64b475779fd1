"""A whole run on files behind a URL: copied once, asked for again, and enough while the URL is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlspec.cli.main import main

SPEC = """\
apiVersion: mlspec/v1
name: far
data:
  source: {kind: csv, path: "URL", hive: true}
  target: {column: late, kind: binary, positive: "yes"}
  features: auto
model: linear
"""


@pytest.mark.slow
def test_files_are_copied_once_and_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], site: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "spec.yaml").write_text(SPEC.replace("URL", f"file://{there}"))
    rows = "".join(f"{place % 17}.5,{'yes' if place % 17 > 8 else 'no'}\n" for place in range(200))

    def put(year: int, text: str) -> None:
        (there / f"year={year}").mkdir(parents=True, exist_ok=True)
        (there / f"year={year}" / "rows.csv").write_text(f"size,late\n{text}")

    def run(*words: str, status: int = 0) -> str:
        assert main(["run", "--until", "prepare", *words]) == status, "".join(capfd.readouterr())
        return "".join(capfd.readouterr())

    assert main(["plan"]) == 3
    assert f"there is no file 'file://{there}'" in capfd.readouterr().err
    put(2023, rows)
    put(2024, rows)
    assert "3 ran" in run()
    kept = here / "artifacts/data-far/ingest/source"
    assert sorted(file.relative_to(kept).as_posix() for file in kept.rglob("*.csv")) == [
        "year=2023/rows.csv", "year=2024/rows.csv",
    ]  # fmt: skip
    assert "nothing to do" in run()
    put(2024, rows + "3,no\n")
    assert "3 ran" in run()
    assert main(["verify", "--until", "prepare"]) == 0, "".join(capfd.readouterr())
    there.rename(tmp_path / "away")
    capfd.readouterr()
    told = run()
    assert "nothing to do" in told and "cannot check, reused" in told
    assert "1 ran" in run("data.split={kind: random, train: 0.5, val: 0.2, test: 0.3}")
    assert "must run" in run("data.max_rejects=0.5", status=3)
    assert not [file for file in (here / ".mlspec" / "tmp").glob("*") if "remote" in file.name]
