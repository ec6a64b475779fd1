"""`auto` of a training: found once, pinned in a file, read by everything that comes after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlspec.cli.main import main

SPEC = """\
apiVersion: mlspec/v1
name: left
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features: {size: number, width: number}
model: {kind: mlp, hidden: [8]}
training: {epochs: 2, batch_size: auto, optimizer: {kind: adamw, lr: auto}}
exports: {main: onnx}
"""
FOUND = Path("pipelines/left/found.yaml")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [f"{place % 17}.5,{place % 5}.25,{'yes' if place % 17 > 8 else 'no'}" for place in range(900)]
    (tmp_path / "rows.csv").write_text("\n".join(["size,width,y", *rows]) + "\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_found_is_pinned_told_and_taken(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan"]) == 0
    assert "training.batch_size: auto  to be found by a run" in capsys.readouterr().out
    assert main(["run", "--until", "prepare"]) == 0
    assert main(["plan", "--write"]) == 0 and not FOUND.exists()
    capsys.readouterr()
    assert main(["run", "--locked"]) == 3
    told = capsys.readouterr().err.replace("\n", " ")
    assert (
        "what training leaves to 'auto' was found not yet" in told
        and "--locked lets nothing be found" in told
    )

    assert main(["run"]) == 0
    text = FOUND.read_text()
    assert "  batch_size: 16\n" in text and "  optimizer.lr: 0." in text
    assert "found training.batch_size: 16" in capsys.readouterr().err
    assert main(["run"]) == 0 and FOUND.read_text() == text
    assert main(["run", "--locked"]) == 0
    capsys.readouterr()
    assert main(["plan", "--memory"]) == 0
    told = capsys.readouterr().out.replace("\n", " ")
    assert f"training.batch_size: auto  16, as {FOUND} says" in told and "memory a device" in told
    history = json.loads(Path("artifacts/left/train/history.json").read_text())["epochs"]
    rate = float(text.split("optimizer.lr: ")[1])
    assert history[-1]["lr"] == rate
    assert main(["verify"]) == 0
    assert main(["report"]) == 0
    page = next(Path("artifacts/left/logs").glob("report-*.html")).read_text()
    assert "training.batch_size was found to be 16; " in page

    # A number of the user's own is taken, and trained by.
    FOUND.write_text(text.replace(f"optimizer.lr: {rate}", "optimizer.lr: 0.5"))
    assert main(["run", "--locked"]) == 0
    history = json.loads(Path("artifacts/left/train/history.json").read_text())["epochs"]
    assert history[-1]["lr"] == 0.5

    # What does not decide over it leaves it alone; another model has other values.
    kept = FOUND.read_bytes()
    assert main(["run", "training.epochs=3"]) == 0 and FOUND.read_bytes() == kept
    assert main(["run", "model.hidden=[16]"]) == 0 and FOUND.read_bytes() != kept

    FOUND.write_text("<<<<<<< ours\n")
    capsys.readouterr()
    assert main(["run", "--locked", "model.hidden=[16]"]) == 3
    assert "but cannot be read" in capsys.readouterr().err.replace("\n", " ")


def test_trees_and_numbers_need_no_file(here: Path) -> None:
    plain = SPEC.replace("batch_size: auto", "batch_size: 32").replace(", lr: auto", "")
    (here / "spec.yaml").write_text(plain)
    assert main(["run"]) == 0
    assert not FOUND.exists() and "found" not in Path("pipelines/left/plan.yaml").read_text()


def test_two_processes_take_what_one_found(here: Path) -> None:
    assert main(["run", "hardware=cpu_2"]) == 0
    assert "  batch_size: 16\n" in FOUND.read_text()
    history = json.loads(Path("artifacts/left/train/history.json").read_text())["epochs"]
    assert history[-1]["lr"] == float(FOUND.read_text().split("optimizer.lr: ")[1])
