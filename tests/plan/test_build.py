from __future__ import annotations

import dataclasses

import pytest
import yaml

from mlspec.errors import PlanError
from mlspec.plan.build import build_plan, pin_features
from mlspec.plan.difference import difference
from mlspec.plan.plan_file import plan_file, read_plan_file
from mlspec.plan.scalar import scalar
from mlspec.sdk.slot import Slot
from mlspec.spec.load import load_spec


def test_steps_stand_in_the_order_of_work_and_in_their_pipelines(spec):
    plan = build_plan(spec)
    assert [(step.pipeline, step.name) for step in plan.steps] == [
        ("data-adult", "ingest"),
        ("data-adult", "validate"),
        ("data-adult", "prepare"),
        ("adult", "train"),
        ("adult", "export-main"),
        ("adult", "evaluate-main"),
        ("adult", "gate"),
        ("adult", "package-online"),
    ]
    done: set[str] = set()
    for step in plan.steps:
        assert set(step.inputs) <= done
        done.add(step.name)


def test_the_same_spec_gives_the_same_plan_and_text(written, spec):
    again = build_plan(load_spec(written))
    assert again == build_plan(spec)
    assert plan_file(again, "adult") == plan_file(build_plan(spec), "adult")


def test_the_order_of_keys_in_the_spec_means_nothing(written, spec):
    text = written.read_text()
    age, job = "    age: {kind: number, clip: [0, 99]}\n", "    job: {kind: category, min_count: 2}\n"
    written.write_text(text.replace(age, "").replace(job, job + age))
    assert build_plan(load_spec(written)) == build_plan(spec)


def test_train_is_given_only_what_its_model_uses(written):
    text = written.read_text().replace("model: {kind: mlp, hidden: [8]}", "model: {kind: gradient_boosting}")
    start, end = text.index("  epochs"), text.index("  class_weights")
    text = text[:start] + text[end:]
    text = text[: text.index("sweep:")]
    written.write_text(text.replace("  checkpoint: {every: 5m}\n", ""))
    train = build_plan(load_spec(written)).step("train")
    assert train.parameters["training"] == {
        "calibration": None,
        "class_weights": "balanced",
        "loss": None,
    }


def test_paths_start_at_the_workspace(spec):
    plan = build_plan(
        spec, spec_path="specs/small/spec.yaml", files=["specs/small/spec.yaml", "conf/hardware/mine.yaml"]
    )
    assert plan.step("ingest").parameters["data"]["source"]["path"] == "specs/small/data/rows.csv"
    assert plan.step("ingest").dependencies == ("specs/small/data/rows.csv",)
    assert plan.step("validate").parameters["validation"]["contract"] == "specs/small/contracts/mine.yaml"
    assert plan.guard.dependencies == ("conf/hardware/mine.yaml", "specs/small/spec.yaml")


def test_a_sample_has_pipelines_of_its_own(spec):
    plan = build_plan(spec, sample=100)
    assert {step.pipeline for step in plan.steps} == {"data-adult-sample-100", "adult-sample-100"}
    assert plan.step("prepare").parameters["data"]["sample"] == 100
    with pytest.raises(PlanError, match="a sample of 0 rows"):
        build_plan(spec, sample=0)


def test_the_default_metrics_are_written_down(written):
    written.write_text(written.read_text().replace("  metrics: [accuracy, auroc]\n", ""))
    metrics = build_plan(load_spec(written)).step("evaluate-main").parameters["evaluation"]["metrics"]
    assert "auroc" in [metric["kind"] for metric in metrics]


def test_revisions_of_the_plug_ins_are_parameters(spec):
    revisions = build_plan(spec).step("train").parameters["revisions"]
    assert set(revisions) == {
        "metric/auroc", "model/mlp", "optimizer/adamw", "schedule/one_cycle", "step/train",
        "strategy/single",
    }  # fmt: skip


def test_automatic_features_stay_open_until_they_are_pinned(spec):
    automatic = spec.model_copy(update={"data": spec.data.model_copy(update={"features": "auto"})})
    plan = build_plan(automatic)
    assert plan.open
    features = {name: {"kind": feature.kind} for name, feature in spec.data.features.items()}
    features["age"]["clip"] = [0, 99]
    features["job"]["min_count"] = 2
    features["hired"]["parts"] = ["hour"]
    pinned = pin_features(plan, features, [*features, "constant"])
    assert not pinned.open
    assert pinned.inferred["left_out"] == ["constant"]
    assert dataclasses.replace(pinned, inferred={}) == build_plan(spec)


def test_plan_yaml_reads_back_as_the_same_values_with_either_yaml(tmp_path, spec):
    from ruamel.yaml import YAML

    plan = build_plan(spec)
    for pipeline in ("adult", "data-adult"):
        text = plan_file(plan, pipeline)
        file = tmp_path / "plan.yaml"
        file.write_text(text)
        mine = read_plan_file(file)
        assert mine == YAML(typ="safe").load(text) == yaml.safe_load(text)
        for step in plan.steps:
            if step.pipeline == pipeline:
                assert mine[step.name] == step.parameters
        keys = [
            line.partition(":")[0] for line in text.splitlines() if line and not line.startswith((" ", "#"))
        ]
        assert keys == sorted(keys)


@pytest.mark.parametrize(
    "value",
    ["no", "Yes", "null", "~", "12:30:00", "02134", "1e5", "1_000", "0x1F", "=", "<<", "", " a", "a ", "a: b",
     "a #b", "- a", "[a]", "{a}", "é", "日本", "a\nb", "tab\t", "\u2028", "\x07", "\U0001f600", "%",
     "@x", "`x", "'",
     '"', "\\", "mean radius", 1e-05, 1e300, 0.1, -0.0, float("inf"), 10**20, -1, True, False, None, 1.0],
)  # fmt: skip
def test_every_scalar_reads_back(value):
    from ruamel.yaml import YAML

    text = (
        f"{scalar(value)}: [{scalar(value)}]\na: {scalar(value)}\n"
        if isinstance(value, str)
        else f"a: {scalar(value)}\n"
    )
    for read in (yaml.safe_load(text), YAML(typ="safe").load(text)):
        assert read["a"] == value and type(read["a"]) is type(value)
        if isinstance(value, str):
            assert read[value] == [value]


def test_a_number_that_equals_nothing_is_refused():
    with pytest.raises(PlanError, match="NaN"):
        scalar(float("nan"))


def test_a_broken_plan_file_is_named(tmp_path):
    (tmp_path / "plan.yaml").write_text("a: [")
    with pytest.raises(PlanError, match="is no plan"):
        read_plan_file(tmp_path / "plan.yaml")
    assert read_plan_file(tmp_path / "none.yaml") is None


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ({"a": {"lr": 0.001}}, {"a": {"lr": 0.003}}, ("a.lr: 0.001 -> 0.003",)),
        ({"a": 1}, {"a": 1.0}, ()),
        ({"a": 1}, {"a": True}, ("a: 1 -> true",)),
        ({}, {"b": "x"}, ("b: nothing -> x",)),
        ({"b": [1, 2]}, {"b": [1]}, ("b: [1, 2] -> [1]",)),
        ({"b": None}, {}, ("b: nothing -> nothing",)),
    ],
)
def test_a_difference_names_the_leaf(old, new, lines):
    assert difference(old, new) == lines


def test_how_training_is_started_is_in_the_plan_and_no_parameter(spec):
    launcher = Slot("launcher").choose({"kind": "torchrun", "port": 29600})
    changed = spec.model_copy(update={"hardware": spec.hardware.model_copy(update={"launcher": launcher})})
    plan = build_plan(changed)
    assert plan.steps == build_plan(spec).steps
    assert "launchers:\n  train:\n    address: null\n    kind: torchrun\n    port: 29600\n" in plan_file(
        plan, plan.name
    )
    assert "launchers:" not in plan_file(build_plan(spec), plan.name)


def test_memory_is_in_the_plan_and_no_parameter(spec):
    changed = spec.model_copy(update={"data": spec.data.model_copy(update={"memory": 4_000_000_000})})
    plan = build_plan(changed)
    assert plan.steps == build_plan(spec).steps
    for pipeline in (plan.name, plan.data_name):
        assert "\nmemory: 4000000000\n" in plan_file(plan, pipeline)
        assert "memory" not in plan_file(build_plan(spec), pipeline)
