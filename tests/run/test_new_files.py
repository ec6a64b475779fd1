"""A file that comes to a folder: the plan tells of it, and only its rows are encoded."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from mlspec.cli.main import main
from mlspec.run.other_files import other_files
from mlspec.run.planned import planned
from tests.steps.data_rows import digests

SPEC = """\
apiVersion: mlspec/v1
name: days
data:
  source: {kind: parquet, path: PATH}
  target: {column: late, kind: binary, positive: "yes"}
  event_time: {column: at, timezone: UTC}
  features: {size: number}
  split: {kind: time, val_from: "2024-01-03", test_from: "2024-01-05"}
model: linear
"""


def _put(folder: Path, day: int, name: str | None = None, size: float = 0.5) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name or day}.parquet"
    rows = range(40)
    pd.DataFrame(
        {
            "size": [row % 17 + size for row in rows],
            "at": pd.date_range(f"2024-01-{day:02}", periods=40, freq="min"),
            "late": ["yes" if row % 17 > 8 else "no" for row in rows],
        }
    ).to_parquet(file, index=False)
    return file


def _begin(place: Path, path: str) -> Path:
    place.mkdir()
    (place / "spec.yaml").write_text(SPEC.replace("PATH", path))
    for day in (1, 2, 3, 5):
        _put(place / "rows", day)
    return place / "rows"


@pytest.mark.slow
def test_only_the_rows_of_a_new_file_are_encoded_and_an_edited_artifact_gives_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], site: Path
) -> None:
    def run() -> str:
        assert main(["run", "--until", "prepare"]) == 0, "".join(capfd.readouterr())
        return "".join(capfd.readouterr())

    here, output = tmp_path / "here", Path("artifacts/data-days/prepare")
    rows = _begin(here, "rows")
    monkeypatch.chdir(here)
    assert "encoded" not in run()
    _put(rows, 4)
    assert main(["plan"]) == 0
    assert "files: 1 new, 4 as they were" in "".join(capfd.readouterr())
    assert "1 of 5 files encoded; the encoded rows of the others are reused" in run()
    found = digests(output)

    # What was changed by hand is not reused, however well it fits.
    _put(rows, 6)
    (output / "ledger.json").write_text("{}")
    assert "encoded" not in run()

    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    Path("spec.yaml").write_text((here / "spec.yaml").read_text())
    (rows / "6.parquet").unlink()
    rows.rename("rows")
    assert "encoded" not in run()
    assert digests(output) == found


@pytest.mark.slow
@pytest.mark.parametrize("path", ["rows", "rows/*.parquet"])
def test_the_plan_counts_files_that_are_new_changed_and_gone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    site: Path,
    path: str,
) -> None:
    rows = _begin(tmp_path / "here", path)
    monkeypatch.chdir(tmp_path / "here")
    assert main(["run", "--until", "ingest"]) == 0, "".join(capfd.readouterr())

    def told() -> str | None:
        plan = planned(Path("spec.yaml"), ()).plan
        return other_files(plan.step("ingest"), Path.cwd())

    assert told() is None
    os.utime(rows / "1.parquet")
    assert told() is None
    size = (rows / "2.parquet").stat().st_size
    assert _put(rows, 2, size=7.5).stat().st_size == size
    (rows / "3.parquet").rename(rows / "three.parquet")
    (rows / "5.parquet").unlink()
    assert told() == "files: 1 new, 1 changed, 2 gone, 1 as they were"
    assert main(["plan"]) == 0
    assert "files: 1 new, 1 changed, 2 gone, 1 as they were" in "".join(capfd.readouterr())
    (tmp_path / "here" / "artifacts/data-days/ingest/manifest.json").write_text("{")
    assert told() is None
