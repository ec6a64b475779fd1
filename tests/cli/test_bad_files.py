"""The verbs over bad files: an exit code of the house, no traceback, and what was there before stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlspec.cli.main import main
from tests.bad_files import EVERY, Bad, good_csv
from tests.run.conftest import site

__all__ = ["site"]
SOME = tuple(EVERY)[3::12]
"""Those that are run in the tests that are not slow."""


def spec(source: dict[str, Any]) -> str:
    """Return a spec of the columns that the corpus has."""
    data = {
        "source": source,
        "max_rejects": 0.9,
        "target": {"column": "y", "kind": "binary", "positive": "yes"},
        "features": {"n": "number", "word": "category"},
    }
    model = {"kind": "linear"}
    return str(yaml.safe_dump({"apiVersion": "mlspec/v1", "name": "bad", "data": data, "model": model}))


def tell(words: list[str], capsys: pytest.CaptureFixture[str], codes: set[int]) -> str:
    """Run a verb, hold its exit code, and return what it said."""
    code = main(words)
    said = capsys.readouterr().err
    assert code in codes, said
    assert "stumbled" not in said and "Traceback" not in said
    return said


@pytest.mark.parametrize("bad", EVERY.values(), ids=EVERY)
def test_looking_at_a_bad_file_never_stumbles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bad: Bad
) -> None:
    monkeypatch.chdir(tmp_path)
    source = bad.write(tmp_path)
    Path("spec.yaml").write_text(spec(source))
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    tell(["validate"], capsys, {0, 2})
    tell(["init", "new", "--from", str(source["path"])], capsys, {0, 1, 2, 3})
    assert before == {file: file.stat().st_mtime_ns for file in before}
    assert not [*tmp_path.rglob("*.tmp")]


def ran(folder: Path, bad: Bad, capsys: pytest.CaptureFixture[str]) -> None:
    """Run over a good file, then over a bad one in its place: the good run's folder stays until a better."""
    os.chdir(folder)
    (folder / "good.csv").write_bytes(good_csv())
    (folder / "spec.yaml").write_text(spec({"kind": "csv", "path": "good.csv"}))
    tell(["run", "--until", "ingest"], capsys, {0})
    kept = {file: file.read_bytes() for file in (folder / "artifacts/data-bad/ingest").iterdir()}
    (folder / "spec.yaml").write_text(spec(bad.write(folder)))
    said = tell(["run", "--until", "ingest"], capsys, {1, 2} if bad.told else {0})
    if bad.told:
        assert kept == {file: file.read_bytes() for file in kept}
        assert "error: " in said
    elif bad.rejected:
        assert f"{bad.rejected} of " in said


@pytest.mark.parametrize("name", SOME)
def test_a_run_over_a_bad_file_keeps_what_a_good_one_left(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran(tmp_path, EVERY[name], capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_a_run_over_every_bad_file_keeps_what_a_good_one_left(
    tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran(tmp_path, EVERY[name], capsys)
