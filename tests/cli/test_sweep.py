"""`mlspec sweep` with real trainings, in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SPEC = """\
# kept
apiVersion: mlspec/v1
name: people
seed: 3
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features: {x: number, town: category}
  split: {kind: random, train: 0.6, val: 0.3, test: 0.1}
model: {kind: mlp, hidden: [4]}   # small
training:
  epochs: EPOCHS
  optimizer: {kind: sgd, lr: 0.01}   # plain
evaluation: {metrics: [log_loss, accuracy]}
sweep:
  metric: log_loss
  trials: TRIALS
  parallel: PARALLEL
  parameters:
    training.optimizer.lr: {choices: [0.01, 0.3, 100]}
    model.dropout: {low: 0.0, high: 0.5}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = ["x,town,y"]
    for number in range(400):
        town = ("north", "south", "east")[number % 3]
        rows.append(f"{number % 17},{town},{'yes' if number % 17 > 8 or town == 'east' else 'no'}")
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path.parent / f"{tmp_path.name}-{name.lower()}"))
    return tmp_path


def write(folder: Path, *, epochs: int = 3, trials: int = 8, parallel: int = 1) -> None:
    words = {"EPOCHS": epochs, "TRIALS": trials, "PARALLEL": parallel}
    text = SPEC
    for word, value in words.items():
        text = text.replace(word, str(value))
    (folder / "spec.yaml").write_text(text)


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mlspec", "sweep", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def run(folder: Path, *words: str, code: int = 0) -> tuple[str, str]:
    process = start(folder, *words)
    out, err = process.communicate(timeout=170)
    assert process.returncode == code, f"{out}\n{err}"
    return out, err


def trained(folder: Path, *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(run(folder, "--json", *words)[0])
    return found


@pytest.mark.timeout(180)
def test_a_sweep_ranks_its_trials_and_writes_the_winner_into_the_spec(folder: Path) -> None:
    write(folder)
    found = trained(folder)
    trials: list[dict[str, object]] = found["trials"]  # type: ignore[assignment]
    assert len(trials) == 8
    done = [one for one in trials if one["state"] == "done"]
    assert found["best"] == min(done, key=lambda one: float(one["value"]))  # type: ignore[arg-type]
    page = Path(str(found["page"])).read_text("utf-8")
    assert "the test split was not looked at" in page
    assert "<svg" in page
    assert "<script" not in page
    again = trained(folder)
    assert (again["trials"], again["trained"]) == (trials, 0)
    out, _err = run(folder, "--apply")
    best: dict[str, object] = found["best"]["parameters"]  # type: ignore[index]
    text = (folder / "spec.yaml").read_text()
    assert "nothing to do: all 8 trials are done" in out
    assert f"lr: {best['training.optimizer.lr']}}}   # plain" in text
    assert f"hidden: [4], dropout: {best['model.dropout']}}}   # small" in text
    assert text.startswith("# kept\n")
    assert "says so already" in run(folder, "--apply")[0]
    (folder / "spec.yaml").write_text(
        text.replace("high: 0.5", "high: 0.4").replace("trials: 8", "trials: 1")
    )
    assert (
        "a new study, for since the last one other is: sweep.parameters.model.dropout.high" in run(folder)[1]
    )
    out, _ = run(folder, "training.optimizer.lr=0.5", "--apply", code=2)
    assert not out


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sweep_that_was_stopped_or_killed_goes_on_to_the_same_trials(folder: Path) -> None:
    write(folder, epochs=150, trials=3)
    process = start(folder, "sweep.pruner=none")
    _wait_for_trial(process, "trial 0")
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert "goes on from here" in err
    process = start(folder, "sweep.pruner=none")
    # Trial 1, or 2 where that was just done when the sweep was stopped.
    _wait_for_trial(process, "trial ")
    process.kill()
    process.communicate(timeout=20)
    cut = trained(folder, "sweep.pruner=none")["trials"]
    for study in (folder / "artifacts/people/sweep").iterdir():
        (study / "journal.log").unlink()
    whole = trained(folder, "sweep.pruner=none")["trials"]
    assert _told(cut) == _told(whole)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_several_processes_train_and_one_that_is_killed_is_a_failed_trial(folder: Path) -> None:
    write(folder, epochs=400, trials=6, parallel=2)
    process = start(folder, "--json")
    killed = False
    until = time.monotonic() + 120
    while not killed and time.monotonic() < until:
        time.sleep(0.1)
        logs = list((folder / "artifacts").glob("people/logs/sweep-*/trial-*/hardware.json"))
        if logs:
            children = subprocess.run(
                ["ps", "--ppid", str(process.pid), "-o", "pid=,args="],
                capture_output=True,
                text=True,
                check=False,
            ).stdout
            pids = [int(line.split()[0]) for line in children.splitlines() if "_trial" in line]
            assert len(pids) == 2
            os.kill(pids[0], signal.SIGKILL)
            killed = True
    out, err = process.communicate(timeout=170)
    assert process.returncode == 0, err
    trials = json.loads(out)["trials"]
    assert len(trials) == 6
    assert next(one["reason"] for one in trials if one["state"] == "failed").startswith(
        "its process was ended by the signal SIGKILL"
    )


def test_a_spec_without_a_sweep_is_told_what_to_add(folder: Path) -> None:
    write(folder)
    text = (folder / "spec.yaml").read_text()
    (folder / "spec.yaml").write_text(text[: text.index("sweep:")])
    assert "says nothing of a sweep" in run(folder, code=2)[1]


def _wait_for_trial(process: subprocess.Popen[str], word: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(word):
            return
    raise AssertionError(f"no '{word}' was told")


def _told(trials: object) -> list[tuple[object, ...]]:
    assert isinstance(trials, list)
    return [(one["state"], one["value"], one["parameters"], one["curve"]) for one in trials]
