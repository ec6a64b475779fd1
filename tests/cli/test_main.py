"""The command line's edge: help, exit codes, messages, and what is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlspec.cli.main import main

SPEC = """\
apiVersion: mlspec/v1
name: small
data:
  source: {kind: csv, path: rows.csv}
  target: {column: y, kind: binary, positive: "yes"}
  features: {a: number}
model: {kind: linear}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rows.csv").write_text("a,y\n1,yes\n2,no\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(code: str, cwd: Path) -> tuple[str, set[str]]:
    """Run code in a child process, and return what it printed and the modules it had imported."""
    text = f"{code}\nimport sys\nsys.stderr.write('\\n@' + ' '.join(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=cwd, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout, set(done.stderr.rpartition("@")[2].split())


def test_help_names_every_verb_and_imports_nothing_heavy(tmp_path):
    out, modules = loaded("from mlspec.cli.main import main; main(['--help'])", tmp_path)
    for verb in (
        "init",
        "validate",
        "plan",
        "run",
        "step",
        "serve",
        "score",
        "why",
        "show",
        "schema",
        "plugins",
        "clean",
    ):
        assert f"\n  {verb} " in out
    assert not {"pydantic", "hydra", "rich", "yaml", "dvc", "numpy", "torch", "argparse"} & modules


def test_a_plan_imports_no_heavy_library(here):
    out, modules = loaded("from mlspec.cli.main import main; main(['plan'])", here)
    assert "7 to run" in out
    heavy = {
        "dvc",
        "numpy",
        "pandas",
        "pyarrow",
        "duckdb",
        "ibis",
        "torch",
        "onnx",
        "onnxruntime",
        "sklearn",
        "bentoml",
    }
    assert not heavy & modules


def test_every_verb_has_help(capsys):
    from mlspec.cli._verbs import verbs

    for verb, summary in verbs().items():
        with pytest.raises(SystemExit) as left:
            main([verb, "--help"])
        assert left.value.code == 0
        assert f"usage: mlspec {verb}" in capsys.readouterr().out
        assert summary


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        ([], 2, ""),
        (["--version"], 0, ""),
        (["paln"], 2, "did you mean 'mlspec plan'?"),
        (["plan", "--jsn"], 2, "did you mean '--json'?"),
        (["plan", "none.yaml"], 3, "there is no spec at 'none.yaml'"),
        (["plan", "-c", "none.yaml"], 3, "there is no overlay at 'none.yaml'"),
        (["plan", "--sample", "0"], 2, "a sample of 0 rows"),
        (["plan", "training.epochz=3"], 2, "did you mean 'epochs'?"),
        (["plan", "--check"], 10, ""),
        (["plan"], 0, ""),
        (["step", "none", "train"], 3, "there is no plan in 'pipelines/none'"),
        (["run", "--until", "trian"], 2, "there is no step 'trian'"),
        (["run", "--locked"], 2, "--locked"),
        (["plugins", "modle"], 2, "no slot is called 'modle'"),
        (["plugins", "model", "mpl"], 2, "no model is called 'mpl'"),
        (["plugins", "model", "mlp"], 0, ""),
        (["clean"], 0, ""),
        (["init"], 2, "is there already"),
    ],
)
def test_exit_codes_and_messages(here, capsys, argv, code, told):
    assert main(argv) == code
    assert told in capsys.readouterr().err


def test_a_fault_is_json_on_stdout_when_asked(here, capsys):
    assert main(["plan", "training.epochz=3", "--json"]) == 2
    told = capsys.readouterr()
    value = json.loads(told.out)
    assert told.err == ""
    assert value["error"] == "SpecError" and value["exit_code"] == 2
    assert "epochz" in value["faults"][0]["what"] and value["faults"][0]["where"]["line"] == 1


def test_a_fault_of_mlspec_shows_no_traceback_unless_asked(here, capsys, monkeypatch):
    import mlspec.run.planned

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(mlspec.run.planned, "planned", broken)
    assert main(["plan"]) == 1
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told and "Traceback" not in told
    assert main(["-v", "plan"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(here, capsys, monkeypatch):
    import mlspec.run.planned

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mlspec.run.planned, "planned", interrupted)
    assert main(["plan"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_fault(here):
    words = f"{sys.executable} -m mlspec plan --json | head -c 10"
    done = subprocess.run(
        ["bash", "-c", words], cwd=here, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == '{\n  "name"' and done.stderr == ""


def test_the_spec_may_be_a_folder_and_overrides_may_stand_alone(here, capsys):
    assert main(["plan", ".", "training.epochs=3"]) == 0
    assert main(["plan", "name=other", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("\n{")[2].join(("{", "")))["name"] == "other"


def test_plan_writes_only_when_told(here, capsys):
    main(["plan"])
    assert not (here / "pipelines").exists()
    assert main(["plan", "--write"]) == 0
    assert sorted(file.name for file in (here / "pipelines/small").iterdir()) == ["dvc.yaml", "plan.yaml"]
    first = {file: file.read_bytes() for file in (here / "pipelines").rglob("*.yaml")}
    assert main(["plan", "--write"]) == 0
    assert {file: file.read_bytes() for file in (here / "pipelines").rglob("*.yaml")} == first


def test_clean_asks_and_removes_what_can_be_made_again(here, capsys):
    for name in ("artifacts/small/logs", "artifacts/small/train", ".mlspec/scratch", ".mlspec/parts"):
        (here / name).mkdir(parents=True)
        (here / name / "file").write_text("x")
    assert main(["clean"]) == 2
    assert (here / "artifacts/small/logs/file").exists()
    assert ".mlspec/parts" in capsys.readouterr().err
    assert main(["clean", "--yes"]) == 0
    assert not (here / ".mlspec/parts").exists()
    assert not (here / "artifacts/small/logs").exists() and not (here / ".mlspec/scratch").exists()
    assert (here / "artifacts/small/train/file").exists()
    assert main(["clean", "--yes", "--artifacts"]) == 0
    assert not (here / "artifacts").exists()


def test_doctor_names_what_is_missing_with_its_command(capsys, monkeypatch):
    from importlib import metadata

    version = metadata.version

    def lacking(name: str) -> str:
        if name == "onnxruntime":
            raise metadata.PackageNotFoundError(name)
        return "1.0" if name == "bentoml" else version(name)

    assert main(["doctor", "--json"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(metadata, "version", lacking)
    assert main(["doctor", "--json"]) == 0
    found = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert "onnxruntime" in found["mlspec[train]"]["text"]
    assert found["mlspec[train]"]["fix"] == "pip install 'mlspec[train]'"
    assert "bentoml" in found["mlspec[serve]"]["text"] and "here: 1.0" in found["mlspec[serve]"]["text"]
    assert found["mlspec"]["state"] == "good"


def test_plugins_tells_options_with_limits(capsys):
    assert main(["plugins", "model", "mlp", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    options = {option["name"]: option for option in found["options"]}
    assert options["dropout"]["type"] == "number (at least 0, less than 1)"
    assert options["activation"]["type"].startswith("relu | ")
    assert options["hidden"]["default"] and options["hidden"]["description"]
    assert found["needs"]["torch"] == "train"
