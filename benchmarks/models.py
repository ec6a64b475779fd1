"""How good each model is on real tables, beside scikit-learn's of the same family on the same rows.

    python benchmarks/models.py [--data FOLDER] [--sets wine ...] [--models tree ...] [--seeds 5]
                                [--write docs/models.md]

A seed cuts a table (70 % train, 10 % val, 20 % test) into a column that both sides obey, and starts both.
Ours is a whole `mlspec` run; what is told is the measure of the exported file on the test split: AUROC for
two classes, accuracy for more, r2 for numbers. The reference is scikit-learn with its own defaults behind the
usual preprocessing. Of several seeds the mean and the standard deviation are told; tables of 5,000 rows and
more are cut by the first one alone. `adult` and `taxi` are read from `--data` and left out where they are not
there. `--write` puts the rows of these tables between the two marks of a page; rows of others stay.
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
MEASURES = {"binary": "auroc", "category": "accuracy", "number": "r2"}
SMALL = 5_000
"""Rows below which a table is cut by several seeds."""
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
    small = len(table.rows) < SMALL
    # Few rows make few steps an epoch: 105 rows of iris in batches of 32 make four.
    epochs = min(300, max(60, 40_000 // len(table.rows))) if small else 15
    lines = "\n".join(f"    {json.dumps(name)}: {kind}" for name, kind in table.features.items())
    target: dict[str, Any] = {"column": table.target, "kind": table.kind}
    if table.positive:
        target["positive"] = table.positive
    trains = model not in ("tree", "forest", "gradient_boosting")
    training = f"""training:
  epochs: {epochs}
  batch_size: {32 if small else 256}
  optimizer: {{kind: adamw, lr: {(0.05 if small else 0.02) if model == "linear" else 0.001}}}
  schedule: one_cycle
"""
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
{training if trains else ""}evaluation: {{metrics: [{MEASURES[table.kind]}]}}
"""


def ours(table: Table, model: str, seed: int, folder: Path) -> tuple[float, float]:
    """Return the measure of an exported model on the test split, and the seconds of its training."""
    from mlspec import build_plan, load_spec, run_plan

    file = folder / f"{model}.yaml"
    file.write_text(spec(table, model, seed))
    plan = build_plan(load_spec(file), spec_path=file.name)
    report = run_plan(plan, folder)
    seconds = next(outcome.seconds for outcome in report.outcomes if outcome.step == "train")
    metrics = folder / "artifacts" / f"{table.name}_{model}" / "evaluate-main" / "metrics.json"
    return json.loads(metrics.read_text())[MEASURES[table.kind]], seconds


def reference(table: Table, model: str, seed: int) -> float | None:
    """Return scikit-learn's measure; None where it has no such model."""
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
    if table.kind == "binary":
        place = list(learner.classes_).index(table.positive)
        shares = learner.predict_proba(test[[*kinds]])[:, place]
        return float(metrics.roc_auc_score(test[table.target] == table.positive, shares))
    judge = metrics.r2_score if number else metrics.accuracy_score
    return float(judge(test[table.target], learner.predict(test[[*kinds]])))


def told(values: list[float]) -> str:
    """Return a mean, with the standard deviation where there are several values."""
    spread = f" \u00b1 {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def row(table: Table, models: list[str], seeds: int) -> str:
    """Return a table's line of the page: each model's measure, and in brackets the reference's."""
    title = f"{table.name}, {len(table.rows):,} rows, {MEASURES[table.kind]}"
    found: dict[str, tuple[list[float], list[float]]] = {model: ([], []) for model in models}
    for seed in range(1, (seeds if len(table.rows) < SMALL else 1) + 1):
        parts = np.random.default_rng(seed).choice(
            ["train", "val", "test"], len(table.rows), p=[0.7, 0.1, 0.2]
        )
        table.rows["part"] = parts
        with tempfile.TemporaryDirectory() as scratch:
            table.rows.to_csv(Path(scratch) / "rows.csv", index=False)
            for model in models:
                begun = time.perf_counter()
                value, seconds = ours(table, model, seed, Path(scratch))
                found[model][0].append(value)
                other = reference(table, model, seed)
                if other is not None:
                    found[model][1].append(other)
                whole = time.perf_counter() - begun
                beside = "" if other is None else f" ({other:.3f})"
                print(
                    f"{title:38} seed {seed} {model:22} {value:.3f}{beside:8} train {seconds:6.1f} s, "
                    f"all {whole:6.1f} s",
                    flush=True,
                )
    cells = [told(mine) + (f" ({told(theirs)})" if theirs else "") for mine, theirs in found.values()]
    return f"| {title} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--sets", nargs="+", default=[*BUNDLED, "adult", "taxi"])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    lines: dict[str, str] = {}
    for name in arguments.sets:
        table = bundled(name) if name in BUNDLED else shared(name, arguments.data)
        if table is None:
            print(f"{name}: not there", file=sys.stderr)
            continue
        lines[name] = row(table, list(arguments.models), arguments.seeds)
        print(lines[name], flush=True)
    if arguments.write:
        write(arguments.write, list(arguments.models), lines)


def write(page: Path, models: list[str], lines: dict[str, str]) -> None:
    """Put lines between a page's marks, in the place of those of the same tables."""
    text = page.read_text()
    before, after = text.index(MARKS[0]) + len(MARKS[0]), text.index(MARKS[1])
    kept = {line[2:].partition(",")[0]: line for line in text[before:after].splitlines() if ", " in line}
    head = "| table, measure | " + " | ".join(f"`{model}`" for model in models) + " |"
    kept.pop("table", None)
    rows = [line for name in (*BUNDLED, "adult", "taxi") if (line := (kept | lines).get(name))]
    table = "\n".join([head, "|" + "---|" * (len(models) + 1), *rows])
    page.write_text(f"{text[:before]}\n\n{table}\n\n{text[after:]}")


if __name__ == "__main__":
    main()
