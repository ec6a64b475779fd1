"""The JSON Schema: what mlspec takes it takes, what mlspec refuses it refuses wherever a schema can tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlspec.compose.reader import read
from mlspec.errors import SpecError
from mlspec.spec.example import EXAMPLE
from mlspec.spec.load import load
from mlspec.spec.schema import schema
from mlspec.spec.spec import Spec
from tests.spec.fault_cases import CASES
from tests.spec.full_spec import TEXT, write_full

ROOT = Path(__file__).resolve().parents[2]
FOUND = schema()
CHECK = jsonschema.Draft202012Validator(FOUND)

SYNTAX = "the file cannot be read as a tree; editors tell it themselves"
DATA = "only the data knows its columns"
OTHERS = "a schema cannot compare two values of a file"
FILES = "only the presets' folders know"
FOLDERS = "only the workspace knows what lies where"
CANNOT_TELL: dict[str, str] = {
    "a duplicate key": SYNTAX,
    "an anchor and an alias": SYNTAX,
    "a tag": SYNTAX,
    "a merge key": SYNTAX,
    "a second document": SYNTAX,
    "a tab": SYNTAX,
    "an open bracket": SYNTAX,
    "an endless number": SYNTAX,
    "a reference to nothing": OTHERS,
    "a gate of one export that names another": OTHERS,
    "a reference inside text": SYNTAX,
    "the environment": "text is text",
    "a reference to a secret": OTHERS,
    "a size beyond a limit": "text is text",
    "memory in which nothing works": "text is text",
    "an unknown preset": FILES,
    "a launcher with nothing to start": OTHERS,
    "a launcher that does not know on what": OTHERS,
    "a launcher of another accelerator": OTHERS,
    "hardware that a model has no part in": OTHERS,
    "a launcher of a model that is fitted": OTHERS,
    "layers that devices cannot cut": OTHERS,
    "devices that are no whole number of sets": OTHERS,
    "sets of more devices than there are": OTHERS,
    "a batch size that no TPU tells": OTHERS,
    "a value that a sweep would find anew": OTHERS,
    "an accelerator that the strategy is not for": OTHERS,
    "a strategy that the accelerator is not for": OTHERS,
    "a number format that the strategy has not": OTHERS,
    "machines that the strategy cannot join": OTHERS,
    "weights that are not parted": OTHERS,
    "memory that one device does not give away": OTHERS,
    "a batch that devices of one process do not divide": OTHERS,
    "a model without layers to cut": OTHERS,
    "_self_ first": "a schema has no word for the last item of a list",
    "an unknown feature column": DATA,
    "a short column's slip": DATA,
    "an unnamed column": DATA,
    "several unnamed columns": DATA,
    "an unknown slice": DATA,
    "an unknown column in a rule": DATA,
    "no data file": DATA,
    "another server that shall compute": OTHERS,
    "a query in the SQL of another server": OTHERS,
    "a catalog of a file": OTHERS,
    "two roles": OTHERS,
    "an ignored slice": OTHERS,
    "the target as a feature": OTHERS,
    "a threshold without two classes": OTHERS,
    "metrics of another target": OTHERS,
    "a metric twice": OTHERS,
    "a gate on what is not measured": OTHERS,
    "a gate against nobody": OTHERS,
    "leave to get better": OTHERS,
    "a gate on slices that are not told": OTHERS,
    "a gate on an unknown slice": OTHERS,
    "a change without another value": "the plug-in's own code asks for the two keys together",
    "another value without a change": "the plug-in's own code asks for the two keys together",
    "early stopping without val": OTHERS,
    "training keys that trees do not use": OTHERS,
    "equations of classes, and keys of epochs": OTHERS,
    "logistic regression of all rows, and keys of epochs": OTHERS,
    "logistic regression of all rows, without a ridge": "the plug-in's own code asks for both keys",
    "a ridge without equations": "the plug-in's own code asks for the two keys together",
    "a loss of another kind of target": OTHERS,
    "a loss that trees cannot make small": OTHERS,
    "a profile of trees": OTHERS,
    "classes balanced twice": OTHERS,
    "more parts than rows": OTHERS,
    "blocks that a model has not": OTHERS,
    "a calibration without rows to look at": OTHERS,
    "too many devices": OTHERS,
    "a drift method of a column that is not taken": OTHERS,
    "a drift method of another kind of column": OTHERS,
    "a drift method of a time": OTHERS,
    "a distance of another kind of column": OTHERS,
    "a distance without a threshold": "the word alone is a word of the language",
    "a test that needs values": OTHERS,
    "a segment by a column that is misspelt": OTHERS,
    "a segment by a number, and one twice": OTHERS,
    "a query of a model that has none": OTHERS,
    "a deployment of a query": OTHERS,
    "an unknown export": OTHERS,
    "an unknown deployment": OTHERS,
    "shares that do not sum to one": OTHERS,
    "a file that shall compute": OTHERS,
    "a gate without a bound": "the plug-in's own code asks for one of two keys",
    "a contract outside of the workspace": FOLDERS,
    "a contract among git's files": FOLDERS,
    "a contract that is no YAML file": "text is text",
    "no such time zone": "only the list of zones knows",
}
"""Hand-made faults that are none to the schema, and why."""


def faults(tree: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in CHECK.iter_errors(tree)]


def tree_of(text: str) -> tuple[dict[str, Any], bool]:
    """Return a text's tree, and whether mlspec's reader took it."""
    document, troubles = read("spec.yaml", text)
    return document.tree, not troubles


def changed(**sections: Any) -> dict[str, Any]:
    return tree_of(TEXT)[0] | sections


def test_it_is_a_schema_of_draft_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(FOUND)
    assert FOUND["$schema"].endswith("draft/2020-12/schema")


@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*/spec.yaml")), ids=lambda file: file.parent.name)
def test_every_example_validates(file: Path) -> None:
    assert faults(tree_of(file.read_text())[0]) == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("conf/*/*.yaml")), ids=lambda file: file.stem)
def test_every_preset_is_a_part_of_a_spec(file: Path) -> None:
    tree = tree_of(file.read_text())[0]
    assert faults({"defaults": [{"other": "preset"}], file.parent.name: tree}) == []
    wrong = tree | {"epohcs": 1}
    assert faults({"defaults": [{"other": "preset"}], file.parent.name: wrong})


def test_the_full_spec_and_the_shown_example_validate() -> None:
    assert faults(tree_of(TEXT)[0]) == []
    assert faults(EXAMPLE) == []


@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_does_not_validate_wherever_a_schema_can_tell(name: str) -> None:
    text = TEXT
    for one, other in CASES[name]:
        text = text.replace(one, other)
    tree, was_read = tree_of(text)
    told = not was_read or bool(faults(tree))
    if CANNOT_TELL.get(name) == SYNTAX:
        assert not was_read
    elif name in CANNOT_TELL:
        assert not told, "the schema tells it now: take it out of CANNOT_TELL"
    else:
        assert was_read and told


def test_the_list_of_what_it_cannot_tell_names_known_cases() -> None:
    assert set(CANNOT_TELL) <= set(CASES)


def objects(node: Any, path: str = "$") -> Any:
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and "additionalProperties" in node:
            yield path, node
        for key, value in node.items():
            if key not in ("allOf", "examples", "x-examples", "default"):
                yield from objects(value, f"{path}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from objects(value, f"{path}[{index}]")


def test_every_object_is_closed_and_every_key_described() -> None:
    found = list(objects(FOUND))
    assert len(found) > 60
    for path, item in found:
        assert item["additionalProperties"] is False and item["patternProperties"].keys() == {"^x-"}, path
        for name, value in item["properties"].items():
            assert value.get("description"), (path, name)


def test_every_key_has_a_default_an_example_or_is_a_section() -> None:
    bare = []
    for path, item in objects(FOUND):
        if "_open" in path or "oneOf" in path:
            continue
        for name, value in item["properties"].items():
            section = any(
                str(option.get("$ref")).startswith("#/$defs/section_")
                for option in [value, *value.get("anyOf", [])]
            )
            if not section and not {"default", "examples", "x-examples", "const"} & set(value):
                bare.append(f"{path}.{name}")
    # What is off where it is absent, and that no plug-in's example sets.
    assert len(bare) <= 14, bare


def test_its_examples_and_defaults_validate() -> None:
    for path, item in objects(FOUND):
        for name, value in item["properties"].items():
            check = CHECK.evolve(schema={**value, "$defs": FOUND["$defs"]})
            examples = [*value.get("examples", []), *value.get("x-examples", [])]
            for shown in [*examples, *([value["default"]] if "default" in value else [])]:
                assert check.is_valid(shown), (path, name, shown)


def test_units_are_told() -> None:
    words = ("fraction", "share", "seconds", "bytes", "rows", "m, h", "time", "length", "rate", "number")
    for path, item in objects(FOUND):
        for name, value in item["properties"].items():
            if any(str(option.get("pattern")).endswith("(ms|s|m|h|d)$") for option in value.get("anyOf", [])):
                assert {"examples", "default"} & set(value), (path, name)
                assert any(word in value["description"].lower() for word in words), (path, name)


PRESET = [{"model": "mlp"}, {"training": "standard"}]


@pytest.mark.parametrize(
    "sections",
    [
        {"defaults": PRESET, "model": {"dropout": 0.3}},
        {"defaults": PRESET, "training": {"optimizer": {"lr": 0.1}, "schedule": {"warm_up": 0.1}}},
        {"defaults": [{"training": "sgd_of_ours"}], "training": {"optimizer": {"momentum": 0.5}}},
        {
            "defaults": ["ours"],
            "data": {"source": {"path": "x.csv"}, "features": {"age": {"impute": "mean"}}},
        },
        {"defaults": [{"data": "ours"}], "data": {"target": {"threshold": 0.3}}},
        {"defaults": [{"data": "ours"}], "exports": {"main": {"parity": {"rows": 10}}}},
        {"training": {"optimizer": {"lr": 0.1}}},
        {"data": {**EXAMPLE["data"], "target": {"column": "a", "kind": "binary", "positive": 1}}},
        {"data": {**EXAMPLE["data"], "target": {"column": "a", "kind": "binary", "positive": True}}},
        {"validation": {"rules": [{"kind": "one_of", "column": "a", "values": [1, True, "b"]}]}},
        {"training": {"optimizer": {"kind": "sgd", "nesterov": "yes"}}},
        {"hardware": {"precision": "${x-precision}", "accelerator": None}},
        {"name": "${data.name}"},
        {"model": "mlp"},
        {"x-note": {"any": ["thing"]}, "training": {"x-why": "slow"}},
    ],
    ids=lambda sections: " ".join(f"{key}" for key in sections),
)
def test_it_does_not_cry_wolf(sections: dict[str, Any]) -> None:
    assert faults(changed(**sections)) == []


@pytest.mark.parametrize(
    "sections",
    [
        {"defaults": PRESET, "model": {"dropuot": 0.3}},
        {"defaults": PRESET, "model": {"dropout": 3}},
        {"defaults": PRESET, "model": {"kind": "mlp", "max_depth": 3}},
        {"defaults": [{"hardware": "cpu"}], "model": {"dropout": 0.3}},
        {"defaults": [{"hardware": "cpu"}, "_self_"], "data": {"target": {"column": "a", "kind": "binary"}}},
        {"defaults": ["ours"], "evaluation": {"gates": [{"at_least": 1}]}},
        {"defaults": ["ours"], "validation": {"rules": [{"columns": ["a"]}]}},
        {"defaults": [], "model": {"dropout": 0.3}},
        {"defaults": None, "model": {"dropout": 0.3}},
        {"model": {}},
        {"training": {"optimizer": {"momentum": 0.5}}},
        {"training": {"checkpoint": {"every": "5 minutes"}}},
        {"deployments": {"online": {}}},
        {"exports": {"main": {"parity": {"row": 10}}}},
        {"hardware": {"precision": "fp99"}},
    ],
)
def test_it_still_tells(sections: dict[str, Any]) -> None:
    assert faults(changed(**sections))


def test_what_a_preset_leaves_open_mlspec_takes_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = TEXT.replace("  - hardware: cpu", "  - model: mlp\n  - training: standard")
    text = text.replace("model: {kind: mlp, hidden: [128, 128], dropout: 0.1}", "model: {dropout: 0.3}")
    text = text.replace("{kind: adamw, lr: 1e-3, weight_decay: 0.01}", "{lr: 1e-2}")
    assert faults(tree_of(text)[0]) == []
    spec = load(write_full(tmp_path, text)).spec
    assert (spec.model.kind, spec.model.dropout, spec.training.optimizer.lr) == ("mlp", 0.3, 0.01)  # type: ignore[attr-defined]
    write_full(tmp_path, text.replace("model: {dropout", "model: {dropuot"))
    with pytest.raises(SpecError):
        load(tmp_path / "spec.yaml")


def test_the_plug_ins_of_a_trusted_workspace_are_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlspec import registry

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    place = tmp_path / "plugins" / "metric"
    place.mkdir(parents=True)
    (place / "schema_probe.py").write_text(
        "from mlspec.sdk.metric import Metric\n\n\nclass SchemaProbe(Metric):\n"
        '    """A measure of ours."""\n\n    targets = ("binary",)\n    better = "higher"\n'
        '    sharpness: int = 3\n    """How sharp."""\n'
    )
    registry.attach(tmp_path)
    try:
        assert "metric_schema_probe" not in schema()["$defs"]
        monkeypatch.setenv("MLSPEC_TRUST", "1")
        registry.attach(tmp_path)
        made = schema()["$defs"]["metric_schema_probe"]
        assert made["description"] == "A measure of ours."
        assert made["properties"]["sharpness"]["default"] == 3
    finally:
        monkeypatch.delenv("MLSPEC_TRUST")
        registry.attach(ROOT / "examples" / "wine")


def test_the_top_has_every_section() -> None:
    assert set(FOUND["properties"]) == {*Spec.model_fields, "defaults"}
