from __future__ import annotations

from typing import Any

import pytest

from mlspec.compose.merge import merge, put, without


def yes(path: Any) -> bool:
    return True


def no(path: Any) -> bool:
    return False


@pytest.mark.parametrize(
    ("low", "high", "is_slot", "merged"),
    [
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, no, {"a": {"x": 1, "y": 3}}),
        ({"kind": "mlp", "hidden": [1]}, {"kind": "linear"}, no, {"kind": "linear"}),
        (
            {"kind": "mlp", "hidden": [1]},
            {"kind": "mlp", "dropout": 0.1},
            no,
            {"kind": "mlp", "hidden": [1], "dropout": 0.1},
        ),
        (
            {"kind": "mlp", "hidden": [1]},
            {"dropout": 0.1},
            no,
            {"kind": "mlp", "hidden": [1], "dropout": 0.1},
        ),
        ({"a": [1, 2, 3]}, {"a": [4]}, no, {"a": [4]}),
        ({"a": {"x": 1}}, {"a": None}, no, {"a": {"x": 1}}),
        ({"a": 1}, {"a": None}, no, {"a": None}),
        ({"a": "number"}, {"a": {"impute": "mean"}}, yes, {"a": {"kind": "number", "impute": "mean"}}),
        ({"a": "auto"}, {"a": {"age": "number"}}, no, {"a": {"age": "number"}}),
        ({"a": {"kind": "number", "clip": [1, 2]}}, {"a": "binary"}, yes, {"a": "binary"}),
        ({"a": 1}, {"a": {"b": 2}}, yes, {"a": {"b": 2}}),
    ],
)
def test_a_higher_layer_covers_a_lower_one(low: Any, high: Any, is_slot: Any, merged: Any) -> None:
    assert merge(low, high, is_slot) == merged


def test_merging_changes_neither_side() -> None:
    low: Any = {"a": {"b": [1]}, "c": {"d": 1}}
    high: Any = {"a": {"e": 2}}
    merge(low, high, no)
    put(low, ("a", "b", 0), 9, no)
    assert low == {"a": {"b": [1]}, "c": {"d": 1}}
    assert high == {"a": {"e": 2}}


def test_a_single_value_is_put() -> None:
    low = {"model": {"kind": "mlp", "hidden": [8, 8]}, "f": {"age": "number"}}
    assert put(low, ("model", "hidden", 1), 4, no)["model"]["hidden"] == [8, 4]
    assert put(low, ("model", "kind"), "linear", no)["model"] == {"kind": "linear"}
    assert put(low, ("f", "age", "impute"), "mean", yes)["f"]["age"] == {"kind": "number", "impute": "mean"}
    assert put(low, ("new", "deep"), 1, no)["new"] == {"deep": 1}
    with pytest.raises(LookupError, match="2 items"):
        put(low, ("model", "hidden", 2), 4, no)


def test_a_key_is_taken_away() -> None:
    assert without({"a": {"b": 1, "c": 2}}, ("a", "b")) == {"a": {"c": 2}}
    for path in [("x",), ("a", "x"), ("a", "b", "c")]:
        with pytest.raises(LookupError):
            without({"a": {"b": 1}}, path)
