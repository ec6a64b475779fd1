"""The text of a first spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlspec.plan.scalar import scalar

if TYPE_CHECKING:
    from mlspec.engine.checking.proposal import Proposal

EDITOR = "# yaml-language-server: $schema=.mlspec/spec.schema.json"
"""The line by which editors find the language."""
FEW = 5_000
"""Rows below which batches are small and epochs many."""


def proposed_text(
    name: str,
    source: Mapping[str, Any],
    found: Proposal,
    target: tuple[str, str, str | None],
    doubts: Sequence[str],
    rows: int,
) -> str:
    """Return a spec of what was found in data.

    Args:
        name: The model's.
        source: The source's options.
        found: What the columns may be.
        target: Its column, its kind, and the positive value where one must be said.
        doubts: Lines about the target.
        rows: How many were looked at.
    """
    few = rows < FEW
    read = ", ".join(f"{key}: {_value(value)}" for key, value in _ordered(source, found).items())
    column, kind, positive = target
    told = f", positive: {scalar(positive)}" if positive is not None else ""
    used = [guess for guess in found.guesses if guess.kind is not None]
    left_out = [(scalar(guess.column), guess.reason) for guess in found.guesses if guess.kind is None]
    width = max((len(scalar(guess.column)) for guess in used), default=0)
    features = []
    for guess in used:
        options = "".join(f", {key}: {scalar(value)}" for key, value in guess.options)
        value = f"{{kind: {guess.kind}{options}}}" if options else str(guess.kind)
        features.append(f"    {scalar(guess.column) + ':':<{width + 1}} {value:<10}  # {guess.reason}")
    longest = max((len(name) for name, _ in left_out), default=0)
    ignored = "".join(f"    - {name:<{longest}}  # {reason}\n" for name, reason in left_out)
    ignored = f"  ignore:  # read, and used for nothing\n{ignored}" if ignored else ""
    doubt = "".join(f"  # {line}\n" for line in doubts)
    metric = {
        "binary": "auroc, at_least: 0.8",
        "category": "accuracy, at_least: 0.8",
        "number": "r2, at_least: 0.3",
    }
    return f"""\
{_head(name)}
data:
  source: {{{read}}}
{doubt}  target: {{column: {scalar(column)}, kind: {kind}{told}}}
{ignored}  features:  # number, category, binary, datetime; `mlspec plugins feature number` tells the options
{chr(10).join(features)}
  split: {{kind: random, train: 0.7, val: 0.1, test: 0.2}}

validation:
  # Types and values are held against contracts/{name}.yaml (the first run writes it). More can be asked here:
  rules: []
  #  - {{kind: not_null, columns: [{scalar(column)}]}}

model: {{kind: mlp, hidden: [64, 64]}}  # or linear, gradient_boosting

training:
  epochs: {f"200  # at most: there are fewer than {FEW:,} rows" if few else 20}
  batch_size: {32 if few else 256}
  optimizer: {{kind: adamw, lr: 0.001}}
  early_stopping: {{metric: {"log_loss" if kind != "number" else "rmse"}, patience: {20 if few else 5}}}

evaluation:
  gates: []  # what must hold before anything is packaged
  #  - {{metric: {metric[kind]}}}

deployments:
  online: {{kind: rest, export: main}}
"""


def _head(name: str) -> str:
    return f"{EDITOR}\napiVersion: mlspec/v1\nname: {name}\nseed: 7\n"


def _ordered(source: Mapping[str, Any], found: Proposal) -> dict[str, Any]:
    """Return the options of a source, with the order of a database's rows where an id was seen."""
    ids = [guess.column for guess in found.guesses if guess.an_id]
    return dict(source) | ({"order_by": ids[:1]} if source["kind"] == "sql" and ids else {})


def _value(value: Any) -> str:
    return f"[{', '.join(map(scalar, value))}]" if isinstance(value, list) else scalar(value)


def empty_text(name: str) -> str:
    """Return a spec without data."""
    return f"""\
{_head(name)}
data:
  source: {{kind: csv, path: data.csv}}  # `mlspec plugins source` tells the others
  target: {{column: my_target, kind: binary}}  # binary, category or number
  features: auto  # or each column with its kind: `age: number`
  split: {{kind: random, train: 0.7, val: 0.1, test: 0.2}}

model: {{kind: mlp, hidden: [64, 64]}}  # or linear, gradient_boosting

training:
  epochs: 20
  batch_size: 256
  optimizer: {{kind: adamw, lr: 0.001}}

deployments:
  online: {{kind: rest, export: main}}
"""
