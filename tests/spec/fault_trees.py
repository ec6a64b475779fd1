"""Good specs as plain data: the full one, the examples, and one for each kind with all its options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlspec import registry
from mlspec.compose.reader import read
from mlspec.sdk.frozen import freeze
from mlspec.spec.resolved import resolved
from tests.spec.full_spec import TEXT

Tree = dict[str, Any]
At = tuple[str | int, ...]

ROOT = Path(__file__).resolve().parents[2]
SPOTS: dict[str, At] = {
    "source": ("data", "source"),
    "feature": ("data", "features", "age"),
    "split": ("data", "split"),
    "rule": ("validation", "rules", 0),
    "model": ("model",),
    "optimizer": ("training", "optimizer"),
    "schedule": ("training", "schedule"),
    "strategy": ("hardware", "strategy"),
    "launcher": ("hardware", "launcher"),
    "metric": ("evaluation", "metrics", 0),
    "gate": ("evaluation", "gates", 0),
    "export": ("exports", "main"),
    "deployment": ("deployments", "online"),
    "monitor": ("monitoring", "monitors", "live"),
}
"""Where a plug-in of each slot stands in the full spec."""
NEEDED: Tree = {
    "path": "adult.csv",
    "name": "wine",
    "metric": "auroc",
    "of": "online",
    "column": "age",
    "columns": ["age"],
    "values": ["a", "b"],
    "expr": "age > 0",
    "low": 0,
    "high": 90,
    "at_least": 0.9,
    "url": "postgresql://reader@db/shop",
    "query": "select 1",
    "files": {"t": "adult.csv"},
    "sql": "select * from t",
}
"""Values for options that have no default, or none that says enough."""


def full() -> Tree:
    """Return the full spec."""
    return _read(TEXT)


def _read(text: str) -> Tree:
    """Return a text as data; PyYAML reads YAML 1.1, where `1e-3` is text."""
    found: Tree = read("spec.yaml", text)[0].tree
    return found


def trees() -> Iterator[tuple[str, Tree, At]]:
    """Give each good spec with its name and the part that is to be spoilt."""
    yield "full", full(), ()
    for file in sorted((ROOT / "examples").glob("*/spec.yaml")):
        yield f"example {file.parent.name}", _read(file.read_text("utf-8")), ()
    for slot, spot in SPOTS.items():
        for kind in registry.kinds(slot):
            yield f"{slot} {kind}", _with_kind(slot, kind, spot), spot


def put(tree: Any, path: At, value: Any) -> None:
    """Set what stands at a path."""
    for step in path[:-1]:
        tree = tree[step]
    tree[path[-1]] = value


def _with_kind(slot: str, kind: str, spot: At) -> Tree:
    found = registry.find(slot, kind)
    needed = {name: NEEDED[name] for name in found.model_fields if name in NEEDED and name != "name"}
    if found.model_fields.get("name") is not None and found.model_fields["name"].is_required():
        needed["name"] = NEEDED["name"]
    if "url" in needed:  # a server in the place of a file
        needed.pop("path", None)
    if slot == "export" and "table" in found.model_fields:
        needed["table"] = "people"
    if kind == "column":  # the column that says each row's split is no feature
        needed["column"] = "part"
    value = resolved(found.model_validate(freeze({"kind": kind, **needed})))
    tree = full()
    if slot == "model":  # each model obeys other keys of training
        del tree["training"]
    if slot == "metric":
        target = found.targets[0]
        tree["data"]["target"] = {"column": "income", "kind": target}
        tree["data"]["split"] = {"kind": "random"}
        tree["evaluation"] = {"metrics": [0], "slices": ["sex"]}
        del tree["exports"]["main"]["gates"]
        del tree["training"]
    if slot == "export" and found.form == "query":  # of some models, and not to be deployed
        tree["model"] = {"kind": "linear"}
        del tree["deployments"], tree["monitoring"]
    if slot == "strategy" and "cpu" not in found.accelerators:
        tree["hardware"]["accelerator"] = found.accelerators[0]
    if slot == "launcher":  # one that starts something needs something to start
        tree["hardware"] = {"accelerator": "cpu", "devices": 2, "strategy": {"kind": "ddp"}}
    put(tree, spot, {"kind": kind, **{name: item for name, item in value.items() if name != "kind"}})
    return tree
