"""`mlspec plan` for hardware that is not here: steps and memory of a device."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlspec.cli._preflight import size
from mlspec.cli.main import main

SPEC = """\
apiVersion: mlspec/v1
name: two
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features: {size: number}
model: {kind: mlp, hidden: [1024, 1024]}
training: {epochs: 3, batch_size: 64}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [f"{place % 17}.5,{'yes' if place % 3 else 'no'}" for place in range(200)]
    (tmp_path / "rows.csv").write_text("\n".join(["size,y", *rows]) + "\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plan_tells_steps_and_memory_once_the_data_is_prepared(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "hardware=gpu_8_fsdp"]) == 0
    assert "memory a device" not in capsys.readouterr().out
    assert main(["run", "--until", "prepare"]) == 0
    capsys.readouterr()
    assert main(["plan", "--json"]) == 0
    assert "training" not in json.loads(capsys.readouterr().out)  # one CPU is not asked for
    assert main(["plan", "--json", "--memory"]) == 0
    one = json.loads(capsys.readouterr().out)["training"]
    assert 120 < one["rows"] < 160 and (one["epochs"], one["steps"]) == (3, 3)
    weights = 4 * (2 * 1024 + 1024 + 1024 * 1024 + 1024 + 1024 + 1)
    assert one["memory"]["parameters"] == pytest.approx(weights, rel=0.01)
    assert one["memory"]["optimizer"] == pytest.approx(2 * weights, rel=0.01)
    assert main(["plan", "hardware=gpu_8_fsdp"]) == 0
    told = capsys.readouterr().out.replace("\n", " ")
    assert "fsdp, 8 processes with a device each (cuda); batch 64 = 8 devices x 8 rows" in told
    assert f"training: 3 epochs x 3 steps ({one['rows']} rows, as they were last prepared)" in told
    assert main(["plan", "--json", "hardware=gpu_8_fsdp"]) == 0
    eighth = json.loads(capsys.readouterr().out)["training"]["memory"]
    assert eighth["parameters"] == pytest.approx(one["memory"]["parameters"] / 8, rel=0.02)
    assert f"parameters {size(eighth['parameters'])}" in told
    assert eighth["gathered"] > one["memory"]["parameters"]
    assert main(["plan", "hardware=tpu"]) == 0
    assert "memory a device" in capsys.readouterr().out
    assert main(["plan", "hardware=tpu", "hardware.devices=8"]) == 0
    told = capsys.readouterr().out.replace("\n", " ")
    assert "xla, one process with 8 devices (tpu); batch 64 = 8 devices x 8 rows" in told
    for stage, parted in ((2, ("gradients", "optimizer")), (3, ("parameters", "gradients", "optimizer"))):
        assert main(["plan", "--json", f"hardware=gpu_8_zero{stage}"]) == 0
        told = json.loads(capsys.readouterr().out)["training"]
        for name in ("parameters", "gradients", "optimizer"):
            part = 8 if name in parted else 1
            assert told["memory"][name] == pytest.approx(one["memory"][name] / part, rel=0.02), (stage, name)
        made = told["configuration"]
        assert made["zero_optimization"]["stage"] == stage
        assert made["train_micro_batch_size_per_gpu"] == 8
        assert made["zero_optimization"]["reduce_bucket_size"] == pytest.approx(weights / 4, rel=0.01)
    assert main(["plan", "hardware=gpu_8_zero3", "hardware.precision=fp16"]) == 0
    told = capsys.readouterr().out
    assert '"stage": 3' in told
    half = '"torch_autocast": {"enabled": true, "dtype": "float16", "lower_precision_safe_modules": []}'
    assert "".join(half.split()) in "".join(told.split())
    trees = SPEC.replace("model: {kind: mlp, hidden: [1024, 1024]}", "model: {kind: forest}")
    (here / "spec.yaml").write_text(trees.partition("training:")[0])
    assert main(["plan", "--memory"]) == 0
    assert "of a torch model" in capsys.readouterr().err


def test_a_preset_in_which_a_fitted_model_has_no_part_is_told(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "spec.yaml").write_text(
        SPEC.replace("{kind: mlp, hidden: [1024, 1024]}", "forest").rpartition("training:")[0]
    )
    words = "training: 'forest' is fitted at once, on the CPU; the preset's accelerator"
    for name, expected in (("gpu", True), ("cpu", False)):
        assert main(["plan", f"hardware={name}"]) == 0
        assert (words in capsys.readouterr().out.replace("\n", " ")) is expected
    assert main(["run", "--until", "train"]) == 0
    capsys.readouterr()
    assert main(["plan", "--json", "hardware=gpu", "hardware.launcher=local"]) == 0
    steps = {step["name"]: step for step in json.loads(capsys.readouterr().out)["steps"]}
    assert steps["train"]["verdict"] == "reuse" and "hardware" not in steps["train"]["parameters"]
    assert main(["run", "--until", "train", "hardware=gpu"]) == 0
    assert "nothing to do" in " ".join(capsys.readouterr())


def test_a_strategy_that_has_nothing_to_share_on_one_device_is_told(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "shares work over devices, and hardware has one (cpu): it trains as 'single' does"
    for kind, expected in (("ddp", True), ("fsdp", True), ("tensor_parallel", True), ("single", False)):
        assert main(["plan", f"hardware.strategy={kind}", "hardware.accelerator=cpu"]) == 0
        told = capsys.readouterr().out.replace("\n", " ")
        assert (f"training: '{kind}' {words}" in told) is expected
    assert main(["plan", "hardware.strategy=ddp", "hardware.devices=2"]) == 0
    assert "as 'single' does" not in capsys.readouterr().out
