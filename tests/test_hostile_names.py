"""Columns, names and paths that would rather be code: whatever they are called, they stay names."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlspec.cli._harmless import harmless
from mlspec.cli.console import emit
from mlspec.cli.main import main
from mlspec.compose.write import write
from mlspec.errors import SpecError
from mlspec.plan.scalar import scalar
from mlspec.spec.load import load

COLUMNS = (
    'a";DROP TABLE mlspec_rows;--', "b\x1b[2J", "c\u202e", "../../d", "/etc/e", "${oc.env:HOME}", "{{g}}",
    "<script>alert(1)</script>", "i'q", "k: v #", "- l", "%s{0}", "m\\n\\", "&n *n !n", "`o` $(o)", "p\ttab",
)  # fmt: skip
SPEC = """\
apiVersion: mlspec/v1
name: hostile
data:
  source: {kind: csv, path: rows.csv}
  target: {column: TARGET, kind: binary, positive: "yes"}
  features: auto
model: {kind: linear}
training: {epochs: 1}
deployments: {online: {kind: rest}}
"""
TARGET = "y\x1b]0;y\x07'\""
WORDS = (
    "show named.yaml --resolved --comments", "show named.yaml --resolved --json", "show named.yaml",
    "show last", "show last --json", "report", "report --json", "plan --json", "validate named.yaml",
    "validate --json", "run", "why data.target.column", "why data.target.column --json",
    "diff spec.yaml named.yaml --json",
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder, inside another one that must stay as it is, with a table of such columns."""
    folder = tmp_path / "outer" / "inner"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    chance = random.Random(0)
    with open("rows.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*COLUMNS, TARGET])
        for _ in range(400):
            values = [round(chance.random(), 6) for _ in COLUMNS]
            rows.writerow([*values, "yes" if values[0] > 0.5 else "no"])
    Path("spec.yaml").write_text(SPEC.replace("TARGET", json.dumps(TARGET)), "utf-8")
    return folder


def test_a_run_takes_columns_of_any_name_and_writes_only_where_it_should(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run"]) == 0
    assert main(["score", "rows.csv", "-o", "scores.parquet"]) == 0
    capsys.readouterr()
    features = ", ".join(f"{json.dumps(column)}: number" for column in COLUMNS)
    Path("named.yaml").write_text(
        Path("spec.yaml").read_text("utf-8").replace("features: auto", f"features: {{{features}}}"), "utf-8"
    )
    for words in WORDS:
        assert main(words.split()) == 0, words
    Path("named.yaml").unlink()
    told = capsys.readouterr()
    assert not any(sign in told.out + told.err for sign in "\x1b\x07\u202e")
    assert [path.name for path in workspace.parent.iterdir()] == ["inner"]
    made = {path.name for path in workspace.iterdir()}
    assert made <= {
        ".dvc", ".dvcignore", ".mlspec", "artifacts", "contracts", "pipelines", "rows.csv",
        "scores.parquet", "spec.yaml",
    }  # fmt: skip
    names = {path.name for path in (workspace / "pipelines").iterdir()}
    assert names == {"data-hostile", "hostile"}
    plan = yaml.safe_load(Path("pipelines/data-hostile/plan.yaml").read_text("utf-8"))
    assert {*plan["prepare"]["data"]["features"]} == {*COLUMNS}
    assert plan["ingest"]["data"]["target"]["column"] == TARGET
    for file in (*Path("pipelines").rglob("dvc.yaml"), *Path("contracts").iterdir()):
        assert isinstance(yaml.safe_load(file.read_text("utf-8")), dict)
    stages = yaml.safe_load(Path("pipelines/hostile/dvc.yaml").read_text("utf-8"))["stages"]
    assert all(stage["cmd"].startswith("mlspec step ") for stage in stages.values())
    package = next(Path("artifacts/hostile").glob("package-*"))
    for file in package.iterdir():
        if file.suffix in (".py", ".yaml", ".txt", ".toml"):
            assert not any(column in file.read_text("utf-8") for column in COLUMNS), file.name


@pytest.mark.parametrize(
    "name", ["../up", "/etc/x", "a/b", "a\n", "A", "", "a;b", "a b", "$(a)", "a\x1b", ".a"]
)
def test_a_name_is_a_word(workspace: Path, name: str) -> None:
    spec = Path("spec.yaml").read_text("utf-8").replace("name: hostile", f"name: {json.dumps(name)}")
    for text in (spec, spec.replace("{online:", "{" + json.dumps(name) + ":"),
                 spec.replace("model: {kind: linear}", f"model: {{kind: {json.dumps(name)}}}")):  # fmt: skip
        Path("spec.yaml").write_text(text, "utf-8")
        with pytest.raises(SpecError):
            load(Path("spec.yaml"), data=False)


@pytest.mark.parametrize("path", ["../x.yaml", "/x.yaml", "a/../../x.yaml", "out/x.yaml", "x.yaml\0",
                                  "a.py", ".git/x.yaml", ".dvc/x.yaml", "artifacts/x.yaml", "loop/x.yaml",
                                  "."])  # fmt: skip
def test_a_contract_lies_in_the_workspace(workspace: Path, path: str) -> None:
    Path("out").symlink_to("..")
    Path("loop").symlink_to("loop")
    line = f"validation: {{contract: {json.dumps(path)}}}\n"
    Path("spec.yaml").write_text(Path("spec.yaml").read_text("utf-8") + line, "utf-8")
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), data=False)
    assert [(fault.code, str(fault.where)) for fault in caught.value.faults] == [
        ("MS0331", "spec.yaml:10:24")
    ]


def test_the_contract_that_nobody_names_follows_no_link_out(workspace: Path) -> None:
    Path("contracts").symlink_to("..")
    with pytest.raises(SpecError, match="does not lie in the workspace"):
        load(Path("spec.yaml"), data=False)


def test_a_specs_folder_may_lie_below_its_contracts(workspace: Path) -> None:
    (workspace / ".dvc").mkdir()
    below = workspace / "specs" / "small"
    below.mkdir(parents=True)
    text = Path("spec.yaml").read_text("utf-8") + "validation: {contract: ../../contracts/mine.yaml}\n"
    (below / "spec.yaml").write_text(text, "utf-8")
    assert load(below / "spec.yaml", data=False).spec.validation.contract == "../../contracts/mine.yaml"


@pytest.mark.parametrize("line", ["\n", "\r", "\x85", "\u2028"])
def test_a_column_of_two_lines_is_refused(
    workspace: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("rows.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[f"a{line}error: none", TARGET], ["1", "yes"]])
    assert main(["validate"]) == 2
    told = capsys.readouterr().err
    assert "has more than one line" in told and "\nerror: none" not in told


@given(st.text(max_size=200))
def test_what_is_shown_steers_no_terminal(text: str) -> None:
    shown = harmless(text)
    assert not any(0x7F <= ord(sign) < 0xA0 or (ord(sign) < 32 and sign not in "\n\t") for sign in shown)
    shown.encode("utf-8")


SIGNS = "\x1b\x7f\x85\u061c\u200e\u202e\u2028\u2066\ud800"


@given(st.text(st.one_of(st.characters(), st.sampled_from(SIGNS)), max_size=60))
def test_json_and_yaml_on_a_terminal_steer_nothing_and_read_back(text: str) -> None:
    def steers(told: str) -> bool:
        return any(sign in told for sign in SIGNS)

    with contextlib.redirect_stdout(io.StringIO()) as out:
        emit({text: [text]})
    assert not steers(out.getvalue()) and json.loads(out.getvalue()) == {text: [text]}
    if not any("\ud800" <= sign <= "\udfff" for sign in text):
        assert not steers(write({text: [text]}))


@given(st.text(max_size=80).filter(lambda text: not any("\ud800" <= sign <= "\udfff" for sign in text)))
def test_any_text_stays_one_leaf_of_the_files_that_are_written(text: str) -> None:
    assert yaml.safe_load(f"a:\n  b: {scalar(text)}\n  c: 1\n") == {"a": {"b": text, "c": 1}}
    tree = {"c": [text], text: 1}
    assert yaml.safe_load(write(tree)) == tree
