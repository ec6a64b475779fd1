"""A study goes on after a kill as if nothing had been, and holds no pickle."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from mlspec.run.study import Study, best, ranking
from mlspec.run.tried import Tried
from mlspec.spec.space import Dimension
from mlspec.spec.sweep import Searched, Sweep

SPACE = (
    Dimension("model.dropout", Searched(low=0, high=0.5), False),
    Dimension("training.epochs", Searched(low=1, high=9), True),
    Dimension("training.optimizer.lr", Searched(low=1e-4, high=0.1, log=True), False),
    Dimension("model.hidden", Searched(choices=((8,), (8, 8))), False),
)


def opened(folder: Path, **words: Any) -> Study:
    sweep = Sweep.revive(
        {"metric": "auroc", "trials": 16, "parameters": {"a.b": {"low": 0, "high": 1}}} | words
    )
    return Study(folder, sweep, SPACE, "higher", 7)


def value_of(values: dict[str, Any]) -> float:
    return float(-((values["model.dropout"] - 0.2) ** 2) - values["training.epochs"] * 0.01)


def go(study: Study, most: int = 99) -> None:
    while most and (asked := study.ask()) is not None:
        trial, values = asked
        study.end(trial, value=value_of(values), epochs=3, seconds=0.1)
        most -= 1


def tried(study: Study) -> list[tuple[str, float | None, dict[str, Any]]]:
    return [(one.state, one.value, dict(one.values)) for one in study.tried]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_study_that_was_killed_comes_to_the_same_trials(tmp_path: Path, sampler: str) -> None:
    whole = opened(tmp_path / "whole", sampler=sampler)
    go(whole)
    go(opened(tmp_path / "cut", sampler=sampler), 5)
    opened(tmp_path / "cut", sampler=sampler).ask()  # and killed while it trains
    go(opened(tmp_path / "cut", sampler=sampler), 6)
    with open(tmp_path / "cut" / "journal.log", "ab") as journal:
        journal.write(b'{"op_code":4,"wor')  # killed while it writes
    go(opened(tmp_path / "cut", sampler=sampler))
    assert tried(opened(tmp_path / "cut", sampler=sampler)) == tried(whole)
    assert len(whole.tried) == 16
    assert opened(tmp_path / "cut", sampler=sampler).ask() is None


def test_values_are_of_the_space_and_few_digits(tmp_path: Path) -> None:
    study = opened(tmp_path)
    go(study)
    for one in study.tried:
        assert 0 <= one.values["model.dropout"] <= 0.5
        assert isinstance(one.values["training.epochs"], int)
        assert float(f"{one.values['training.optimizer.lr']:.4g}") == one.values["training.optimizer.lr"]
        assert one.values["model.hidden"] in ([8], [8, 8])


def test_tpe_comes_nearer_than_it_began(tmp_path: Path) -> None:
    study = opened(tmp_path, trials=40)
    go(study)
    values = [one.value or 0.0 for one in study.tried]
    assert sum(values[30:]) / 10 > sum(values[:10]) / 10


def test_the_journal_is_json_and_nothing_is_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any, **words: Any) -> None:
        raise AssertionError("a pickle")

    for name in ("loads", "load", "dumps", "dump"):
        monkeypatch.setattr(pickle, name, refuse)
    go(opened(tmp_path), 3)
    go(opened(tmp_path))
    assert {file.name for file in tmp_path.iterdir()} == {"journal.log"}
    assert (tmp_path / "journal.log").read_bytes().startswith(b'{"op_code"')


def test_what_is_worse_than_half_of_the_others_is_stopped(tmp_path: Path) -> None:
    study = opened(tmp_path)
    for number in range(6):
        asked = study.ask()
        assert asked is not None
        stopped = [study.report(asked[0], epoch, 0.5 if number < 5 else 0.1) for epoch in (1, 2)]
        assert stopped == [number == 5] * 2
        study.end(asked[0], **({"value": 0.5} if number < 5 else {}), epochs=2)
    assert [one.state for one in study.tried] == ["done"] * 5 + ["pruned"]
    assert study.tried[5].curve == ((1, 0.1), (2, 0.1))


def test_a_failure_keeps_its_reason_and_is_ranked_last(tmp_path: Path) -> None:
    study = opened(tmp_path, trials=2)
    for told in ({"reason": "no memory"}, {"value": -3.0}):
        asked = study.ask()
        assert asked is not None
        study.end(asked[0], **told)  # type: ignore[arg-type]
    assert [one.reason for one in study.tried] == ["no memory", None]
    assert [one.number for one in ranking(study.tried, "higher")] == [1, 0]
    assert best(study.tried, "higher") == study.tried[1]


def test_the_first_of_equals_is_the_best() -> None:
    found = [Tried(number, "done", 0.5, {}, 1, 0.1) for number in range(3)]
    assert best(found, "lower") == found[0]
    assert best([], "lower") is None
