"""What is answered without Hydra is what Hydra answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlspec.compose.defaults import check_defaults
from mlspec.compose.plain_presets import plain_presets
from mlspec.compose.preset_files import PresetFiles
from mlspec.compose.presets import PresetError, presets
from mlspec.compose.reader import read

FILES = {
    "a/one.yaml": "x: 1\nx-revision: 2\n",
    "a/two.yaml": "x: 2\n",
    "b/one.yaml": "y: 1\n",
    "b/stands.yaml": "defaults: [one]\ny: 2\n",
    "c/wide.yaml": "# @package _global_\nz: 1\n",
    "c/empty.yaml": "",
    "d/over.yaml": "defaults:\n  - override /a: two\n",
    "d/deep/in.yaml": "w: 1\n",
    "alone.yaml": "v: 1\n",
}
ITEMS = [
    "{a: one}",
    "{a: two}",
    "{a: [one, two]}",
    "{a: null}",
    "{b: one}",
    "{b: stands}",
    "{c: wide}",
    "{c: empty}",
    "{d: over}",
    "{d/deep: in}",
    "{a@q: one}",
    "{optional a: nope}",
    "alone",
    "{/b: one}",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("plain")
    for name, text in FILES.items():
        file = home / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return home


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(items=st.lists(st.sampled_from(ITEMS), max_size=4), last=st.booleans())
def test_the_answer_is_hydras(folder: Path, items: list[str], last: bool) -> None:
    text = (
        "defaults:\n" + "".join(f"  - {item}\n" for item in (*items, *(["_self_"] if last else [])))
        if items or last
        else "k: 1\n"
    )
    document, faults = read("spec.yaml", text)
    files = PresetFiles(folder)
    assert not faults
    if check_defaults(document, files, preset=False):
        return
    plain = plain_presets(document, files)
    if plain is None:
        return
    found = presets(document, files, ())
    assert found.above == ()
    assert [(layer.preset, layer.package, layer.revision) for layer in plain] == [
        (layer.preset, layer.package, layer.revision) for layer in found.below
    ]


@pytest.mark.parametrize(
    ("items", "names"),
    [("[{a: one}, {b: one}]", ["a/one", "b/one"]), ("[{c: empty}, _self_]", ["c/empty"]), ("[]", [])],
)
def test_the_usual_lists_need_no_hydra(folder: Path, items: str, names: list[str]) -> None:
    plain = plain_presets(read("spec.yaml", f"defaults: {items}\n")[0], PresetFiles(folder))
    assert plain is not None
    assert [layer.preset for layer in plain] == names


@pytest.mark.parametrize(
    "items",
    ["[{a: one}, {a: two}]", "[{b: stands}]", "[{c: wide}]", "[alone]", "[{a@q: one}]", "[{a: [one]}]"],
)
def test_what_hydra_decides_is_left_to_it(folder: Path, items: str) -> None:
    document = read("spec.yaml", f"defaults: {items}\n")[0]
    assert plain_presets(document, PresetFiles(folder)) is None
    if items.startswith("[{a: one}"):
        with pytest.raises(PresetError):
            presets(document, PresetFiles(folder), ())
