"""Ensembles of trees as terms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import numpy_helper

from mlspec.engine.querying.term import Term, Terms
from mlspec.errors import StepError

DEEPEST = 300
"""Decisions one below the other: databases read nested expressions one inside the other."""
_KINDS = {b"LEAF", b"BRANCH_LEQ"}


@dataclass(frozen=True, eq=False)
class Branch:
    """A decision: `x <= threshold`, where x is a part of the tree's term."""

    part: int
    threshold: float
    nan_left: bool
    left: Branch | float
    right: Branch | float


def trees(terms: Terms, options: Mapping[str, Any], x: Sequence[Term]) -> list[Term]:
    """Return the scores of a node `TreeEnsembleRegressor`.

    Args:
        terms: Where terms are made.
        options: The node's attributes.
        x: Its inputs.

    Raises:
        StepError: a tree decides otherwise than by `<=`, or is too deep for a database.
    """
    if set(options["nodes_modes"]) - _KINDS:
        raise StepError("a tree of the model decides otherwise than by <=, and no SQL is written for that")
    nodes = _Nodes(options)
    sums: dict[int, list[Term]] = defaultdict(list)
    for score, base in enumerate(_numbers(options, "base_values") or [0.0] * options["n_targets"]):
        sums[score].append(terms.constant(float(base)))
    for tree in nodes.roots:
        for score in nodes.scores[tree]:
            used: dict[int, int] = {}
            root = nodes.branch(tree, 0, score, used, x, 0)
            if isinstance(root, float):
                sums[score].append(terms.constant(root))
            else:
                sums[score].append(terms.of("tree", *(x[feature] for feature in used), value=root))
    return [terms.sum(sums[score]) for score in range(options["n_targets"])]


def _numbers(options: Mapping[str, Any], name: str) -> list[float]:
    if f"{name}_as_tensor" in options:
        return [float(value) for value in numpy_helper.to_array(options[f"{name}_as_tensor"])]
    return [float(np.float32(value)) for value in options.get(name, ())]


class _Nodes:
    """The nodes of all trees by tree and number."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        places = list(zip(options["nodes_treeids"], options["nodes_nodeids"], strict=True))
        self.at = {place: row for row, place in enumerate(places)}
        self.roots = list(dict.fromkeys(options["nodes_treeids"]))
        self.options = options
        self.thresholds = _numbers(options, "nodes_values")
        self.missing = options.get("nodes_missing_value_tracks_true") or [0] * len(places)
        self.leaves: dict[tuple[int, int, int], float] = {}
        self.scores: dict[int, set[int]] = defaultdict(set)
        weights = _numbers(options, "target_weights")
        names = ("target_treeids", "target_nodeids", "target_ids")
        for *place, weight in zip(*(options[name] for name in names), weights, strict=True):
            tree, node, score = place
            self.leaves[tree, node, score] = weight
            self.scores[tree].add(score)

    def branch(
        self, tree: int, node: int, score: int, used: dict[int, int], x: Sequence[Term], depth: int
    ) -> Branch | float:
        """Return what stands below a node; `used` gives each input its place among the term's parts."""
        if depth > DEEPEST:
            raise StepError(
                f"a tree of the model takes more than {DEEPEST} decisions, one below the other, and a "
                "database does not read that",
                fix="set model.max_depth",
            )
        row = self.at[tree, node]
        if self.options["nodes_modes"][row] == b"LEAF":
            return self.leaves.get((tree, node, score), 0.0)
        feature = int(self.options["nodes_featureids"][row])
        below = [
            self.branch(tree, int(self.options[side][row]), score, used, x, depth + 1)
            for side in ("nodes_truenodeids", "nodes_falsenodeids")
        ]
        part = used.setdefault(feature, len(used))
        nan_left = bool(self.missing[row]) and x[feature].nan
        return Branch(part, self.thresholds[row], nan_left, below[0], below[1])
