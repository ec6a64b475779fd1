"""A study of Optuna, kept in a journal of JSON lines: the one file that calls into Optuna."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlspec.errors import MissingError
from mlspec.run.tried import Tried
from mlspec.spec.space import Dimension
from mlspec.spec.sweep import Sweep

if TYPE_CHECKING:
    import optuna

JOURNAL = "journal.log"
NAME = "sweep"


class Study:
    """The trials of one search space.

    What is tried next follows from the seed and the trials before it alone, so that a study that was killed
    goes on as if nothing had been.

    Args:
        folder: Where the journal lies, or is made; nobody else writes there (see `run/lock.py`).
        sweep: How values are chosen and trials stopped.
        dimensions: What is searched.
        better: The metric's direction.
        seed: Start of every choice.

    Raises:
        MissingError: Optuna is not installed here.
    """

    def __init__(
        self,
        folder: Path,
        sweep: Sweep,
        dimensions: Sequence[Dimension],
        better: Literal["higher", "lower"],
        seed: int,
    ) -> None:
        self._optuna = _optuna()
        self._sweep, self._dimensions, self._seed = sweep, tuple(dimensions), seed
        journal = folder / JOURNAL
        folder.mkdir(parents=True, exist_ok=True)
        _whole(journal)
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=_Alone()))
        self._study = self._optuna.create_study(
            storage=storage,
            study_name=NAME,
            direction="maximize" if better == "higher" else "minimize",
            pruner=self._pruner(),
            load_if_exists=True,
        )
        states = self._optuna.trial.TrialState
        self._left = [one._trial_id for one in self._study.get_trials(states=(states.RUNNING,))]
        self._begun = len(self._study.get_trials(deepcopy=False))

    def ask(self) -> tuple[optuna.trial.Trial, dict[str, Any]] | None:
        """Return the next trial and its values: one that was interrupted first; None when all are begun."""
        if self._left:
            trial = self._optuna.trial.Trial(self._study, self._left.pop(0))
            self._study.sampler = self._sampler(trial.number)
        elif self._begun < self._sweep.trials:
            self._study.sampler = self._sampler(self._begun)
            trial = self._study.ask()
            self._begun += 1
        else:
            return None
        return trial, {one.name: self._value(trial, one) for one in self._dimensions}

    def report(self, trial: optuna.trial.Trial, epoch: int, value: float) -> bool:
        """Note a trial's measure after an epoch; return whether it goes on no longer."""
        with warnings.catch_warnings():
            # A trial that was interrupted tells some epochs again, with the same value.
            warnings.simplefilter("ignore")
            trial.report(value, epoch)
        return bool(trial.should_prune())

    def end(
        self,
        trial: optuna.trial.Trial,
        *,
        value: float | None = None,
        epochs: int = 0,
        seconds: float = 0.0,
        reason: str | None = None,
    ) -> None:
        """Note a trial's end: done with a value, failed for a reason, or pruned."""
        told = {"epochs": epochs, "seconds": seconds} | ({} if reason is None else {"reason": reason})
        for name, content in told.items():
            trial.set_user_attr(name, content)
        states = self._optuna.trial.TrialState
        if value is not None:
            self._study.tell(trial, value)
        else:
            self._study.tell(trial, state=states.PRUNED if reason is None else states.FAIL)

    @property
    def tried(self) -> tuple[Tried, ...]:
        """Every trial, in the order in which they were begun."""
        return tuple(self._tried(one) for one in self._study.get_trials(deepcopy=False))

    def _tried(self, one: Any) -> Tried:
        words: dict[str, Literal["done", "pruned", "failed", "open"]] = {
            "COMPLETE": "done",
            "PRUNED": "pruned",
            "FAIL": "failed",
        }
        curve = tuple(sorted(one.intermediate_values.items()))
        values = {
            dimension.name: self._told(one.params[dimension.name], dimension)
            for dimension in self._dimensions
            if dimension.name in one.params
        }
        return Tried(
            number=one.number,
            state=words.get(one.state.name, "open"),
            value=one.value if one.state.name in ("COMPLETE", "PRUNED") else None,
            values=values,
            epochs=int(one.user_attrs.get("epochs", 0)) or (curve[-1][0] if curve else 0),
            seconds=float(one.user_attrs.get("seconds", 0.0)),
            reason=one.user_attrs.get("reason"),
            curve=curve,
        )

    def _sampler(self, number: int) -> Any:
        seed = (self._seed * 10_007 + number) % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
            if self._sweep.sampler == "random":
                return self._optuna.samplers.RandomSampler(seed=seed)
            # Trials that still run count as bad ones, so that two workers do not try the same.
            liar = self._sweep.parallel > 1
            return self._optuna.samplers.TPESampler(seed=seed, constant_liar=liar)

    def _pruner(self) -> Any:
        pruners = self._optuna.pruners
        made = {
            "none": pruners.NopPruner,
            "median": pruners.MedianPruner,
            "halving": pruners.SuccessiveHalvingPruner,
        }
        return made[self._sweep.pruner]()

    def _value(self, trial: optuna.trial.Trial, one: Dimension) -> Any:
        if one.choices is not None:
            names = [json.dumps(choice, sort_keys=True) for choice in one.choices]
            return self._told(trial.suggest_categorical(one.name, names), one)
        (low, high), step, log = one.bounds, one.searched.step, one.searched.log
        if one.whole:
            whole = 1 if step is None else int(step)
            return self._told(trial.suggest_int(one.name, int(low), int(high), step=whole, log=log), one)
        return self._told(trial.suggest_float(one.name, float(low), float(high), step=step, log=log), one)

    def _told(self, value: Any, one: Dimension) -> Any:
        return one.rounded(value) if one.choices is None else json.loads(value)


class _Alone:
    """In the place of a lock of Optuna's, which a killed process would leave behind: mlspec has its own."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


def _whole(journal: Path) -> None:
    """Take a last line away that a kill tore."""
    if not journal.is_file():
        return
    content = journal.read_bytes()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        with open(journal, "r+b") as file:
            file.truncate(end)


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as missing:
        raise MissingError(
            "`mlspec sweep` needs the package 'optuna', which is not installed here",
            fix="pip install 'mlspec[sweep]'",
        ) from missing
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def best(tried: Sequence[Tried], better: Literal["higher", "lower"]) -> Tried | None:
    """Return the best trial that was trained to its end; the earliest of equals."""
    done = ranking([one for one in tried if one.state == "done"], better)
    return done[0] if done else None


def ranking(tried: Sequence[Tried], better: Literal["higher", "lower"]) -> list[Tried]:
    """Return trials with the best first; those that were stopped, failed or are open behind."""
    order: Mapping[str, int] = {"done": 0, "pruned": 1, "open": 2, "failed": 3}
    sign = -1 if better == "higher" else 1
    return sorted(tried, key=lambda one: (order[one.state], sign * (one.value or 0.0), one.number))
