"""Renamed keys: told at their place, renamed in the files, and nothing else of the files is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlspec.cli.main import main
from mlspec.compose.compose import compose
from mlspec.errors import SpecError
from mlspec.spec.levels import at_path, is_slot, plugin
from mlspec.spec.load import load
from mlspec.spec.migrate import migrate
from mlspec.spec.renamed import RENAMED, renamed

SPEC = """\
# notes of ours
apiVersion: mlspec/v1
name: wine   # kept
defaults: [{model: trees}, _self_]
data:
  source: {kind: sample, name: wine}
  target: {column: target, kind: category}
  features: auto
model:
    "column_share" : 0.5   # a share, '${not a reference}'
    kind: gradient_boosting
    trees:   30
"""
PRESET = "x-revision: 1\nkind: gradient_boosting\n# ä comment\ncolumn_share: 0.7\n"
OVERLAY = "model: {kind: gradient_boosting, column_share: 0.9, trees: 20}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    spec = SPEC.replace(", '${not a reference}'", "")
    (tmp_path / "spec.yaml").write_bytes(b"\xef\xbb\xbf" + spec.replace("\n", "\r\n").encode())
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "trees.yaml").write_text(PRESET, "utf-8")
    (tmp_path / "over.yaml").write_text(OVERLAY)
    return tmp_path


def test_an_old_name_is_a_fault_with_its_mend(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 2
    told = capsys.readouterr().err
    assert "spec.yaml:10:5" in told and "'model.column_share' is called 'max_features' today" in told
    assert "`mlspec migrate --write` renames it" in told


def test_migrate_shows_and_writes_every_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file: file.read_bytes() for file in here.rglob("*.yaml")}
    assert main(["migrate", "-c", "over.yaml"]) == 10
    shown = capsys.readouterr().out
    assert "-column_share: 0.7" in shown and "+max_features: 0.7" in shown
    assert {file: file.read_bytes() for file in before} == before

    assert main(["migrate", "-c", "over.yaml", "--write"]) == 0
    for file, content in before.items():
        wanted = content.replace(b'"column_share"', b"max_features").replace(b"column_share", b"max_features")
        assert file.read_bytes() == wanted, file
    assert load(Path("spec.yaml"), overlays=[Path("over.yaml")], data=False).spec.model.max_features == 0.9  # type: ignore[attr-defined]
    capsys.readouterr()
    assert main(["migrate", "--write", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"renamed": [], "written": False}


def test_both_names_at_once_change_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "over.yaml").write_text(OVERLAY.replace("trees: 20", "max_features: 1.0"))
    before = {file: file.read_bytes() for file in here.rglob("*.yaml")}
    assert main(["migrate", "-c", "over.yaml", "--write"]) == 2
    told = capsys.readouterr().err
    assert "over.yaml:1:34" in told and "both stand here" in told and "remove 'column_share'" in told
    assert {file: file.read_bytes() for file in before} == before


def test_an_override_by_the_old_name_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "spec.yaml", "model.column_share=0.3"]) == 2
    assert "write model.max_features=..." in capsys.readouterr().err


def test_the_same_word_elsewhere_is_left_alone(here: Path) -> None:
    (here / "spec.yaml").write_text(
        SPEC.replace("gradient_boosting", "mlp").replace("[{model: trees}, _self_]", "[_self_]")
        .replace(", '${not a reference}'", "")
    )  # fmt: skip
    composed = compose(Path("spec.yaml"), is_slot=is_slot)
    assert migrate(composed, here) == ()
    with pytest.raises(SpecError, match="column_share"):
        load(Path("spec.yaml"), data=False)


def test_a_key_of_a_section_can_be_renamed_too(here: Path) -> None:
    text = SPEC.replace(", '${not a reference}'", "").replace("column_share", "max_features")
    (here / "spec.yaml").write_text(text + "training: {steps: 3, epochs: 4}\n")
    (here / "conf" / "model" / "trees.yaml").write_text("kind: gradient_boosting\n")
    composed = compose(Path("spec.yaml"), is_slot=is_slot)
    (changed,) = migrate(composed, here, {"training.steps": "batches"})
    assert changed.after.endswith("training: {batches: 3, epochs: 4}\n")
    with pytest.raises(SpecError, match="both stand here"):
        migrate(composed, here, {"training.steps": "epochs"})


def test_every_new_name_of_the_table_is_a_key_and_no_old_one_is() -> None:
    for old, new in RENAMED.items():
        owner, _, word = old.rpartition(".")
        slot, _, kind = owner.partition(".")
        (level,) = [level for level in at_path((slot,), {slot: {"kind": kind}}) if level.slot]
        found = plugin(level, {"kind": kind})
        assert found is not None and new in found.model_fields and word not in found.model_fields
        assert renamed((slot, word), {slot: {"kind": kind}}) == new
