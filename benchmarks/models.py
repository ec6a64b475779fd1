"""How good each model is on real tables, beside scikit-learn's of the same family on the same rows.

    python benchmarks/models.py [--data FOLDER] [--sets wine ...] [--models tree ...] [--seeds 5]
                                [--keep FILE] [--write docs/models.md]

A seed cuts a table (70 % train, 10 % val, 20 % test) into a column that both sides obey, and starts both.
Ours is a whole `mlspec` run; what is told is the measure of the exported file on the test split. Nothing is
chosen by it: networks learn as `mlspec init` proposes for so many rows, and stop by the val split;
`linear` takes scikit-learn's own penalty; trees are the presets of that name. The reference is scikit-learn
with its defaults behind the usual preprocessing. The mean and the standard deviation over the cuts are told.

`adult` and `taxi` are read from `--data` and left out where they are not there. `--keep` is a file of one
line a result: what it holds is not run again, so that a long run can be stopped and gone on with. `--write`
puts the table between the two marks of a page.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("linear", "tree", "forest", "gradient_boosting", "mlp", "resnet", "ft_transformer_small")
BUNDLED = {
    "breast_cancer": "binary",
    "wine": "category",
    "iris": "category",
    "digits": "category",
    "diabetes": "number",
}
MEASURES = {"binary": ("auroc", "accuracy"), "category": ("accuracy",), "number": ("r2",)}
SMALL = 5_000
"""Rows below which `mlspec init` proposes small batches and many epochs."""
MARKS = ("<!-- table: benchmarks/models.py -->", "<!-- end of table -->")


@dataclass(frozen=True)
class Table:
    """One data set."""

    name: str
    kind: str
    rows: pd.DataFrame
    target: str
    positive: str | None = None

    @property
    def features(self) -> dict[str, str]:
        """Return the kind of each feature."""
        names = [name for name in self.rows.columns if name not in (self.target, "part")]
        return {
            name: "number" if pd.api.types.is_numeric_dtype(self.rows[name]) else "category" for name in names
        }


def bundled(name: str) -> Table:
    """Return one of scikit-learn's own tables."""
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")(as_frame=True)
    rows = found.frame.rename(columns=lambda column: str(column).replace(" ", "_").replace("/", "_"))
    if BUNDLED[name] != "number":
        rows["target"] = [f"c{int(value)}" for value in rows["target"]]
    return Table(name, BUNDLED[name], rows, "target", "c1" if BUNDLED[name] == "binary" else None)


def shared(name: str, folder: Path) -> Table | None:
    """Return a table that lies in a folder; None where it does not."""
    file = folder / f"{name}.csv"
    if not file.is_file():
        return None
    rows = pd.read_csv(file)
    if name == "adult":
        return Table(name, "binary", rows.drop(columns="fnlwgt"), "income", ">50K")
    codes = [column for column in rows.columns if "tract" in column]
    areas = [column for column in rows.columns if "area" in column]
    rows = rows.drop(columns=[*codes, "trip_start_timestamp"])
    rows[areas] = rows[areas].map(lambda value: None if pd.isna(value) else f"a{int(value)}")
    return Table(name, "number", rows, "tips")


def spec(table: Table, model: str, seed: int) -> str:
    """Return the spec of one model on one table."""
    lines = "\n".join(f"    {json.dumps(name)}: {kind}" for name, kind in table.features.items())
    target: dict[str, Any] = {"column": table.target, "kind": table.kind}
    if table.positive:
        target["positive"] = table.positive
    return f"""apiVersion: mlspec/v1
name: {table.name}_{model}
seed: {seed}
defaults: [{{model: {model}}}, _self_]
data:
  name: {table.name}
  source: {{kind: csv, path: rows.csv}}
  target: {json.dumps(target)}
  features:
{lines}
  split: {{kind: column, column: part}}
{settings(table, model)}evaluation: {{metrics: [{", ".join(MEASURES[table.kind])}]}}
"""


def settings(table: Table, model: str) -> str:
    """Return how a model learns, in YAML: by the rows' number and the target's kind alone."""
    number, small = table.kind == "number", len(table.rows) < SMALL
    if model == "linear":
        return f"model: {{solver: {'normal_equations' if number else 'lbfgs'}, ridge: 1.0}}\n"
    if model in ("tree", "forest", "gradient_boosting"):
        return ""
    return f"""training:
  epochs: {200 if small else 20}
  batch_size: {32 if small else 256}
  optimizer: {{kind: adamw, lr: 0.001}}
  early_stopping: {{metric: {"rmse" if number else "log_loss"}, patience: {20 if small else 5}}}
"""


def ours(table: Table, model: str, seed: int, folder: Path) -> tuple[dict[str, float], float]:
    """Return the measures of an exported model on the test split, and the seconds of its training."""
    from mlspec import build_plan, load_spec, run_plan

    file = folder / f"{model}.yaml"
    file.write_text(spec(table, model, seed))
    plan = build_plan(load_spec(file), spec_path=file.name)
    report = run_plan(plan, folder)
    seconds = next(outcome.seconds for outcome in report.outcomes if outcome.step == "train")
    metrics = folder / "artifacts" / f"{table.name}_{model}" / "evaluate-main" / "metrics.json"
    found = json.loads(metrics.read_text())
    return {measure: found[measure] for measure in MEASURES[table.kind]}, seconds


def reference(table: Table, model: str, seed: int) -> dict[str, float] | None:
    """Return scikit-learn's measures; None where it has no such model."""
    from sklearn import ensemble, linear_model, metrics, neural_network, tree
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    number = table.kind == "number"
    made: Any = {
        "linear": linear_model.Ridge() if number else linear_model.LogisticRegression(max_iter=2000),
        "tree": (tree.DecisionTreeRegressor if number else tree.DecisionTreeClassifier)(random_state=seed),
        "forest": (ensemble.RandomForestRegressor if number else ensemble.RandomForestClassifier)(
            random_state=seed
        ),
        "gradient_boosting": (
            ensemble.HistGradientBoostingRegressor if number else ensemble.HistGradientBoostingClassifier
        )(random_state=seed),
        "mlp": (neural_network.MLPRegressor if number else neural_network.MLPClassifier)(
            hidden_layer_sizes=(128, 128), early_stopping=len(table.rows) > SMALL, random_state=seed
        ),
    }.get(model)
    if made is None:
        return None
    kinds = table.features
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    texts = [name for name, kind in kinds.items() if kind == "category"]
    if model in ("linear", "mlp"):
        before = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore", min_frequency=5), texts),
        )
    else:
        before = make_column_transformer(
            ("passthrough", numbers),
            (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), texts),
        )
    train, test = table.rows[table.rows.part == "train"], table.rows[table.rows.part == "test"]
    learner = make_pipeline(before, made).fit(train[[*kinds]], train[table.target])
    answers = learner.predict(test[[*kinds]])
    if number:
        return {"r2": float(metrics.r2_score(test[table.target], answers))}
    found = {"accuracy": float(metrics.accuracy_score(test[table.target], answers))}
    if table.kind == "binary":
        place = list(learner.classes_).index(table.positive)
        shares = learner.predict_proba(test[[*kinds]])[:, place]
        found["auroc"] = float(metrics.roc_auc_score(test[table.target] == table.positive, shares))
    return found


def told(values: list[float]) -> str:
    """Return a mean, with the standard deviation where there are several values."""
    spread = f" \u00b1 {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


Key = tuple[str, str, int]
"""A table, a model and a seed."""


def kept(file: Path | None) -> dict[Key, dict[str, Any]]:
    """Return what a file of results holds."""
    if file is None or not file.is_file():
        return {}
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return {(line["table"], line["model"], line["seed"]): line for line in lines}


def run(
    table: Table, models: list[str], seeds: int, found: dict[Key, dict[str, Any]], file: Path | None
) -> None:
    """Put each result that is not there into `found`, and behind a file's other lines."""
    for seed in range(1, seeds + 1):
        missing = [model for model in models if (table.name, model, seed) not in found]
        table.rows["part"] = np.random.default_rng(seed).choice(
            ["train", "val", "test"], len(table.rows), p=[0.7, 0.1, 0.2]
        )
        with tempfile.TemporaryDirectory() as scratch:
            if missing:
                table.rows.to_csv(Path(scratch) / "rows.csv", index=False)
            for model in missing:
                begun = time.perf_counter()
                mine, seconds = ours(table, model, seed, Path(scratch))
                line = {"table": table.name, "model": model, "seed": seed, "ours": mine}
                line["reference"] = reference(table, model, seed)
                found[table.name, model, seed] = line
                if file is not None:
                    with file.open("a") as lines:
                        lines.write(json.dumps(line) + "\n")
                whole = time.perf_counter() - begun
                print(f"{json.dumps(line)}  train {seconds:.1f} s, all {whole:.1f} s", flush=True)


def row(table: Table, measure: str, models: list[str], found: dict[Key, dict[str, Any]]) -> str:
    """Return a line of the page: of each model the measure, and in brackets the reference's."""
    cells = []
    for model in models:
        lines = [line for (name, other, _), line in found.items() if (name, other) == (table.name, model)]
        theirs = [line["reference"][measure] for line in lines if line["reference"]]
        beside = f" ({told(theirs)})" if theirs else ""
        cells.append(told([line["ours"][measure] for line in lines]) + beside if lines else "not run")
    return f"| {table.name}, {len(table.rows):,} rows, {measure} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--sets", nargs="+", default=[*BUNDLED, "adult", "taxi"])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    models, found, lines = list(arguments.models), kept(arguments.keep), list[str]()
    for name in arguments.sets:
        table = bundled(name) if name in BUNDLED else shared(name, arguments.data)
        if table is None:
            print(f"{name}: not there", file=sys.stderr)
            continue
        run(table, models, arguments.seeds, found, arguments.keep)
        lines += [row(table, measure, models, found) for measure in MEASURES[table.kind]]
    head = "| table, measure | " + " | ".join(f"`{model}`" for model in models) + " |"
    made = "\n".join([head, "|" + "---|" * (len(models) + 1), *lines])
    print(made)
    if arguments.write:
        text = arguments.write.read_text()
        before, after = text.index(MARKS[0]) + len(MARKS[0]), text.index(MARKS[1])
        arguments.write.write_text(f"{text[:before]}\n\n{made}\n\n{text[after:]}")


if __name__ == "__main__":
    main()
