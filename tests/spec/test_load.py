from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

import mlspec
from mlspec import registry
from mlspec.compose.compose import compose
from mlspec.errors import MissingError, Place, SpecError
from mlspec.sdk.fields import parameters
from mlspec.sdk.plugin import Plugin
from mlspec.spec import later
from mlspec.spec.levels import homes, is_slot
from mlspec.spec.load import load
from mlspec.spec.needs import check_needs
from mlspec.spec.resolved import resolved
from mlspec.spec.spec import Spec
from tests.spec.full_spec import TEXT, write_full


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_full(tmp_path)
    return tmp_path


def _faults(*overrides: str, data: bool = True) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), overrides, data=data)
    return [(fault.code, str(fault.where)) for fault in caught.value.faults]


def test_a_spec_is_a_value(here: Path) -> None:
    spec = mlspec.load_spec("spec.yaml", ["training.epochs=9"])
    assert spec == load(Path("spec.yaml"), ["training.epochs=9"]).spec
    assert spec.training.epochs == 9
    assert spec != mlspec.load_spec("spec.yaml")
    with pytest.raises(ValueError, match="frozen"):
        spec.seed = 3  # type: ignore[misc]


def test_a_spec_survives_the_way_through_plain_data(here: Path) -> None:
    spec = load(Path("spec.yaml")).spec
    assert Spec.revive(resolved(spec)) == spec
    assert Spec.revive(parameters(spec)).training.optimizer == spec.training.optimizer


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ("lower(workclass) = 'x'", "lower"),
        ("age > 3 and workclass ilike 'p%'", "ilike"),
        ("round(age, 1) > 3", "round"),
        ("round(age) > 3", None),
    ],
)
def test_a_rule_that_a_server_reads_otherwise_is_a_fault(
    here: Path, condition: str, word: str | None
) -> None:
    text = TEXT.replace(
        '{kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}',
        "{kind: sql, url: 'postgresql://db/shop', table: t, compute: database}",
    )
    rule = f'{{kind: expression, expr: "{condition}"}}'
    Path("spec.yaml").write_text(text.replace("{kind: not_null, columns: [age]}", rule))
    if word is None:
        load(Path("spec.yaml"), data=False)
        return
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), data=False)
    (fault,) = caught.value.faults
    assert fault.code == "MS0381" and fault.what.startswith(f"'{word}' has not the same result")
    assert (
        isinstance(fault.where, Place)
        and fault.where.line == text[: text.index("{kind: not_null")].count("\n") + 1
    )


def test_sums_of_a_database_are_made_of_numbers_and_of_features_that_sql_has_words_for(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = TEXT.replace(
        '{kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}',
        "{kind: sql, url: 'postgresql://db/shop', table: t, compute: database}",
    ).replace("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear, solver: normal_equations}")
    start, end = text.index("training:\n"), text.index("hardware:\n")
    Path("spec.yaml").write_text(text[:start] + text[end:])
    assert _faults(data=False) == [("MS0304", "spec.yaml:37:23")]
    monkeypatch.setattr(registry.find("feature", "binary"), "as_query", False)
    assert [code for code, _ in _faults(data=False)] == ["MS0381", "MS0304"]


def test_overrides_are_faults_in_their_own_text(here: Path) -> None:
    found = _faults("training.epochz=3", "hardware.devices=none", "model.dropout=2")
    assert found == [
        ("MS0201", "training.epochz=3:1:1"),
        ("MS0204", "hardware.devices=none:1:18"),
        ("MS0204", "model.dropout=2:1:15"),
    ]


def test_a_fault_names_the_value_it_covers(here: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), ["training.epochs=none"])
    assert "(over 5 of spec.yaml:40:11)" in caught.value.what


def test_without_data_nothing_of_the_data_is_touched(here: Path) -> None:
    (here / "adult.csv").unlink()
    assert load(Path("spec.yaml"), data=False).spec.name == "adult_income"
    assert _faults() == [("MS0312", "spec.yaml:12:29")]


def test_relative_paths_start_at_the_specs_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = here / "specs"
    inner.mkdir()
    write_full(inner)
    (here / "adult.csv").unlink()
    (here / ".dvc").mkdir()
    loaded = load(Path("specs/spec.yaml"))
    assert loaded.workspace == here.resolve()


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("a,,b\n", "MS0312"),
        ("a,a\n", "MS0312"),
        ("age,Age\n", "MS0312"),
        ("mlspec_row,b\n", "MS0312"),
        ("", "MS0312"),
    ],
)
def test_headers_that_cannot_be_told_apart(here: Path, header: str, code: str) -> None:
    (here / "adult.csv").write_text(header)
    assert _faults() == [(code, "spec.yaml:12:29")]


def test_columns_named_as_answers(here: Path) -> None:
    text = TEXT.replace("    citizen: binary", "    label: binary\n    value: number")
    (here / "spec.yaml").write_text(text)
    (here / "adult.csv").write_text((here / "adult.csv").read_text().replace("citizen", "label,value"))
    assert _faults() == [("MS0311", "spec.yaml:27:5"), ("MS0311", "spec.yaml:28:5")]


def test_features_auto_takes_what_nobody_named(here: Path) -> None:
    assert load(Path("spec.yaml"), ["data.features=auto"]).spec.data.features == "auto"
    (here / "adult.csv").write_text((here / "adult.csv").read_text().replace("citizen", "label"))
    assert _faults("data.features=auto") == [("MS0311", "data.features=auto:1:1")]


@pytest.mark.parametrize(
    ("overrides", "code", "where"),
    [
        (
            ("data.split={kind: time, train: 0.7, val: 0.1, test: 0.2}", "~data.event_time"),
            "MS0304",
            "data.split=",
        ),
        (("data.split={kind: column, column: age}",), "MS0303", "data.split="),
        (("data.split={kind: hash, columns: [nobody]}",), "MS0301", "data.split="),
        (
            (
                "data.target.threshold=max_f1",
                "data.split={kind: random, train: 0.8, val: 0, test: 0.2}",
                "~training.early_stopping",
            ),
            "MS0307",
            "data.target",
        ),
        (("data.event_time.column=income",), "MS0303", "data.event_time"),
        (("~exports.main",), "MS0309", "spec.yaml:60:1"),
        (("training.class_weights={a: 1, b: 2, c: 3}",), "MS0304", "training.class"),
        (("hardware.nodes=2",), "MS0310", "hardware.nodes"),
        (("hardware.nodes=2", "hardware.strategy=ddp"), "MS0310", "hardware.nodes"),
        (("hardware.devices=2",), "MS0310", "hardware.devices"),
        (("hardware.devices=2", "hardware.strategy=ddp", "model=tree"), "MS0310", "hardware.devices"),
        (
            ("hardware.devices=9", "hardware.strategy=ddp", "training.batch_size=8"),
            "MS0310",
            "hardware.devices",
        ),
    ],
)
def test_choices_that_contradict_each_other(
    here: Path, overrides: tuple[str, ...], code: str, where: str
) -> None:
    found = _faults(*overrides)
    assert (code, True) in [(told, place.startswith(where)) for told, place in found], found


@pytest.mark.parametrize(
    ("strategy", "devices", "told"),
    [
        ("ddp", 2, "2 devices have a part each"),
        ("{kind: tensor_parallel, tensor: 2}", 4, "2 sets of devices have a part each"),
    ],
)
def test_a_model_that_looks_at_whole_batches_is_not_shared_out(
    strategy: str, devices: int, told: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.find("model", "mlp"), "whole_batch", True)
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), [f"hardware.strategy={strategy}", f"hardware.devices={devices}"])
    (fault,) = caught.value.faults
    assert fault.code == "MS0310" and fault.what == f"the model 'mlp' looks at whole batches, and {told}"


def test_a_number_target_takes_no_classes(here: Path) -> None:
    found = _faults("data.target={column: income, kind: number}")
    codes = {code for code, _ in found}
    assert codes == {"MS0304", "MS0305"}  # stratify, class_weights; accuracy, auroc, log_loss, early stopping


def test_keys_that_a_preset_sets_need_not_be_used(here: Path) -> None:
    text = TEXT[: TEXT.index("training:\n")] + TEXT[TEXT.index("hardware:\n  acc") :]
    (here / "spec.yaml").write_text(
        text.replace("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "gradient_boosting")
    )
    assert load(Path("spec.yaml"), ["training=standard"]).spec.training.epochs == 30
    assert _faults("training=standard", "training.epochs=3") == [("MS0308", "training.epochs=3:1:1")]


def test_keys_that_a_model_does_not_use_are_one_fault_at_the_first_with_the_places_of_the_others(
    here: Path,
) -> None:
    text = TEXT[: TEXT.index("training:\n")] + TEXT[TEXT.index("evaluation:\n") :]
    mlp, lbfgs = "{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear, solver: lbfgs, ridge: 1}"
    text = text.replace(mlp, lbfgs)
    (here / "spec.yaml").write_text(text + "training: {optimizer: adamw, class_weights: balanced}\n")
    line = text.count("\n") + 1
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), ["training.epochs=3"])
    (fault,) = caught.value.faults
    assert fault.what == "the model 'linear' does not use 'training.optimizer' and 'training.epochs'"
    assert fault.fix == "remove them; 'linear' uses calibration, class_weights of training"
    assert str(fault.where) == f"spec.yaml:{line}:12"
    assert [str(place) for place in fault.others] == ["training.epochs=3:1:1"]


def test_a_model_that_is_fitted_is_told_all_that_a_preset_for_machines_must_leave_out(here: Path) -> None:
    text = TEXT[: TEXT.index("training:\n")] + TEXT[TEXT.index("evaluation:\n") :]
    (here / "spec.yaml").write_text(
        text.replace("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "gradient_boosting")
    )
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), ["hardware=nodes_2"])
    (fault,) = caught.value.faults
    told = "set hardware.devices: 1 and hardware.nodes: 1, and hardware.launcher: local"
    assert fault.code == "MS0310" and fault.fix == told
    mended = ["hardware=nodes_2", "hardware.devices=1", "hardware.nodes=1", "hardware.launcher=local"]
    assert load(Path("spec.yaml"), mended).spec.hardware.devices == 1


@pytest.mark.parametrize("model", ["forest", "gradient_boosting"])
def test_a_preset_for_other_devices_may_stand_beside_a_model_that_is_fitted(model: str, here: Path) -> None:
    text = TEXT[: TEXT.index("training:\n")] + TEXT[TEXT.index("evaluation:\n") :]
    (here / "spec.yaml").write_text(text.replace("{kind: mlp, hidden: [128, 128], dropout: 0.1}", model))
    assert load(Path("spec.yaml"), ["hardware=gpu"]).spec.hardware.accelerator == "cuda"
    load(Path("spec.yaml"), ["hardware.accelerator=cpu", "hardware.precision=fp32"])
    for word in ("accelerator=cuda", "precision=fp16", "strategy=ddp"):
        key = f"hardware.{word}"
        assert _faults("hardware=gpu", key) == [("MS0308", f"{key}:1:1")]


def test_empty_sections_say_nothing(here: Path) -> None:
    (here / "spec.yaml").write_text(
        TEXT.replace("deployments:\n", "x-a:\n").replace("monitoring:\n", "x-b:\n")
        + "deployments:\nmonitoring:\n"
    )
    spec = load(Path("spec.yaml")).spec
    assert spec.deployments == {}


def test_switches_take_yes_and_no(here: Path) -> None:
    class Switch(Plugin):
        on: bool = True
        word: str = ""

    assert Switch.revive({"on": "no", "word": "no"}) == Switch.revive({"on": False, "word": "no"})
    with pytest.raises(ValueError, match="on"):
        Switch.revive({"on": "perhaps"})


def test_bare_kinds_merge_with_options(here: Path) -> None:
    spec = load(Path("spec.yaml"), ["data.features.age.impute=median"]).spec
    assert parameters(spec.data.features)["age"]["impute"] == "median"  # type: ignore[index]
    assert is_slot(("data", "features", "age")) and not is_slot(("data", "features"))


def test_later_words_are_really_missing() -> None:
    for slot, kinds in later.KINDS.items():
        assert slot in registry.SLOTS
        assert not set(kinds) & set(registry.kinds(slot)), f"{slot}: take what is built out of spec/later.py"
    known = {home.path.replace("[]", ".*") for home in homes()}
    assert not known & set(later.KEYS)


def test_what_is_not_installed_is_told_with_the_command() -> None:
    class Far(Plugin):
        slot = "model"
        requires = {"no_such_package_here": "train", "json": "serve", "nor_this": "serve"}  # noqa: RUF012

    check_needs([])
    with pytest.raises(MissingError) as caught:
        check_needs([Far(kind="far")])
    assert "no_such_package_here" in caught.value.what and "nor_this" in caught.value.what
    assert caught.value.fix == "pip install 'mlspec[train,serve]'"
    assert caught.value.exit_code == 3


def test_faults_stand_in_the_order_of_the_text(here: Path) -> None:
    (here / "top.yaml").write_text("trainin: {}\nmodel: {kind: mlp, drop: 1}\n")
    with pytest.raises(SpecError) as caught:
        load(Path("spec.yaml"), ["zzz=1", "seed=x"], [Path("top.yaml")])
    places = [fault.where for fault in caught.value.faults]
    assert [str(place) for place in places] == ["top.yaml:1:1", "top.yaml:2:20", "zzz=1:1:1", "seed=x:1:6"]
    assert isinstance(places[0], Place)


def test_shipped_presets_are_valid_and_have_a_revision(here: Path, root: Path) -> None:
    text = TEXT[: TEXT.index("training:\n")] + TEXT[TEXT.index("hardware:\n  acc") :]
    (here / "spec.yaml").write_text(
        text.replace("model: {kind: mlp, hidden: [128, 128], dropout: 0.1}\n", "")
    )
    names = sorted(
        file.relative_to(root / "conf").with_suffix("").as_posix() for file in (root / "conf").rglob("*.yaml")
    )
    assert len(names) >= 8
    for name in names:
        group, _, preset = name.partition("/")
        overrides = [f"{group}={preset}"] if group == "model" else [f"{group}={preset}", "model=mlp"]
        composed = compose(Path("spec.yaml"), overrides)
        assert isinstance(composed.presets[name], int), name
        assert load(Path("spec.yaml"), overrides).spec.name == "adult_income"


def test_origins_of_every_leaf_cost_little(here: Path) -> None:
    composed = compose(Path("spec.yaml"))
    leaves = list(composed.spec.marks)[1:]
    start = time.process_time()
    found = [composed.origins(path) for path in leaves if path[0] != "defaults"]
    assert all(found)
    assert time.process_time() - start < 20  # a runaway, not a timing


def test_nothing_heavy_is_imported_for_a_check_without_data(here: Path) -> None:
    import subprocess

    code = (
        "import sys; from mlspec.cli.main import main; code = main(['validate', 'spec.yaml', '--no-data']);"
        "print(code, sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told, modules = done.stdout.strip().splitlines()
    assert told.startswith("spec.yaml is valid: 'adult_income'")
    assert modules.startswith("0 ")
    heavy = {
        "torch",
        "pytorch_lightning",
        "onnx",
        "onnxruntime",
        "bentoml",
        "whylogs",
        "dvc",
        "ray",
        "numpy",
        "pandas",
        "pyarrow",
        "duckdb",
        "ibis",
        "sklearn",
        "starlette",
        "scipy",
        "rich",
        "sqlglot",
        "ruamel",
    }
    assert not heavy & set(modules.removeprefix("0 ").strip("[]").replace("'", "").split(", "))
