"""A key under the name that another library has for it is answered with the key of this language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlspec.errors import SpecError
from mlspec.spec.known_as import KNOWN_AS, NEEDLESS
from mlspec.spec.levels import homes, keys_at
from mlspec.spec.load import load

TREE: dict[str, Any] = {
    "apiVersion": "mlspec/v1",
    "name": "small",
    "data": {
        "source": {"kind": "sample", "name": "wine"},
        "target": {"column": "target", "kind": "category"},
        "features": "auto",
    },
    "model": {"kind": "mlp"},
}
SWEEP = {"metric": "log_loss", "parameters": {"model.dropout": {"low": 0.1, "high": 0.2}}}


def _mends(path: tuple[str, ...], here: Path) -> list[str]:
    """Return the mends of what is said of a key at a path."""
    tree: dict[str, Any] = yaml.safe_load(
        yaml.safe_dump(TREE | ({"sweep": SWEEP} if path[0] == "sweep" else {}))
    )
    node = tree
    for step in path[:-1]:
        node = node.setdefault(step, {})
    if path[:-1] == ("training", "optimizer"):
        node["kind"] = "adamw"
    node[path[-1]] = 2
    (here / "spec.yaml").write_text(yaml.safe_dump(tree))
    with pytest.raises(SpecError) as caught:
        load(here / "spec.yaml", data=False)
    return [fault.fix or "" for fault in caught.value.faults if f"'{path[-1]}'" in fault.what]


@pytest.mark.parametrize("key", KNOWN_AS)
def test_another_name_of_a_key_at_its_level_is_answered_with_the_key(key: str, tmp_path: Path) -> None:
    *level, own = ("model.dropout" if step == "*" else step for step in key.split("."))
    for name in KNOWN_AS[key]:
        (mend,) = _mends((*level, name), tmp_path)
        assert f"'{own}'" in mend, (key, name, mend)


@pytest.mark.parametrize(
    ("path", "mend"),
    [
        ("sweep.workers", "did you mean 'parallel'?"),
        ("sweep.n_trials", "did you mean 'trials'?"),
        ("hardware.gpus", "did you mean 'devices'?"),
        ("hardware.device", "did you mean 'accelerator' or 'devices'?"),
        ("training.amp", "did you mean 'hardware.precision'?"),
        ("training.gpus", "did you mean 'hardware.devices'?"),
        ("model.max_epochs", "did you mean 'training.epochs'?"),
        ("max_epochs", "did you mean 'training.epochs'?"),
        ("sweep.metrics", "'metric' stands here already; remove one of the two"),
        ("training.learning_rate", "did you mean 'training.optimizer.lr'?"),
    ],
)
def test_another_name_elsewhere_is_answered_with_the_key_and_its_level(
    path: str, mend: str, tmp_path: Path
) -> None:
    assert _mends(tuple(path.split(".")), tmp_path) == [mend]


@pytest.mark.parametrize("section", NEEDLESS)
def test_a_name_that_stands_for_nothing_is_taken_out_with_the_reason(section: str, tmp_path: Path) -> None:
    for name, why in NEEDLESS[section].items():
        assert _mends((section, name), tmp_path) == [f"take it out: {why}"]


def test_no_name_is_a_key_of_the_level_and_each_key_is_one_of_the_language() -> None:
    known = {home.path for home in homes()}
    for key, names in KNOWN_AS.items():
        level = tuple(key.split("."))[:-1]
        assert key in known
        assert not set(names) & set(keys_at(level, TREE))
