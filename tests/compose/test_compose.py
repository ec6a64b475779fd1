from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlspec.compose.compose import compose
from mlspec.compose.workspace import workspace_of
from mlspec.errors import SpecError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = {
        "conf/hardware/big.yaml": "x-revision: 3\ndevices: 8\nstrategy: {kind: single}\n",
        "conf/hardware/cpu.yaml": "devices: 2\nnodes: 5\n",
        "conf/experiment/wide.yaml": "# @package _global_\ndefaults:\n  - override /hardware: big\n"
        "model: {kind: mlp, hidden: [512]}\n",
        "conf/training/long.yaml": "defaults:\n  - quick\nepochs: 99\n",
        "conf/loop/a.yaml": "defaults:\n  - b\n",
        "conf/loop/b.yaml": "defaults:\n  - a\n",
        "spec.yaml": "defaults:\n  - hardware: cpu\n  - _self_\nname: x\nhardware:\n  nodes: 2\n",
        "top.yaml": "name: y\nhardware: {nodes: 3}\n",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def _faults(*overrides: str, spec: str = "spec.yaml") -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        compose(Path(spec), overrides)
    return [(fault.code, str(fault.where)) for fault in caught.value.faults]


def test_layers_lie_as_the_language_says(here: Path) -> None:
    composed = compose(Path("spec.yaml"), ["hardware.nodes=4"], [Path("top.yaml")])
    assert composed.tree == {"name": "y", "hardware": {"devices": 2, "nodes": 4}}
    told = [(origin.value, str(origin.place)) for origin in composed.origins(("hardware", "nodes"))]
    assert told == [
        (5, "conf/hardware/cpu.yaml:2:8"),
        (2, "spec.yaml:6:10"),
        (3, "top.yaml:2:19"),
        (4, "hardware.nodes=4:1:16"),
    ]
    assert [file.name for file in composed.files] == ["cpu.yaml", "spec.yaml", "top.yaml"]


def test_the_workspaces_presets_come_before_the_shipped_ones(here: Path) -> None:
    assert compose(Path("spec.yaml")).tree["hardware"]["devices"] == 2
    assert compose(Path("spec.yaml"), ["hardware=gpu"]).tree["hardware"]["accelerator"] == "cuda"


@pytest.mark.parametrize("defaults", [True, False])
def test_a_preset_of_the_command_line_lies_above_the_file(here: Path, defaults: bool) -> None:
    if not defaults:
        (here / "spec.yaml").write_text("name: x\nhardware: {nodes: 2, devices: 1}\n")
    composed = compose(Path("spec.yaml"), ["hardware=big"])
    assert composed.tree["hardware"] == {"devices": 8, "strategy": {"kind": "single"}, "nodes": 2}
    assert composed.presets == {"hardware/big": 3}


def test_several_presets_of_a_group_and_none(here: Path) -> None:
    assert compose(Path("spec.yaml"), ["hardware=[big,cpu]"]).tree["hardware"]["devices"] == 2
    assert compose(Path("spec.yaml"), ["hardware=[cpu,big]"]).tree["hardware"]["devices"] == 8
    assert compose(Path("spec.yaml"), ["~hardware"]).tree["hardware"] == {"nodes": 2}


def test_a_preset_may_choose_presets_of_other_groups(here: Path) -> None:
    composed = compose(Path("spec.yaml"), ["+experiment=wide"])
    assert composed.tree["model"] == {"kind": "mlp", "hidden": [512]}
    assert composed.tree["hardware"] == {"devices": 8, "strategy": {"kind": "single"}, "nodes": 2}
    assert set(composed.presets) == {"experiment/wide", "hardware/big"}


def test_a_preset_stands_on_another(here: Path) -> None:
    training = compose(Path("spec.yaml"), ["training=long"]).tree["training"]
    assert training["epochs"] == 99
    assert training["batch_size"] == 256


def test_a_folder_of_data_is_no_group_of_presets(here: Path) -> None:
    (here / "data").mkdir()
    (here / "data" / "x.yaml").write_text("a: 1\n")
    assert compose(Path("spec.yaml"), ["data=x"]).tree["data"] == "x"


def test_overrides_need_no_plus_and_know_lists(here: Path) -> None:
    composed = compose(
        Path("spec.yaml"),
        [
            "model={kind: mlp, hidden: [8, 8]}",
            "model.hidden.0=64",
            "+a.b=1e-3",
            "++c=no",
            "~name",
            "d='x = y'",
            "e=007",
        ],
    )
    assert composed.tree["model"] == {"kind": "mlp", "hidden": [64, 8]}
    assert composed.tree["a"] == {"b": 1e-3}
    assert (composed.tree["c"], composed.tree["d"], composed.tree["e"]) == ("no", "x = y", "007")
    assert "name" not in composed.tree
    assert [origin.removed for origin in composed.origins(("name",))] == [False, True]


def test_another_kind_replaces_the_whole_mapping(here: Path) -> None:
    (here / "spec.yaml").write_text("model: {kind: mlp, hidden: [8]}\n")
    assert compose(Path("spec.yaml"), ["model.kind=linear"]).tree["model"] == {"kind": "linear"}
    assert compose(Path("spec.yaml"), ["model={kind: linear}"]).tree["model"] == {"kind": "linear"}
    assert compose(Path("spec.yaml"), ["model=gradient_boosting"]).tree["model"] == {
        "kind": "gradient_boosting"
    }


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("hardware=gup", ("MS0113", "hardware=gup:1:10")),
        ("hardware/x=gup", ("MS0113", "hardware/x=gup:1:1")),
        ("x=1,2", ("MS0111", "x=1,2:1:3")),
        ("x=choice(1,2)", ("MS0111", "x=choice(1,2):1:3")),
        ("what", ("MS0111", "what:1:1")),
        ("x={a", ("MS0111", "x={a:1:3")),
        ("hydra.run=1", ("MS0115", "hydra.run=1:1:1")),
        ("defaults=[]", ("MS0115", "defaults=[]:1:1")),
        ("hardware=null", ("MS0119", "hardware=null:1:10")),
        ("~nothing", ("MS0119", "~nothing:1:1")),
        ("~training", ("MS0119", "~training:1:1")),
        ("größe=1", ("MS0111", "größe=1:1:3")),
        ("x=inf", ("MS0110", "x=inf:1:3")),
        ("x={a: [nan]}", ("MS0110", "x={a: [nan]}:1:3")),
        ("hardware=../secret", ("MS0112", "hardware=../secret:1:10")),
        ("loop=a", ("MS0114", "conf/loop/a.yaml:1:1")),
    ],
)
def test_wrong_overrides_are_faults_in_their_own_text(
    here: Path, override: str, fault: tuple[str, str]
) -> None:
    assert _faults(override) == [fault]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("defaults:\n  - _self_\n  - hardware: cpu\n", ("MS0112", "spec.yaml:2:5")),
        ("defaults: {hardware: cpu}\n", ("MS0112", "spec.yaml:1:11")),
        ("defaults:\n  - hardware: ../../etc/passwd\n", ("MS0112", "spec.yaml:2:15")),
        ("defaults:\n  - hardware: 5\n", ("MS0112", "spec.yaml:2:15")),
        ("defaults:\n  - /etc/passwd\n", ("MS0113", "spec.yaml:2:5")),
        ("defaults:\n  - a: b\n    c: d\n", ("MS0112", "spec.yaml:2:5")),
        ("defaults:\n  - hardware: nope\n", ("MS0113", "spec.yaml:2:15")),
        ("defaults:\n  - hydra/launcher: x\n", ("MS0115", "spec.yaml:2:5")),
        ("defaults:\n  - hardware: ${x}\n", ("MS0112", "spec.yaml:2:15")),
        ("defaults:\n  - loop: a\n", ("MS0114", "conf/loop/a.yaml:1:1")),
        ("hydra: {searchpath: [file:///etc]}\n", ("MS0115", "spec.yaml:1:1")),
        ("a: ${b}\n", ("MS0117", "spec.yaml:1:4")),
    ],
)
def test_wrong_files_are_faults_at_their_place(here: Path, text: str, fault: tuple[str, str]) -> None:
    (here / "spec.yaml").write_text(text)
    assert _faults() == [fault]


def test_faults_of_texts_and_overrides_are_told_together(here: Path) -> None:
    (here / "spec.yaml").write_text("a: 1\na: 2\nhydra: {}\nb: ${nothing}\n")
    codes = [code for code, _ in _faults("x=1,2", "hardware=gup")]
    assert codes == ["MS0104", "MS0115", "MS0111", "MS0113", "MS0117"]


def test_an_overlay_holds_no_defaults(here: Path) -> None:
    (here / "top.yaml").write_text("defaults: []\n")
    with pytest.raises(SpecError) as caught:
        compose(Path("spec.yaml"), (), [Path("top.yaml")])
    assert [(fault.code, str(fault.where)) for fault in caught.value.faults] == [("MS0115", "top.yaml:1:1")]


def test_unreadable_files_are_faults(here: Path) -> None:
    assert _faults(spec="nowhere.yaml") == [("MS0101", "nowhere.yaml")]
    (here / "latin.yaml").write_bytes(b"a: 1\nname: gr\xf6\xdfe\n")
    assert _faults(spec="latin.yaml") == [("MS0102", "latin.yaml:2:9")]
    (here / "mark.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert compose(Path("mark.yaml")).tree == {"a": 1}


@pytest.mark.parametrize("name", ["my.spec-v2.yml", "no extension", "a=b.yaml", "ümlaut@x.yaml"])
def test_a_spec_may_be_called_anything(here: Path, name: str) -> None:
    (here / "spec.yaml").rename(here / name)
    assert compose(Path(name), ["hardware=big"]).tree["hardware"]["devices"] == 8


def test_the_workspace_is_the_nearest_folder_with_dvc(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert workspace_of(inner / "spec.yaml") == inner.resolve()
    (tmp_path / ".dvc").mkdir()
    assert workspace_of(inner / "spec.yaml") == tmp_path.resolve()


def test_without_presets_and_overrides_hydra_is_not_imported(here: Path) -> None:
    (here / "spec.yaml").write_text("name: x\n")
    code = (
        "import sys, pathlib; from mlspec.compose.compose import compose; compose(pathlib.Path('spec.yaml'));"
        "print([name for name in sys.modules if name.split('.')[0] in ('hydra', 'omegaconf', 'pydantic')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
