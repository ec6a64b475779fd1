"""How good each model is on real tables, beside scikit-learn's of the same family on the same rows.

    python benchmarks/models.py [--data FOLDER] [--sets wine ...] [--models tree ...] [--write docs/models.md]

Each table is cut once by a seed (70 % train, 10 % val, 20 % test) into a column that both sides obey. Ours is
a whole `mlspec` run; what is told is the measure of the exported file on the test split: AUROC for two
classes, accuracy for more, r2 for numbers. The reference is scikit-learn with its own defaults behind the
usual preprocessing. `adult` and `taxi` are read from `--data` and left out where they are not there.
`--write` puts the table between the two marks of a page.
"""

from __future__ import annotations

import argparse
import json
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
MEASURES = {"binary": "auroc", "category": "accuracy", "number": "r2"}
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


def spec(table: Table, model: str) -> str:
    """Return the spec of one model on one table."""
    small = len(table.rows) < 5_000
    lines = "\n".join(f"    {json.dumps(name)}: {kind}" for name, kind in table.features.items())
    target: dict[str, Any] = {"column": table.target, "kind": table.kind}
    if table.positive:
        target["positive"] = table.positive
    trains = model not in ("tree", "forest", "gradient_boosting")
    training = f"""training:
  epochs: {60 if small else 15}
  batch_size: {32 if small else 256}
  optimizer: {{kind: adamw, lr: {0.02 if model == "linear" else 0.001}}}
  schedule: one_cycle
"""
    return f"""apiVersion: mlspec/v1
name: {table.name}_{model}
seed: 1
defaults: [{{model: {model}}}, _self_]
data:
  name: {table.name}
  source: {{kind: csv, path: rows.csv}}
  target: {json.dumps(target)}
  features:
{lines}
  split: {{kind: column, column: part}}
{training if trains else ""}evaluation: {{metrics: [{MEASURES[table.kind]}]}}
"""


def ours(table: Table, model: str, folder: Path) -> tuple[float, float]:
    """Return the measure of an exported model on the test split, and the seconds of its training."""
    from mlspec import build_plan, load_spec, run_plan

    file = folder / f"{model}.yaml"
    file.write_text(spec(table, model))
    plan = build_plan(load_spec(file), spec_path=file.name)
    report = run_plan(plan, folder)
    seconds = next(outcome.seconds for outcome in report.outcomes if outcome.step == "train")
    metrics = folder / "artifacts" / f"{table.name}_{model}" / "evaluate-main" / "metrics.json"
    return json.loads(metrics.read_text())[MEASURES[table.kind]], seconds


def reference(table: Table, model: str) -> float | None:
    """Return scikit-learn's measure; None where it has no such model."""
    from sklearn import ensemble, linear_model, metrics, neural_network, tree
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    number = table.kind == "number"
    made: Any = {
        "linear": linear_model.Ridge() if number else linear_model.LogisticRegression(max_iter=2000),
        "tree": (tree.DecisionTreeRegressor if number else tree.DecisionTreeClassifier)(random_state=1),
        "forest": (ensemble.RandomForestRegressor if number else ensemble.RandomForestClassifier)(
            random_state=1
        ),
        "gradient_boosting": (
            ensemble.HistGradientBoostingRegressor if number else ensemble.HistGradientBoostingClassifier
        )(random_state=1),
        "mlp": (neural_network.MLPRegressor if number else neural_network.MLPClassifier)(
            hidden_layer_sizes=(128, 128), early_stopping=len(table.rows) > 5_000, random_state=1
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
    if table.kind == "binary":
        place = list(learner.classes_).index(table.positive)
        shares = learner.predict_proba(test[[*kinds]])[:, place]
        return float(metrics.roc_auc_score(test[table.target] == table.positive, shares))
    judge = metrics.r2_score if number else metrics.accuracy_score
    return float(judge(test[table.target], learner.predict(test[[*kinds]])))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--sets", nargs="+", default=[*BUNDLED, "adult", "taxi"])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    found: dict[str, dict[str, str]] = {}
    for name in arguments.sets:
        table = bundled(name) if name in BUNDLED else shared(name, arguments.data)
        if table is None:
            print(f"{name}: not there", file=sys.stderr)
            continue
        parts = np.random.default_rng(1).choice(["train", "val", "test"], len(table.rows), p=[0.7, 0.1, 0.2])
        table.rows["part"] = parts
        title = f"{name}, {len(table.rows):,} rows, {MEASURES[table.kind]}"
        with tempfile.TemporaryDirectory() as scratch:
            table.rows.to_csv(Path(scratch) / "rows.csv", index=False)
            for model in arguments.models:
                begun = time.perf_counter()
                value, seconds = ours(table, model, Path(scratch))
                other = reference(table, model)
                told = f"{value:.3f}" + (f" ({other:.3f})" if other is not None else "")
                found.setdefault(title, {})[model] = told
                whole = time.perf_counter() - begun
                print(f"{title:45} {model:22} {told:16} train {seconds:6.1f} s, all {whole:6.1f} s")
    lines = ["| table, measure | " + " | ".join(f"`{model}`" for model in arguments.models) + " |"]
    lines.append("|" + "---|" * (len(arguments.models) + 1))
    lines += [
        f"| {title} | " + " | ".join(row[model] for model in arguments.models) + " |"
        for title, row in found.items()
    ]
    page = "\n".join(lines)
    if arguments.write:
        text = arguments.write.read_text()
        before, after = text.index(MARKS[0]) + len(MARKS[0]), text.index(MARKS[1])
        arguments.write.write_text(f"{text[:before]}\n\n{page}\n\n{text[after:]}")
    else:
        print(page)


if __name__ == "__main__":
    main()
