"""Values set in a user's text: only they change."""

from __future__ import annotations

from typing import Any

import pytest

from mlspec.compose.edited import edited
from mlspec.compose.reader import read
from mlspec.spec.levels import is_slot

TEXT = """\
# top
model: {kind: mlp, hidden: [16]}   # small
training:   # how
  # epochs
  epochs: 5   # few
  optimizer: adamw # o
  schedule:
    kind: one_cycle  # x
    # inner

# after
data:
  x: 1
"""


def set_in(text: str, **values: Any) -> str:
    paths = {tuple(name.split("__")): value for name, value in values.items()}
    return edited(read("spec.yaml", text)[0], paths, is_slot)


def test_values_change_and_comments_stay() -> None:
    found = set_in(
        TEXT, model__hidden=[64, 64], model__dropout=0.25, training__epochs=9, training__optimizer__lr=1e-5
    )
    expected = TEXT.replace("hidden: [16]", "hidden: [64, 64], dropout: 0.25").replace(
        "epochs: 5", "epochs: 9"
    )
    assert found == expected.replace("adamw", "{kind: adamw, lr: 1.0e-05}")


def test_a_new_key_stands_behind_the_last_one_of_its_section() -> None:
    found = set_in(TEXT, training__batch_size=64, seed=3)
    assert found == TEXT.replace("# x\n", "# x\n  batch_size: 64\n") + "seed: 3\n"


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("training:\nmodel: mlp\n", {"training__epochs": 3}, "training: {epochs: 3}\nmodel: mlp\n"),
        ("training:\n  epochs:\nx: 1", {"training__epochs": 3}, "training:\n  epochs: 3\nx: 1"),
        ("training: {}\n", {"training__epochs": 3}, "training: {epochs: 3}\n"),
        ("x: 1", {"model__dropout": 0.5}, "x: 1\nmodel: {dropout: 0.5}"),
        (
            "model:  # m\n  kind: mlp\n  hidden:  # wide\n    - 3\n    - 4\nx: 1\n",
            {"model__hidden": [3]},
            "model:  # m\n  kind: mlp\n  hidden: [3]  # wide\nx: 1\n",
        ),
        (
            "model: {kind: mlp, dropout: 0.1} # m\n",
            {"model": {"kind": "linear"}},
            "model: {kind: linear} # m\n",
        ),
        ("'a b': 1\n", {"a b": "yes"}, "'a b': 'yes'\n"),
    ],
)
def test_each_form_of_yaml_is_edited(text: str, values: dict[str, Any], expected: str) -> None:
    assert set_in(text, **values).replace('"', "'") == expected
